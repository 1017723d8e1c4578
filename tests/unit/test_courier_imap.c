#include "config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "courier/codec.h"
#include "courier/deposit.h"
#include "courier/imap_response.h"

static struct imap_response response;

static bool takes(const char *text)
{
	return imap_take_response(view_of(text), VIEW(""), &response);
}

static void status_has_kind_code_and_text(void **state)
{
	(void)state;
	assert_true(takes("* OK [UIDVALIDITY 3857529045] UIDs valid"));
	assert_int_equal(response.kind, IMAP_OK);
	assert_int_equal(response.tag.len, 0);
	assert_true(view_is(response.code, "UIDVALIDITY 3857529045"));
	assert_true(view_is(response.text, "UIDs valid"));
	assert_true(takes("d12 no [AUTHENTICATIONFAILED] go away"));
	assert_int_equal(response.kind, IMAP_NO);
	assert_true(view_is(response.tag, "d12"));
	assert_true(takes("d12 OK"));
	assert_true(takes("* PREAUTH hello"));
	assert_int_equal(response.kind, IMAP_PREAUTH);
}

static void only_the_three_may_end_a_command(void **state)
{
	(void)state;
	assert_true(takes("d1 BAD what"));
	assert_false(takes("d1 BYE"));
	assert_false(takes("d1 PREAUTH"));
	assert_false(takes("d1 1 EXISTS"));
	assert_false(takes("d1"));
	assert_false(takes(""));
	assert_false(takes("*"));
	assert_false(takes("* "));
	assert_false(takes("220 smtp.example ESMTP"));
}

static void numbers_have_bounds(void **state)
{
	(void)state;
	assert_true(takes("* 4294967295 EXISTS"));
	assert_int_equal(response.number, UINT32_MAX);
	assert_true(takes("* 0 EXISTS"));
	assert_false(takes("* 0 EXPUNGE"));
	assert_true(takes("* 4294967296 EXISTS"));
	assert_int_equal(response.kind, IMAP_OTHER);
	assert_false(takes("* 1 FETCH (UID 0)"));
	assert_false(takes("* 1 FETCH (UID 4294967296)"));
	assert_false(takes("* 1 FETCH (UID -1)"));
	assert_false(takes("* 1 FETCH (RFC822.SIZE -1)"));
	assert_false(takes("* 1 FETCH (RFC822.SIZE 99999999999999999999)"));
}

static void fetch_is_taken_whatever_stands_around_it(void **state)
{
	(void)state;
	assert_true(imap_take_response(
	    VIEW("* 7 FETCH (FLAGS (\\Seen $odd) BODY[] {5} X-GM-LABELS (\"a)\\\" b\" (1 {2} NIL)) "
		 "MODSEQ (12) RFC822.SIZE 900 UID 44)"),
	    VIEW("hello()"), &response));
	assert_int_equal(response.kind, IMAP_FETCH);
	assert_int_equal(response.number, 7);
	assert_int_equal(response.fetch.uid, 44);
	assert_true(response.fetch.has_size);
	assert_int_equal(response.fetch.size, 900);
	assert_true(response.fetch.has_body);
	assert_true(view_is(response.fetch.body, "hello"));
	assert_true(takes("* 7 FETCH (UID 3 BODY[] NIL)"));
	assert_false(response.fetch.has_body);
	assert_true(takes("* 7 FETCH (UID 3 BODY[] \"\")"));
	assert_true(response.fetch.has_body);
	assert_int_equal(response.fetch.body.len, 0);
	assert_true(takes("* 7 FETCH ()"));
}

static void fetch_that_does_not_end_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"* 1 FETCH", "* 1 FETCH (", "* 1 FETCH (UID",
	    "* 1 FETCH (UID 1", "* 1 FETCH (UID 1))", "* 1 FETCH (UID 1) x",
	    "* 1 FETCH (FLAGS (a b)", "* 1 FETCH (FLAGS (a) b)", "* 1 FETCH (X \"a)",
	    "* 1 FETCH (X \"a\\", "* 1 FETCH (BODY[] {5})", "* 1 FETCH (BODY[] {-1})",
	    "* 1 FETCH (BODY[] {})", "* 1 FETCH (BODY[] {5", "* 1 FETCH (BODY[] x)",
	    "* 1 FETCH (BODY[] \"a\\\"b\")", "* 1 FETCH (X ))", "* 1 FETCH (X"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (takes(bad[i]))
			fail_msg("taken: %s", bad[i]);
	}
}

/* What ends libetpan, by a stack overflow. */
static void depth_of_lists_costs_no_stack(void **state)
{
	enum { DEPTH = 10 * 1000 * 1000 };
	struct buf text = BUF_EMPTY((size_t)2 * DEPTH + 100);
	(void)state;
	buf_add_text(&text, "* 1 FETCH (BODYSTRUCTURE ");
	memset(buf_reserve(&text, DEPTH), '(', DEPTH);
	buf_grown(&text, DEPTH);
	assert_false(imap_take_response(buf_view(&text), VIEW(""), &response));
	memset(buf_reserve(&text, DEPTH), ')', DEPTH);
	buf_grown(&text, DEPTH);
	buf_add_text(&text, " UID 5)");
	assert_true(imap_take_response(buf_view(&text), VIEW(""), &response));
	assert_int_equal(response.fetch.uid, 5);
	buf_release(&text);
}

static void literal_is_told_by_the_end_of_the_line(void **state)
{
	uint64_t len = 0;
	(void)state;
	assert_true(imap_literal_follows(VIEW("* 1 FETCH (BODY[] {123}"), &len));
	assert_int_equal(len, 123);
	assert_true(imap_literal_follows(VIEW("* LIST () \"/\" {0}"), &len));
	assert_int_equal(len, 0);
	assert_false(imap_literal_follows(VIEW("* 1 FETCH (BODY[] {123})"), &len));
	assert_false(imap_literal_follows(VIEW("* 1 FETCH (BODY[] {-1}"), &len));
	assert_false(imap_literal_follows(VIEW("* 1 FETCH (BODY[] {1x}"), &len));
	assert_false(imap_literal_follows(VIEW("* 1 FETCH (BODY[] 12}"), &len));
	assert_false(imap_literal_follows(VIEW("* OK see {5}"), &len));
	assert_false(imap_literal_follows(VIEW("d1 OK see {5}"), &len));
	assert_false(imap_literal_follows(VIEW("+ {5}"), &len));
	assert_false(imap_literal_follows(VIEW(""), &len));
}

static void code_number_is_that_of_its_name(void **state)
{
	uint32_t number = 0;
	(void)state;
	assert_true(imap_code_number(VIEW("uidvalidity 17"), "UIDVALIDITY", &number));
	assert_int_equal(number, 17);
	assert_false(imap_code_number(VIEW("UIDNEXT 17"), "UIDVALIDITY", &number));
	assert_false(imap_code_number(VIEW("UIDVALIDITY 0"), "UIDVALIDITY", &number));
	assert_false(imap_code_number(VIEW("UIDVALIDITY"), "UIDVALIDITY", &number));
	assert_true(imap_has_word(VIEW("IMAP4rev1 idle"), "IDLE"));
	assert_false(imap_has_word(VIEW("IMAP4rev1 XIDLE"), "IDLE"));
}

static void name_is_of_mailbox_message_and_content(void **state)
{
	char first[DEPOSIT_NAME_SIZE];
	char other[DEPOSIT_NAME_SIZE];
	(void)state;
	deposit_name(17, 4, VIEW("a"), first);
	deposit_name(17, 4, VIEW("a"), other);
	assert_string_equal(first, other);
	deposit_name(18, 4, VIEW("a"), other);
	assert_string_not_equal(first, other);
	deposit_name(17, 5, VIEW("a"), other);
	assert_string_not_equal(first, other);
	deposit_name(17, 4, VIEW("b"), other);
	assert_string_not_equal(first, other);
}

static size_t count_files(const char *path)
{
	size_t count = 0;
	const struct dirent *entry;
	DIR *directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void touch(const char *path, int64_t age)
{
	struct err err;
	const struct utimbuf times = {clock_now() - age, clock_now() - age};
	assert_int_equal(file_write(path, VIEW("x"), 0600, &err), 0);
	assert_int_equal(utime(path, &times), 0);
}

static void deposit_replaces_the_same_and_cleans_up_old_drafts(void **state)
{
	enum { DAY = 86400 };
	char drop[] = "/tmp/dl.XXXXXX";
	char path[64];
	struct buf content = BUF_EMPTY(BUF_SMALL);
	struct err err;
	(void)state;
	assert_non_null(mkdtemp(drop));
	assert_int_equal(chdir(drop), 0);
	assert_int_equal(deposit(".", "imap-1", VIEW("text"), &err), -1);
	assert_int_equal(mkdir("tmp", 0700), 0);
	assert_int_equal(deposit(".", "imap-1", VIEW("text"), &err), -1);
	assert_int_equal(count_files("tmp"), 0);
	assert_int_equal(mkdir("new", 0700), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(deposit(".", "imap-1", VIEW("text\r\n"), &err), 0);
	assert_int_equal(deposit_sync(".", &err), 0);
	assert_int_equal(count_files("new"), 1);
	assert_int_equal(count_files("tmp"), 0);
	assert_int_equal(file_read("new/imap-1", &content, &err), 0);
	assert_true(view_is(buf_view(&content), "text\r\n"));
	touch("tmp/imap-old", 2 * DAY);
	touch("tmp/imap-fresh", DAY);
	touch("tmp/1700000000.mta", 2 * DAY);
	deposit_clean(".");
	assert_int_equal(count_files("tmp"), 2);
	assert_int_not_equal(access("tmp/imap-old", F_OK), 0);
	buf_release(&content);
	assert_int_equal(chdir("/"), 0);
	snprintf(path, sizeof path, "%s", drop);
	assert_int_equal(file_remove_tree(path, &err), 0);
}

static void part_of_a_watch_travels_whole_or_not_at_all(void **state)
{
	struct courier_watch in = {.what = COURIER_WATCH_LEFT, .validity = 9, .uid = 8, .size = 7};
	struct courier_watch out;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	(void)state;
	snprintf(in.text, sizeof in.text, "why");
	courier_put_watch(&body, &in);
	assert_true(courier_take_watch(buf_view(&body), &out));
	assert_int_equal(out.what, COURIER_WATCH_LEFT);
	assert_int_equal(out.validity, 9);
	assert_int_equal(out.uid, 8);
	assert_int_equal(out.size, 7);
	assert_string_equal(out.text, "why");
	assert_false(courier_take_watch(view_part(buf_view(&body), 0, body.len - 1), &out));
	body.data[0] = COURIER_WATCH_REFUSED + 1;
	assert_false(courier_take_watch(buf_view(&body), &out));
	body.data[0] = COURIER_WATCH_LEFT;
	buf_add_char(&body, 'x');
	assert_false(courier_take_watch(buf_view(&body), &out));
	buf_release(&body);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status_has_kind_code_and_text),
	    cmocka_unit_test(only_the_three_may_end_a_command),
	    cmocka_unit_test(numbers_have_bounds),
	    cmocka_unit_test(fetch_is_taken_whatever_stands_around_it),
	    cmocka_unit_test(fetch_that_does_not_end_is_refused),
	    cmocka_unit_test(depth_of_lists_costs_no_stack),
	    cmocka_unit_test(literal_is_told_by_the_end_of_the_line),
	    cmocka_unit_test(code_number_is_that_of_its_name),
	    cmocka_unit_test(name_is_of_mailbox_message_and_content),
	    cmocka_unit_test(deposit_replaces_the_same_and_cleans_up_old_drafts),
	    cmocka_unit_test(part_of_a_watch_travels_whole_or_not_at_all),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_imap", tests, NULL, NULL);
}
