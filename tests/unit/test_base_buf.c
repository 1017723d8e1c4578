#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* -- buffers -- */

static void untouched_buffer_is_empty_text(void **state)
{
	(void)state;
	struct buf buf = BUF_EMPTY(BUF_SMALL);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_view(&buf).len, 0);
	assert_non_null(buf_view(&buf).data);
	buf_clear(&buf);
	buf_release(&buf);
}

static void appended_pieces_stand_in_order(void **state)
{
	(void)state;
	struct buf buf = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&buf, "one ");
	buf_add(&buf, "two", 3);
	buf_add_char(&buf, ' ');
	buf_printf(&buf, "%d %s", 3, "four");
	buf_add_view(&buf, VIEW(" five"));
	assert_string_equal(buf_text(&buf), "one two 3 four five");
	assert_int_equal(buf.len, strlen("one two 3 four five"));
	for (int i = 0; i < 5000; i++)
		buf_add_char(&buf, 'x');
	assert_int_equal(buf.len, 5019);
	assert_int_equal(buf.data[buf.len], '\0');
	buf_release(&buf);
}

static void maximum_is_reached_and_never_passed(void **state)
{
	(void)state;
	struct buf buf = BUF_EMPTY(5);
	buf_add_text(&buf, "12345");
	assert_false(buf.overflow);
	buf_add_text(&buf, "");
	assert_false(buf.overflow);
	buf_add_char(&buf, '6');
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "12345");
	buf_release(&buf);
}

static void piece_that_does_not_fit_is_left_out_whole(void **state)
{
	(void)state;
	struct buf buf = BUF_EMPTY(5);
	buf_add_text(&buf, "123");
	buf_printf(&buf, "%s", "456");
	assert_true(buf.overflow);
	buf_add_char(&buf, '4'); /* would fit, but the text would have a hole */
	assert_string_equal(buf_text(&buf), "123");
	assert_null(buf_reserve(&buf, 1));
	buf_clear(&buf);
	assert_false(buf.overflow);
	buf_add_text(&buf, "12345");
	assert_string_equal(buf_text(&buf), "12345");
	buf_release(&buf);
}

static void length_near_the_end_of_memory_overflows_cleanly(void **state)
{
	(void)state;
	struct buf buf = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&buf, "abc");
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.overflow);
	buf_release(&buf);
}

static void moving_hands_over_and_leaves_empty(void **state)
{
	(void)state;
	struct buf from = BUF_EMPTY(10);
	struct buf to = BUF_EMPTY(3);
	buf_add_text(&from, "12345");
	buf_add_text(&to, "old");
	buf_move(&to, &from);
	assert_string_equal(buf_text(&to), "12345");
	assert_string_equal(buf_text(&from), "");
	assert_int_equal(to.max, 10);
	buf_move(&to, &to);
	assert_string_equal(buf_text(&to), "12345");
	buf_release(&from);
	buf_release(&to);
}

/* -- views -- */

static void part_is_cut_to_what_there_is(void **state)
{
	(void)state;
	assert_true(view_is(view_part(VIEW("hello"), 1, 3), "ell"));
	assert_true(view_is(view_part(VIEW("hello"), 3, SIZE_MAX), "lo"));
	assert_int_equal(view_part(VIEW("hello"), 9, 1).len, 0);
	assert_int_equal(view_part((struct view){NULL, 0}, 0, 1).len, 0);
	assert_non_null(view_part((struct view){NULL, 0}, 0, 1).data);
	assert_int_equal(view_of(NULL).len, 0);
}

static void comparing_is_by_length_and_bytes(void **state)
{
	(void)state;
	assert_true(view_equals((struct view){NULL, 0}, VIEW("")));
	assert_false(view_equals(VIEW("a"), VIEW("ab")));
	assert_false(view_is((struct view){"a\0", 2}, "a"));
	assert_true(view_is_nocase(VIEW("TLP"), "tlp"));
	assert_false(view_is_nocase(VIEW("TLP"), "tl"));
	assert_true(view_starts_nocase(VIEW("Advisory: new"), "advisory:"));
	assert_false(view_starts_nocase(VIEW("Adv"), "advisory:"));
}

static void finding_gives_the_first_place_or_none(void **state)
{
	(void)state;
	assert_int_equal(view_find(VIEW("abcabc"), VIEW("ca")), 2);
	assert_true(view_find(VIEW("abc"), VIEW("abcd")) == SIZE_MAX);
	assert_true(view_find(VIEW("abc"), VIEW("x")) == SIZE_MAX);
	assert_int_equal(view_find(VIEW("abc"), VIEW("")), 0);
}

static void trimming_takes_white_space_at_both_ends(void **state)
{
	(void)state;
	assert_true(view_is(view_trim(VIEW(" \t\r\n a b \v\f")), "a b"));
	assert_int_equal(view_trim(VIEW(" \t ")).len, 0);
}

static void lines_end_with_or_without_a_return(void **state)
{
	(void)state;
	struct view rest = VIEW("one\r\ntwo\n\nthree\rx\r\n\r\nlast");
	const char *lines[] = {"one", "two", "", "three\rx", "", "last"};
	struct view line;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_true(view_next_line(&rest, &line));
		assert_true(view_is(line, lines[i]));
	}
	assert_false(view_next_line(&rest, &line));
}

static void fields_are_cut_at_their_separator(void **state)
{
	(void)state;
	struct view rest = VIEW("a,,b");
	const char *fields[] = {"a", "", "b"};
	struct view field;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		assert_true(view_next_field(&rest, ',', &field));
		assert_true(view_is(field, fields[i]));
	}
	/* Nothing that was there before may be taken for what is not there. */
	field = VIEW("before");
	assert_false(view_next_field(&rest, ',', &field));
	assert_int_equal(field.len, 0);
	field = VIEW("before");
	assert_false(view_next_line(&rest, &field));
	assert_int_equal(field.len, 0);
}

static void copy_that_does_not_fit_or_holds_a_nul_is_empty(void **state)
{
	(void)state;
	char out[4] = "xxx";
	assert_true(view_copy(VIEW("abc"), out, sizeof out));
	assert_string_equal(out, "abc");
	assert_false(view_copy(VIEW("abcd"), out, sizeof out));
	assert_string_equal(out, "");
	assert_false(view_copy((struct view){"a\0", 2}, out, sizeof out));
	assert_string_equal(out, "");
	assert_true(view_copy((struct view){NULL, 0}, out, sizeof out));
	assert_string_equal(out, "");
}

/* -- errors -- */

static void error_text_is_one_line(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_set(&err, ERR_PEER, ERR_LATER, "a\r\nb\x1b[0m\x7f"), -1);
	assert_string_equal(err.text, "a  b [0m ");
	assert_int_equal(err.whom, ERR_PEER);
	assert_int_equal(err.when, ERR_LATER);
}

static void error_text_is_well_formed_whatever_a_peer_wrote_and_wherever_it_is_cut(void **state)
{
	(void)state;
	struct err err;
	char text[2 * ERR_TEXT_SIZE + 2] = "x";
	err_set(&err, ERR_PEER, ERR_LATER, "k\xf6nnte \xe2\x82\xac \xc3");
	assert_string_equal(err.text, "k?nnte \xe2\x82\xac ?");
	for (size_t i = 1; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	err_set(&err, ERR_PEER, ERR_LATER, "%s", text);
	assert_true(text_is_utf8(view_of(err.text)));
	err_set(&err, ERR_PEER, ERR_LATER, "%s", text + 1);
	assert_true(text_is_utf8(view_of(err.text)));
	err_prefix(&err, "%s", text);
	assert_true(text_is_utf8(view_of(err.text)));
}

static void prefix_keeps_whom_and_when(void **state)
{
	(void)state;
	struct err err;
	err_set(&err, ERR_MESSAGE, ERR_NEVER, "inner");
	assert_int_equal(err_prefix(&err, "outer %d", 1), -1);
	assert_string_equal(err.text, "outer 1: inner");
	assert_int_equal(err.whom, ERR_MESSAGE);
	assert_int_equal(err.when, ERR_NEVER);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(untouched_buffer_is_empty_text),
	    cmocka_unit_test(appended_pieces_stand_in_order),
	    cmocka_unit_test(maximum_is_reached_and_never_passed),
	    cmocka_unit_test(piece_that_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(length_near_the_end_of_memory_overflows_cleanly),
	    cmocka_unit_test(moving_hands_over_and_leaves_empty),
	    cmocka_unit_test(part_is_cut_to_what_there_is),
	    cmocka_unit_test(comparing_is_by_length_and_bytes),
	    cmocka_unit_test(finding_gives_the_first_place_or_none),
	    cmocka_unit_test(trimming_takes_white_space_at_both_ends),
	    cmocka_unit_test(lines_end_with_or_without_a_return),
	    cmocka_unit_test(fields_are_cut_at_their_separator),
	    cmocka_unit_test(copy_that_does_not_fit_or_holds_a_nul_is_empty),
	    cmocka_unit_test(error_text_is_one_line),
	    cmocka_unit_test(
		error_text_is_well_formed_whatever_a_peer_wrote_and_wherever_it_is_cut),
	    cmocka_unit_test(prefix_keeps_whom_and_when),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
