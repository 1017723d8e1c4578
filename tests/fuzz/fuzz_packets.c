/* OpenPGP packet framing: what gpg wrote for us is split, what others wrote is let in or not. */
#include "config.h"

#include "pgp/framing.h"
#include "pgp/packet.h"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* Packets stand one behind the other without a gap. Returns how many, -1 where one is malformed. */
static int check_row(struct view message)
{
	struct view rest = message;
	struct packet packet;
	int count = 0;
	int got;
	const char *at = message.data;
	while ((got = packet_next(&rest, &packet)) == 1) {
		FUZZ_CHECK(packet.tag > 0 && packet.tag < 64);
		FUZZ_CHECK(packet.whole.data == at && packet.whole.len > 0);
		FUZZ_CHECK(fuzz_lies_in(packet.whole, message));
		FUZZ_CHECK(fuzz_lies_in(packet.body, packet.whole));
		at += packet.whole.len;
		FUZZ_CHECK(
		    rest.data == at && rest.len == message.len - (size_t)(at - message.data));
		count++;
	}
	FUZZ_CHECK(got < 0 || rest.len == 0);
	return got < 0 ? -1 : count;
}

/* One recipient's message is a whole one, for that key alone. */
static void check_copy(const struct packet_split *split, size_t i)
{
	static struct packet_split alone;
	struct buf copy = BUF_EMPTY(split->keys[i].pkesk.len + split->data.len);
	struct err err;
	enum framing_data data;
	const char *why = "";
	buf_add_view(&copy, split->keys[i].pkesk);
	buf_add_view(&copy, split->data);
	FUZZ_CHECK(framing_is_encrypted(buf_view(&copy), &data, &why));
	FUZZ_CHECK(packet_split(buf_view(&copy), &alone, &err) == 0 && alone.count == 1);
	FUZZ_CHECK(strcmp(alone.keys[0].key_id, split->keys[i].key_id) == 0);
	FUZZ_CHECK(view_equals(alone.data, split->data));
	buf_release(&copy);
}

static void check_split(struct view message, int packets)
{
	static struct packet_split split;
	struct err err = {.text = ""};
	if (packet_split(message, &split, &err) != 0) {
		FUZZ_CHECK(err.text[0] != '\0' && fuzz_is_shown(err.text));
		return;
	}
	struct buf joined = BUF_EMPTY(message.len);
	for (size_t i = 0; i < split.count; i++) {
		FUZZ_CHECK(strlen(split.keys[i].key_id) == KEY_ID_SIZE - 1);
		buf_add_view(&joined, split.keys[i].pkesk);
	}
	buf_add_view(&joined, split.data);
	FUZZ_CHECK(view_equals(buf_view(&joined), message));
	FUZZ_CHECK(packets == (int)split.count + 1);
	check_copy(&split, 0);
	check_copy(&split, split.count - 1);
	buf_release(&joined);
}

/* Each of the three says why not, takes only what adds up, and takes nothing that another takes. */
static void check_framing(struct view message, int packets)
{
	const char *why[3] = {NULL, NULL, NULL};
	enum framing_data data;
	uint32_t count = 0;
	bool text = false;
	const bool encrypted = framing_is_encrypted(message, &data, &why[0]);
	const bool signed_whole = framing_is_signed(message, &why[1]);
	const bool signatures = framing_is_signatures(message, &count, &text, &why[2]);
	FUZZ_CHECK(encrypted + signed_whole + signatures <= 1);
	FUZZ_CHECK(packets > 0 || (!encrypted && !signed_whole && !signatures));
	FUZZ_CHECK(encrypted || why[0] != NULL);
	FUZZ_CHECK(signed_whole || why[1] != NULL);
	FUZZ_CHECK(signatures || why[2] != NULL);
	FUZZ_CHECK(!signatures || (count > 0 && count <= FRAMING_SIGNATURES_MAX));
	framing_has_short_lines(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view message = fuzz_view(data, size);
	const int packets = check_row(message);
	check_split(message, packets);
	check_framing(message, packets);
	return 0;
}
