/* What we write ourselves around text that others chose: whatever it holds, it stays in its field
 * or part, in 7-bit lines, and our own reader gets the same text out again. */
#include "config.h"

#include "courier/message.h"
#include "mail/charset.h"
#include "mail/encode.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/part.h"
#include "mail/tree.h"

#include "fuzz.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)

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

static bool is_mail(struct view text, size_t longest)
{
	struct view line;
	if (!message_is_lines(text))
		return false;
	while (view_next_line(&text, &line)) {
		if (line.len > longest)
			return false;
		for (size_t i = 0; i < line.len; i++)
			if ((line.data[i] < ' ' && line.data[i] != '\t') || line.data[i] > '~')
				return false;
	}
	return true;
}

/* Well-formed, with spaces for the controls of both sets: what is to come out again. */
static void add_clean(struct buf *out, struct view text)
{
	struct buf utf8 = BUF_EMPTY(TEXT_MAX);
	charset_to_utf8("utf-8", text, &utf8);
	struct view rest = buf_view(&utf8);
	while (rest.len > 0) {
		const size_t len = charset_character(rest);
		const unsigned char first = (unsigned char)rest.data[0];
		const unsigned char second = rest.len > 1 ? (unsigned char)rest.data[1] : 0;
		if (first < ' ' || first == 0x7f || (first == 0xc2 && second < 0xa0))
			buf_add_char(out, ' ');
		else
			buf_add(out, rest.data, len);
		rest = view_part(rest, len, rest.len);
	}
	buf_release(&utf8);
}

static void check_subject(struct view text)
{
	struct buf field = BUF_EMPTY(TEXT_MAX), clean = BUF_EMPTY(TEXT_MAX);
	struct buf read = BUF_EMPTY(TEXT_MAX);
	struct view value;
	text = view_part(text, 0, MAIL_SUBJECT_SIZE - 1);
	encode_text_field(&field, "Subject: ", text);
	add_clean(&clean, text);
	FUZZ_CHECK(is_mail(buf_view(&field), ENCODE_LINE));
	FUZZ_CHECK(field_find(buf_view(&field), "Subject", &value));
	field_text(value, &read);
	FUZZ_CHECK(view_equals(buf_view(&read), buf_view(&clean)));
	FUZZ_CHECK(value.data + value.len + 2 >= field.data + field.len || value.len == 0);
	buf_release(&field);
	buf_release(&clean);
	buf_release(&read);
}

static void check_parameter(struct view text)
{
	static struct field_structured structured;
	struct buf field = BUF_EMPTY(TEXT_MAX), clean = BUF_EMPTY(TEXT_MAX);
	struct buf read = BUF_EMPTY(TEXT_MAX);
	struct view value;
	add_clean(&clean, text);
	clean.len = clean.len < MAIL_NAME_SIZE ? clean.len : MAIL_NAME_SIZE - 1;
	while (!text_is_utf8(buf_view(&clean)))
		clean.len--;
	buf_add_text(&field, "Content-Disposition: attachment");
	encode_parameter(&field, "filename", buf_view(&clean));
	buf_add_text(&field, "\r\n");
	FUZZ_CHECK(is_mail(buf_view(&field), ENCODE_LINE));
	FUZZ_CHECK(field_find(buf_view(&field), "Content-Disposition", &value));
	field_structure(value, &structured);
	FUZZ_CHECK(strcmp(structured.word, "attachment") == 0);
	FUZZ_CHECK(field_parameter(&structured, "filename", &read));
	FUZZ_CHECK(view_equals(view_trim(buf_view(&read)), view_trim(buf_view(&clean))));
	buf_release(&field);
	buf_release(&clean);
	buf_release(&read);
}

static void check_address(struct view text)
{
	struct buf field = BUF_EMPTY(TEXT_MAX);
	struct view rest, name, value;
	char shown[MAIL_NAME_SIZE], address[MAIL_ADDRESS_SIZE];
	view_copy(view_part(text, 0, sizeof shown - 1), shown, sizeof shown);
	view_copy(view_part(text, 0, sizeof address - 1), address, sizeof address);
	encode_address_field(&field, "To: ", shown, address);
	FUZZ_CHECK(is_mail(buf_view(&field), ENCODE_LINE + sizeof address));
	rest = buf_view(&field);
	FUZZ_CHECK(field_next(&rest, &name, &value) && view_is(name, "To") && rest.len == 0);
	buf_release(&field);
}

static void check_part(struct view text)
{
	struct buf part = BUF_EMPTY(TEXT_MAX), utf8 = BUF_EMPTY(TEXT_MAX);
	struct buf lines = BUF_EMPTY(TEXT_MAX), read = BUF_EMPTY(TEXT_MAX);
	struct tree tree;
	char reason[MAIL_REASON_SIZE];
	encode_text_part(&part, text);
	FUZZ_CHECK(is_mail(buf_view(&part), ENCODE_LINE));
	charset_to_utf8("utf-8", text, &utf8);
	charset_add_lines(&lines, buf_view(&utf8));
	if (lines.len > 0 && lines.data[lines.len - 1] != '\n')
		buf_add_char(&lines, '\n');
	FUZZ_CHECK(tree_read(buf_view(&part), &limits, &tree, reason) && tree.count == 1);
	part_text(&tree.entities[0], &read);
	FUZZ_CHECK(view_equals(buf_view(&read), buf_view(&lines)));
	tree_free(&tree);
	buf_release(&part);
	buf_release(&utf8);
	buf_release(&lines);
	buf_release(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = fuzz_view(data, size);
	check_subject(text);
	check_parameter(text);
	check_address(text);
	check_part(text);
	return 0;
}
