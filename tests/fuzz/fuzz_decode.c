/* Transfer encodings, charsets, format=flowed and HTML: what makes text out of a part. The input's
 * first line is the charset, the rest is bytes in it. */
#include "config.h"

#include "mail/charset.h"
#include "mail/decode.h"
#include "mail/html.h"

#include "fuzz.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

enum { CHARSET_SIZE = 64, GROWTH_MOST = 16, GROWTH_FREE = 256 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct charset_keep *keep; /* known to the leak check */
	keep = charset_keep();
	FUZZ_CHECK(keep != NULL && argc != NULL && argv != NULL);
	return 0;
}

static void check_html(struct view text)
{
	struct buf out = BUF_EMPTY(TEXT_MAX);
	html_to_text(text, &out);
	FUZZ_CHECK(text_is_utf8(buf_view(&out)));
	FUZZ_CHECK(out.len <= GROWTH_MOST * text.len + GROWTH_FREE);
	FUZZ_CHECK(view_find(buf_view(&out), VIEW("\n\n\n")) == SIZE_MAX);
	buf_release(&out);
}

static void check_lines(struct view text)
{
	struct buf lines = BUF_EMPTY(TEXT_MAX);
	struct buf flowed = BUF_EMPTY(TEXT_MAX);
	charset_add_lines(&lines, text);
	FUZZ_CHECK(view_find(buf_view(&lines), VIEW("\r")) == SIZE_MAX);
	FUZZ_CHECK(lines.len <= text.len && text_is_utf8(buf_view(&lines)));
	for (int delete_space = 0; delete_space < 2; delete_space++) {
		buf_clear(&flowed);
		charset_add_unflowed(&flowed, buf_view(&lines), delete_space == 1);
		FUZZ_CHECK(text_is_utf8(buf_view(&flowed)));
		FUZZ_CHECK(flowed.len <= 2 * lines.len + GROWTH_FREE);
	}
	check_html(buf_view(&lines));
	buf_release(&lines);
	buf_release(&flowed);
}

static void check_charset(const char *charset, struct view bytes)
{
	struct buf text = BUF_EMPTY(TEXT_MAX);
	charset_to_utf8(charset, bytes, &text);
	FUZZ_CHECK(!text.overflow && text_is_utf8(buf_view(&text)));
	FUZZ_CHECK(text.len <= GROWTH_MOST * bytes.len + GROWTH_FREE);
	check_lines(buf_view(&text));
	buf_release(&text);
}

/* Decoding never makes more of it, and undoes what we encode ourselves. */
static void check_transfer(struct view bytes)
{
	struct buf out = BUF_EMPTY(TEXT_MAX);
	struct buf encoded = BUF_EMPTY(TEXT_MAX);
	decode_base64(bytes, &out);
	FUZZ_CHECK(out.len <= bytes.len);
	buf_clear(&out);
	decode_quoted_printable(bytes, &out);
	FUZZ_CHECK(out.len <= bytes.len);
	text_base64(&encoded, bytes, TEXT_BASE64_LINE);
	buf_clear(&out);
	decode_base64(buf_view(&encoded), &out);
	FUZZ_CHECK(view_equals(buf_view(&out), bytes));
	buf_clear(&out);
	FUZZ_CHECK(text_unbase64(&out, buf_view(&encoded)));
	FUZZ_CHECK(view_equals(buf_view(&out), bytes));
	buf_release(&out);
	buf_release(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = fuzz_view(data, size);
	struct view name = {"", 0};
	char charset[CHARSET_SIZE];
	view_next_line(&rest, &name);
	view_copy(name, charset, sizeof charset);
	check_charset(charset, rest);
	check_transfer(rest);
	return 0;
}
