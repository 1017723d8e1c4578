/* OpenPGP in text: armor, cleartext signatures, and the certificates of a file; whoever sends one
 * wrote every byte. */
#include "config.h"

#include "courier/armor.h"
#include "mail/armor.h"
#include "pgp/armor.h"
#include "pgp/cleartext.h"
#include "pgp/keyring.h"
#include "pgp/merge.h"

#include "fuzz.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)

static struct armor_tables *tables;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	tables = armor_tables_new();
	return 0;
}

static void check_one(struct view text)
{
	struct buf out = BUF_EMPTY(TEXT_MAX);
	const char *why = NULL;
	if (armor_decode(text, "PGP MESSAGE", &out, &why)) {
		FUZZ_CHECK(armor_is(text) && out.len <= text.len);
	} else {
		FUZZ_CHECK(why != NULL);
	}
	buf_release(&out);
}

/* The courier's armor is taken off by ours. */
static void check_own(struct view bytes)
{
	struct buf armored = BUF_EMPTY(TEXT_MAX), out = BUF_EMPTY(TEXT_MAX);
	const char *why;
	const size_t cut = bytes.len / 3;
	armor_add(&armored, tables, view_part(bytes, 0, cut), view_part(bytes, cut, bytes.len));
	FUZZ_CHECK(armored.len == armor_size(bytes.len));
	FUZZ_CHECK(armor_decode(buf_view(&armored), "PGP MESSAGE", &out, &why));
	FUZZ_CHECK(view_equals(buf_view(&out), bytes));
	buf_release(&armored);
	buf_release(&out);
}

static void check_found(struct view text)
{
	struct armor armor;
	armor_find(text, &armor);
	FUZZ_CHECK(armor.kind <= ARMOR_MANY);
	FUZZ_CHECK(armor.kind == ARMOR_NONE || fuzz_lies_in(armor.block, text));
	FUZZ_CHECK(armor.kind == ARMOR_NONE || armor.kind == ARMOR_BROKEN ||
		   armor.kind == ARMOR_MANY || view_starts_nocase(armor.block, "-----BEGIN PGP "));
}

static bool is_signed_line(struct view line)
{
	if (line.len == 0)
		return true;
	return memchr(line.data, '\0', line.len) == NULL &&
	       strchr(" \t\r", line.data[line.len - 1]) == NULL;
}

/* The signed text is in the form that is signed, and nothing of it is invented. */
static void check_cleartext(struct view message)
{
	struct buf text = BUF_EMPTY(TEXT_MAX), signature = BUF_EMPTY(TEXT_MAX);
	const char *why = NULL;
	if (cleartext_split(message, &text, &signature, &why)) {
		struct view rest = buf_view(&text);
		struct view line;
		FUZZ_CHECK(text.len <= 2 * message.len);
		while (view_next_field(&rest, '\n', &line)) {
			if (rest.len > 0)
				FUZZ_CHECK(line.len > 0 && line.data[line.len - 1] == '\r');
			if (line.len > 0 && line.data[line.len - 1] == '\r')
				line.len--;
			FUZZ_CHECK(is_signed_line(line));
		}
	} else {
		FUZZ_CHECK(why != NULL);
	}
	buf_release(&text);
	buf_release(&signature);
}

/* A certificate with all that stands beside it, and once more with itself: a union loses nothing.
 */
static void check_merged(const struct keyring_entry *entry, struct view all)
{
	struct buf once = BUF_EMPTY(TEXT_MAX), twice = BUF_EMPTY(TEXT_MAX);
	const char *why = "";
	struct merge *merge = merge_new(entry->primary);
	merge_learn(merge, entry->whole);
	merge_add(merge, entry->whole, MERGE_ALL);
	merge_add(merge, all, MERGE_REVOCATIONS);
	merge_add_revocation(merge, all);
	const bool written = merge_write(merge, &once, &why);
	FUZZ_CHECK(written == (why == NULL));
	merge_free(merge);
	if (written) {
		merge = merge_new(entry->primary);
		merge_learn(merge, buf_view(&once));
		merge_add(merge, buf_view(&once), MERGE_ALL);
		/* Revocations that were tried everywhere may be too many now. */
		FUZZ_CHECK(!merge_write(merge, &twice, &why) || twice.len >= once.len);
		merge_free(merge);
	}
	buf_clear(&twice);
	merge_strip(buf_view(&once), &twice);
	FUZZ_CHECK(twice.len <= once.len);
	buf_release(&once);
	buf_release(&twice);
}

static void check_certificates(struct view content)
{
	struct buf packets = BUF_EMPTY(TEXT_MAX);
	struct keyring_entry entry;
	struct err err = {.text = ""};
	if (keyring_decode(content, &packets, &err) != 0) {
		FUZZ_CHECK(err.whom == ERR_MESSAGE && fuzz_is_shown(err.text));
		buf_release(&packets);
		return;
	}
	struct view rest = buf_view(&packets);
	const struct view all = rest;
	int got;
	while ((got = keyring_next(&rest, &entry, &err)) == 1) {
		FUZZ_CHECK(entry.whole.len > 0 && fuzz_lies_in(entry.whole, all));
		if (entry.revocation) {
			FUZZ_CHECK(entry.primary.len == 0);
			continue;
		}
		check_merged(&entry, all);
		FUZZ_CHECK(entry.primary.len > 0 && fuzz_lies_in(entry.primary, entry.whole));
		FUZZ_CHECK(fuzz_lies_in(entry.user_id, entry.whole));
		FUZZ_CHECK(entry.whole.data + entry.whole.len == rest.data);
		FUZZ_CHECK(entry.created >= 0 && entry.created <= UINT32_MAX);
		FUZZ_CHECK(entry.states_ciphers || !entry.takes_aes);
	}
	FUZZ_CHECK(got == 0 || (err.text[0] != '\0' && fuzz_is_shown(err.text)));
	buf_release(&packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = fuzz_view(data, size);
	check_one(text);
	check_own(text);
	check_found(text);
	check_cleartext(text);
	check_certificates(text);
	return 0;
}
