/* Reports of delivery: ours, and the real ones of the corpus against a table written from an
 * independent reading (bounces.expected). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"

#include "mail_reading.h"

enum { FILE_MAX = 4 << 20, EXPECTED_LEAST = 40 };

#define HEAD                                                                                       \
	"To: a@example.org\nContent-Type: multipart/report; report-type=delivery-status;"          \
	" boundary=b\n\n--b\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n"
#define TAIL "\n--b--\n"

static void expect(const char *raw, const char *action, const char *status)
{
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	assert_string_equal(reading->out.bounce.action, action);
	assert_string_equal(reading->out.bounce.status, status);
	reading_outline_free(reading);
}

static void report_gives_its_facts(void **state)
{
	struct reading_outline *reading = reading_outline_of(VIEW(
	    HEAD "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; x@example.org\n"
		 "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n\tsuch \x1b[31m"
		 "user\n" TAIL));
	const struct mail_bounce *bounce = &reading->out.bounce;
	(void)state;
	assert_int_equal(reading->out.shape, MAIL_REPORT);
	assert_string_equal(bounce->action, "failed");
	assert_string_equal(bounce->status, "5.1.1");
	assert_string_equal(bounce->recipient, "x@example.org");
	assert_null(strchr(bounce->diagnostic, '\x1b'));
	assert_non_null(strstr(bounce->diagnostic, "550 no such"));
	reading_outline_free(reading);
}

static void odd_forms_are_read(void **state)
{
	(void)state;
	expect(HEAD "a: b\n\nACTION: Failed (bad)\nStatus: 5.1.8 (Server rejected)\n" TAIL,
	    "failed", "5.1.8");
	expect(HEAD "Action: delayed\nStatus: 4.4.7\n" TAIL, "delayed", "4.4.7");
	expect(HEAD "Action: failed\nStatus: 5.1\n" TAIL, "failed", "");
	expect(HEAD "Action: failed\nStatus: 9.1.1\n" TAIL, "failed", "");
	expect(HEAD "Action: failed\nStatus: 5.1111.1\n" TAIL, "failed", "");
	expect(HEAD "Action: unknown\nStatus: 5.1.1\n" TAIL, "", "");
	expect(HEAD "Status: 5.1.1\n" TAIL, "", "");
	expect(HEAD TAIL, "", "");
}

static void of_several_recipients_the_worst_counts(void **state)
{
	(void)state;
	expect(HEAD "a: b\n\nAction: relayed\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.2.2\n\n"
		    "Action: delayed\nStatus: 4.0.0\n" TAIL,
	    "failed", "5.2.2");
}

static void text_counts_only_with_action_and_status(void **state)
{
	(void)state;
	expect("To: a@example.org\n\nSorry.\n\nAction: failed\nStatus: 5.0.0\n", "failed", "5.0.0");
	expect("To: a@example.org\n\nAction: failed\n", "", "");
	expect("To: a@example.org\n\nStatus: 5.0.0\n", "", "");
	expect("To: a@example.org\n\nthe Action: failed\nthe Status: 5.0.0\n", "", "");
}

static void addresses_of_every_field_are_candidates(void **state)
{
	struct reading_outline *reading =
	    reading_outline_of(VIEW("To: \"x\" <to@example.org>, two@example.org\n"
				    "Cc: cc@example.org\nX-Original-To: original@example.org\n"
				    "Delivered-To: first@example.org\nDelivered-To: no address\n"
				    "Envelope-To: envelope@example.org\n\ntext\n"));
	static const char *const expected[] = {"first@example.org", "original@example.org",
	    "envelope@example.org", "to@example.org", "two@example.org"};
	(void)state;
	assert_int_equal(reading->out.address_count, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_string_equal(reading->out.addresses[i], expected[i]);
	reading_outline_free(reading);
}

static void addresses_are_limited(void **state)
{
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	(void)state;
	for (int i = 0; i < 100; i++)
		buf_printf(&raw, "Delivered-To: a%d@example.org\n", i);
	buf_add_text(&raw, "\ntext\n");
	struct reading_outline *reading = reading_outline_of(buf_view(&raw));
	assert_int_equal(reading->out.address_count, MAIL_ADDRESSES_MAX);
	reading_outline_free(reading);
	buf_release(&raw);
}

static void facts_travel_from_reader_to_gate(void **state)
{
	struct reading_outline *reading = reading_outline_of(
	    VIEW(HEAD "Final-Recipient: rfc822; x@example.org\nAction: failed\nStatus: 5.1.1\n"
		      "Diagnostic-Code: smtp; no\n" TAIL));
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct mail_outline out;
	(void)state;
	reader_put_outline(&body, &reading->out);
	assert_true(reader_take_outline(buf_view(&body), &out));
	assert_memory_equal(&out.bounce, &reading->out.bounce, sizeof out.bounce);
	assert_int_equal(out.address_count, 1);
	assert_string_equal(out.addresses[0], "a@example.org");
	strcpy(reading->out.bounce.diagnostic, "\x1b[2J");
	buf_clear(&body);
	reader_put_outline(&body, &reading->out);
	assert_false(reader_take_outline(buf_view(&body), &out));
	buf_release(&body);
	reading_outline_free(reading);
}

static bool find_corpus(char *out, size_t size)
{
	const char *named = getenv("DEWLINE_CORPUS");
	struct stat status;
	if (named != NULL)
		snprintf(out, size, "%s/bounces", named);
	else
		snprintf(out, size, TEST_SRCDIR "/../shared/corpus/bounces");
	return stat(out, &status) == 0 && S_ISDIR(status.st_mode);
}

static void check_file(const char *corpus, const char *file, const char *action, const char *status)
{
	char path[4096];
	struct buf bytes = BUF_EMPTY(FILE_MAX);
	struct err err;
	snprintf(path, sizeof path, "%s/%s", corpus, file);
	assert_int_equal(file_read(path, &bytes, &err), 0);
	struct reading_outline *reading = reading_outline_of(buf_view(&bytes));
	const struct mail_bounce *bounce = &reading->out.bounce;
	if (strcmp(bounce->action, strcmp(action, "-") == 0 ? "" : action) != 0 ||
	    strcmp(bounce->status, strcmp(status, "-") == 0 ? "" : status) != 0)
		fail_msg("%s: \"%s\" \"%s\", not %s %s", file, bounce->action, bounce->status,
		    action, status);
	reading_outline_free(reading);
	buf_release(&bytes);
}

static void real_bounces_say_what_they_say(void **state)
{
	char corpus[3072];
	char file[256];
	char action[32];
	char status[32];
	char line[512];
	int count = 0;
	(void)state;
	if (!find_corpus(corpus, sizeof corpus))
		skip();
	FILE *expected = fopen(TEST_SRCDIR "/tests/unit/bounces.expected", "re");
	assert_non_null(expected);
	while (fgets(line, sizeof line, expected) != NULL) {
		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%255s %31s %31s", file, action, status), 3);
		check_file(corpus, file, action, status);
		count++;
	}
	fclose(expected);
	assert_true(count >= EXPECTED_LEAST);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(report_gives_its_facts),
	    cmocka_unit_test(odd_forms_are_read),
	    cmocka_unit_test(of_several_recipients_the_worst_counts),
	    cmocka_unit_test(text_counts_only_with_action_and_status),
	    cmocka_unit_test(addresses_of_every_field_are_candidates),
	    cmocka_unit_test(addresses_are_limited),
	    cmocka_unit_test(facts_travel_from_reader_to_gate),
	    cmocka_unit_test(real_bounces_say_what_they_say),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_dsn", tests, NULL, NULL);
}
