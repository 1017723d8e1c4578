#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>


#include "mail_reading.h"
#include "patience.h"

#include "mail/limits.h"
#include "mail/tree.h"

enum { BOMB_SIZE = 1000000, QUICK_MS = 2000 };

static void add_repeated(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_text(out, text);
}

/* Reads a bomb both ways; it must end at once, and the outline says how. */
static enum mail_shape read_bomb(const struct buf *raw, char reason[static MAIL_REASON_SIZE])
{
	const int64_t start = processor_ms();
	struct reading_outline *outline = reading_outline_of(buf_view(raw));
	struct reading_content *content = reading_content_of(buf_view(raw));
	const enum mail_shape shape = outline->out.shape;
	snprintf(reason, MAIL_REASON_SIZE, "%s", outline->out.reason);
	reading_outline_free(outline);
	reading_content_free(content);
	assert_true(processor_ms() - start < patient(QUICK_MS));
	return shape;
}

static void assert_refused(const struct buf *raw, const char *why)
{
	char reason[MAIL_REASON_SIZE];
	assert_int_equal(read_bomb(raw, reason), MAIL_REFUSED);
	assert_non_null(strstr(reason, why));
}

static void megabyte_of_parentheses_is_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE * 2);
	buf_add_text(&raw, "Subject: ");
	add_repeated(&raw, "(", BOMB_SIZE);
	buf_add_text(&raw, "\n\ntext\n");
	assert_refused(&raw, "header of more than");
	buf_release(&raw);
}

static void parentheses_within_header_size_are_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	buf_add_text(&raw, "Content-Type: text/plain ");
	add_repeated(&raw, "(\n ", 5000);
	buf_add_text(&raw, "\n\ntext\n");
	assert_refused(&raw, "parentheses");
	buf_release(&raw);
}

static void many_sad_faces_in_a_subject_are_fine(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	buf_add_text(&raw, "Subject: ");
	add_repeated(&raw, ":( ", reading_limits.comments);
	buf_add_text(&raw, "\nTo: ");
	add_repeated(&raw, "(a) ", 500);
	buf_add_text(&raw, "\n\ntext\n");
	char reason[MAIL_REASON_SIZE];
	assert_int_equal(read_bomb(&raw, reason), MAIL_PLAIN);
	buf_release(&raw);
}

static void header_over_its_size_is_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	while (raw.len <= reading_limits.header)
		buf_add_text(&raw,
		    "References: <0123456789012345678901234567890123456789@example>\n"
		    " <0123456789012345678901234567890123456789@example.org>\n"
		    " <0123456789012345678901234567890123456789@example.org>\n"
		    " <0123456789012345678901234567890123456789@example.org>\n");
	buf_add_text(&raw, "\ntext\n");
	assert_refused(&raw, "header of more than");
	buf_release(&raw);
}

static void header_line_over_its_length_is_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	buf_add_text(&raw, "Subject: ");
	add_repeated(&raw, "x", reading_limits.header_line);
	buf_add_text(&raw, "\n\ntext\n");
	assert_refused(&raw, "header line");
	buf_release(&raw);
}

static void too_many_header_fields_are_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	add_repeated(&raw, "X-A: b\n", reading_limits.headers + 1);
	buf_add_text(&raw, "\ntext\n");
	assert_refused(&raw, "header fields");
	buf_release(&raw);
}

static void fields_up_to_the_limit_are_taken(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	add_repeated(&raw, "X-A: b\n", reading_limits.headers);
	buf_add_text(&raw, "\ntext\n");
	char reason[MAIL_REASON_SIZE];
	assert_int_equal(read_bomb(&raw, reason), MAIL_PLAIN);
	buf_release(&raw);
}

static void nul_in_a_header_is_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BOMB_SIZE);
	buf_add(&raw, "Subject: a\0b\n\ntext\n", 19);
	assert_refused(&raw, "NUL");
	buf_release(&raw);
}

static void hundred_thousand_nested_messages_are_one_leaf(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY((size_t)BOMB_SIZE * 10);
	add_repeated(&raw, "Content-Type: message/rfc822\n\n", 100000);
	char reason[MAIL_REASON_SIZE];
	assert_int_equal(read_bomb(&raw, reason), MAIL_PLAIN);
	buf_release(&raw);
}

static void ten_thousand_nested_multiparts_are_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY((size_t)BOMB_SIZE * 10);
	for (unsigned i = 0; i < 10000; i++)
		buf_printf(
		    &raw, "Content-Type: multipart/mixed; boundary=\"b%u\"\n\n--b%u\n", i, i);
	assert_refused(&raw, "nested");
	buf_release(&raw);
}

static void more_parts_than_allowed_are_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY((size_t)BOMB_SIZE * 10);
	buf_add_text(&raw, "Content-Type: multipart/mixed; boundary=b\n\n");
	add_repeated(&raw, "--b\n", 100000);
	assert_refused(&raw, "parts");
	buf_release(&raw);
}

static void lines_like_boundaries_cost_little(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY((size_t)BOMB_SIZE * 40);
	buf_add_text(&raw, "Content-Type: multipart/mixed; boundary="
			   "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"\n\n");
	add_repeated(&raw, "--bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n", 300000);
	char reason[MAIL_REASON_SIZE];
	assert_int_equal(read_bomb(&raw, reason), MAIL_PLAIN);
	buf_release(&raw);
}

static void odd_boundaries_are_refused(void **state)
{
	(void)state;
	static const char *const boundaries[] = {"\"\\\"\"", "\"\"", "", "\"a\\b\"", "\"a\x01\"",
	    "\"a \"", "\"a\n b\"", "\"a\xc3\xa4\"", "\"",
	    "\"01234567890123456789012345678901234567890123456789012345678901234567890\""};
	for (size_t i = 0; i < sizeof boundaries / sizeof boundaries[0]; i++) {
		struct buf raw = BUF_EMPTY(BUF_SMALL);
		buf_printf(&raw,
		    "Content-Type: multipart/mixed; boundary=%s\n\n--a\n\ntext\n--a--\n",
		    boundaries[i]);
		assert_refused(&raw, "bounda");
		buf_release(&raw);
	}
}

static void boundary_of_seventy_characters_with_marks_is_taken(void **state)
{
	(void)state;
	struct view raw =
	    VIEW("Content-Type: multipart/mixed;\n boundary="
		 "\"=_'()+,-./:=?0123456789 0123456789 0123456789 0123456789 01234567890"
		 "X\"\n\n"
		 "--=_'()+,-./:=?0123456789 0123456789 0123456789 0123456789 01234567890"
		 "X  \n\none\n"
		 "--=_'()+,-./:=?0123456789 0123456789 0123456789 0123456789 01234567890"
		 "X--\n");
	struct reading_content *content = reading_content_of(raw);
	assert_true(content->out.readable);
	assert_view_is(content->out.text, "one");
	reading_content_free(content);
}

static void two_types_in_one_part_are_refused(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&raw, "Content-Type: text/plain\nContent-type: text/html\n\ntext\n");
	assert_refused(&raw, "two types");
	buf_release(&raw);
}

static void refused_content_says_why_and_holds_nothing(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(
	    VIEW("Content-Type: multipart/mixed; boundary=\"\\\"\"\nSubject: x\n\n--a\n\ntext\n"));
	assert_false(content->out.readable);
	assert_string_not_equal(content->out.reason, "");
	assert_int_equal(content->out.part_count, 0);
	assert_false(content->out.has_text);
	reading_content_free(content);
}

static void parts_end_at_the_boundary_of_an_outer_multipart(void **state)
{
	(void)state;
	const struct view raw = VIEW("Content-Type: multipart/mixed; boundary=o\n\n"
				     "--o\nContent-Type: multipart/mixed; boundary=i\n\n"
				     "--i\n\nin\n"
				     "--o\n\nout\n--o--\nend\n");
	struct tree tree;
	char reason[MAIL_REASON_SIZE];
	assert_true(tree_read(raw, &reading_limits, &tree, reason));
	assert_int_equal(tree.count, 4);
	assert_int_equal(tree.entities[1].end, 3);
	assert_int_equal(tree.entities[3].parent, 0);
	assert_view_is(tree.entities[2].body, "in");
	assert_view_is(tree.entities[3].body, "out");
	assert_view_is(
	    tree.entities[1].whole, "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nin");
	assert_view_is(tree.entities[0].epilogue, "end\n");
	tree_free(&tree);
}

static void multipart_reaches_beyond_its_closing_boundary(void **state)
{
	(void)state;
	const struct view raw = VIEW("Content-Type: multipart/mixed; boundary=o\r\n\r\n"
				     "--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
				     "--i\r\n\r\nin\r\n--i--\r\n"
				     "\r\n--o--\r\n");
	struct tree tree;
	char reason[MAIL_REASON_SIZE];
	assert_true(tree_read(raw, &reading_limits, &tree, reason));
	assert_view_is(tree.entities[1].whole, "Content-Type: multipart/mixed; boundary=i\r\n\r\n"
					       "--i\r\n\r\nin\r\n--i--\r\n");
	tree_free(&tree);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(megabyte_of_parentheses_is_refused),
	    cmocka_unit_test(parentheses_within_header_size_are_refused),
	    cmocka_unit_test(many_sad_faces_in_a_subject_are_fine),
	    cmocka_unit_test(header_over_its_size_is_refused),
	    cmocka_unit_test(header_line_over_its_length_is_refused),
	    cmocka_unit_test(too_many_header_fields_are_refused),
	    cmocka_unit_test(fields_up_to_the_limit_are_taken),
	    cmocka_unit_test(nul_in_a_header_is_refused),
	    cmocka_unit_test(hundred_thousand_nested_messages_are_one_leaf),
	    cmocka_unit_test(ten_thousand_nested_multiparts_are_refused),
	    cmocka_unit_test(more_parts_than_allowed_are_refused),
	    cmocka_unit_test(lines_like_boundaries_cost_little),
	    cmocka_unit_test(odd_boundaries_are_refused),
	    cmocka_unit_test(boundary_of_seventy_characters_with_marks_is_taken),
	    cmocka_unit_test(two_types_in_one_part_are_refused),
	    cmocka_unit_test(refused_content_says_why_and_holds_nothing),
	    cmocka_unit_test(parts_end_at_the_boundary_of_an_outer_multipart),
	    cmocka_unit_test(multipart_reaches_beyond_its_closing_boundary),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_limits", tests, NULL, NULL);
}
