/* The first reading of a raw mail, which anybody may have written, and its way to the gate. */
#include "config.h"

#include "mail/charset.h"
#include "mail/reader.h"
#include "mail/shape.h"

#include "fuzz.h"

#define STORE_MAX ((size_t)64 * 1024 * 1024)

/* Bytes that a decoded byte may come to; more would be a way to fill the reader's memory. */
enum { GROWTH_MOST = 16, GROWTH_FREE = 1024 };

static const struct mail_limits limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct charset_keep *keep; /* known to the leak check */
	keep = charset_keep();
	FUZZ_CHECK(keep != NULL && argc != NULL && argv != NULL);
	return 0;
}

static bool has_reason(enum mail_shape shape)
{
	return shape == MAIL_MANY || shape == MAIL_BROKEN || shape == MAIL_REFUSED;
}

static bool is_crlf_only(struct view text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r'))
			return false;
	return true;
}

static void check_bounce(const struct mail_bounce *bounce)
{
	static const char *const actions[] = {
	    "", "failed", "delayed", "relayed", "expanded", "delivered", NULL};
	FUZZ_CHECK(fuzz_is_one_of(bounce->action, actions));
	FUZZ_CHECK(bounce->action[0] != '\0' || bounce->status[0] == '\0');
	FUZZ_CHECK(strspn(bounce->status, "0123456789.") == strlen(bounce->status));
	FUZZ_CHECK(fuzz_is_shown(bounce->recipient));
	FUZZ_CHECK(fuzz_is_shown(bounce->diagnostic));
}

static void check(const struct mail_outline *outline, struct view raw, struct view store)
{
	const char *why;
	FUZZ_CHECK(outline->shape <= MAIL_REFUSED);
	FUZZ_CHECK(has_reason(outline->shape) == (outline->reason[0] != '\0'));
	FUZZ_CHECK(fuzz_is_line(outline->reason) && fuzz_is_line(outline->subject));
	FUZZ_CHECK(fuzz_lies_in(outline->message, store));
	FUZZ_CHECK(fuzz_lies_in(outline->signature, store));
	FUZZ_CHECK(shape_is_openpgp(outline->shape) ||
		   (outline->message.len == 0 && outline->signature.len == 0 && !outline->whole));
	FUZZ_CHECK(outline->shape == MAIL_SIGNED || outline->signature.len == 0);
	FUZZ_CHECK(outline->shape != MAIL_SIGNED || is_crlf_only(outline->message));
	FUZZ_CHECK(outline->shape != MAIL_REPORT || outline->automatic);
	FUZZ_CHECK(outline->address_count <= MAIL_ADDRESSES_MAX);
	for (uint32_t i = 0; i < outline->address_count; i++)
		FUZZ_CHECK(text_is_address(view_of(outline->addresses[i]), &why));
	FUZZ_CHECK(store.len <= GROWTH_MOST * raw.len + GROWTH_FREE);
	check_bounce(&outline->bounce);
}

/* What the reader writes, the gate takes; and it is the same. */
static void check_way(const struct mail_outline *outline)
{
	static struct mail_outline taken;
	struct buf body = BUF_EMPTY(STORE_MAX);
	struct buf again = BUF_EMPTY(STORE_MAX);
	reader_put_outline(&body, outline);
	FUZZ_CHECK(reader_take_outline(buf_view(&body), &taken));
	reader_put_outline(&again, &taken);
	FUZZ_CHECK(view_equals(buf_view(&body), buf_view(&again)));
	buf_release(&body);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mail_outline outline;
	struct buf store = BUF_EMPTY(STORE_MAX);
	const struct view raw = fuzz_view(data, size);
	mail_read_outline(raw, &limits, &store, &outline);
	check(&outline, raw, buf_view(&store));
	check_way(&outline);
	buf_release(&store);
	return 0;
}
