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

static void lines_of_a_report_in_the_text_count_only_together(void **state)
{
	(void)state;
	expect("To: a@example.org\n\nSorry.\n\nAction: failed\nStatus: 5.0.0\n", "failed", "5.0.0");
	expect("To: a@example.org\n\nAction: failed\n", "", "");
	expect("To: a@example.org\n\nStatus: 5.0.0\n", "", "");
	expect("To: a@example.org\n\nthe Action: failed\nthe Status: 5.0.0\n", "", "");
}

static void expect_reason(const char *raw, const char *action, const char *status,
    const char *recipient, const char *said)
{
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	assert_string_equal(reading->out.bounce.action, action);
	assert_string_equal(reading->out.bounce.status, status);
	assert_string_equal(reading->out.bounce.recipient, recipient);
	assert_string_equal(reading->out.bounce.diagnostic, said);
	reading_outline_free(reading);
}

#define SYSTEM "From: MAILER-DAEMON@mx.example\nTo: a@example.org\n\n"
#define PERSON "From: somebody@fr.example\nTo: a@example.org\n\n"

static void status_is_found_in_what_the_server_said(void **state)
{
	(void)state;
	expect(HEAD "Action: failed\nDiagnostic-Code: smtp;550 5.1.1 no such user\n" TAIL, "failed",
	    "5.1.1");
	expect(HEAD "Action: failed\nStatus: unknown\nDiagnostic-Code: smtp; 452-4.2.2 full\n" TAIL,
	    "failed", "4.2.2");
	expect_reason(HEAD "Action: failed\nDiagnostic-Code: smtp; 550 User unknown\n" TAIL,
	    "failed", "", "", "550 User unknown");
	expect_reason(HEAD "Action: failed\nDiagnostic-Code: X-Notes; Jo is not listed\n" TAIL,
	    "failed", "", "", "Jo is not listed");
	expect(HEAD "Action: failed\nDiagnostic-Code: smtp; 550 4.1.1 odd\n" TAIL, "failed", "");
	expect(HEAD "Action: failed\nDiagnostic-Code: x 5550 5.1.1 odd\n" TAIL, "failed", "");
}

static void qmail_and_its_kin_are_read(void **state)
{
	static const char hi[] = SYSTEM "Hi. This is the qmail-send program at mx.example.\n"
					"I'm afraid I wasn't able to deliver your message.\n\n";
	char raw[1024];
	(void)state;
	snprintf(raw, sizeof raw, "%s%s", hi,
	    "<x@fr.example>:\nSorry, no mailbox here by\nthat name. (#5.1.1)\n\n--- Below this "
	    "line is a copy of the message.\n\n<y@fr.example>:\n550 5.7.1 no\n");
	expect_reason(raw, "failed", "5.1.1", "x@fr.example",
	    "Sorry, no mailbox here by that name. (#5.1.1)");
	snprintf(raw, sizeof raw, "%s%s", hi, "<x@fr.example>:\nI gave up. [#4.4.1]\n");
	expect_reason(raw, "failed", "4.4.1", "x@fr.example", "I gave up. [#4.4.1]");
	snprintf(raw, sizeof raw, "%s%s", hi,
	    "<x@fr.example>:\n192.0.2.5 does not like recipient.\nRemote host said: 550-5.1.1 "
	    "no\n");
	expect_reason(raw, "failed", "5.1.1", "x@fr.example",
	    "192.0.2.5 does not like recipient. Remote host said: 550-5.1.1 no");
	snprintf(raw, sizeof raw, "%s%s", hi, "<no address>:\nNo.\n");
	expect_reason(raw, "failed", "", "", "No.");
	expect_reason(hi, "", "", "", "");
}

static void exim_is_read(void **state)
{
	(void)state;
	expect_reason(SYSTEM
	    "A message that you sent could not be delivered to one or more of its\n"
	    "recipients. The following address(es) failed:\n\n  x@fr.example\n"
	    "    host mx.fr.example: 550 5.2.1\n    disabled\n\nmore\n",
	    "failed", "5.2.1", "x@fr.example", "host mx.fr.example: 550 5.2.1 disabled");
	expect_reason(SYSTEM "The following address(es) failed:\n\n  x@fr.example\n"
			     "    retry timeout exceeded\n",
	    "failed", "", "x@fr.example", "retry timeout exceeded");
	expect(SYSTEM
	    "Message 1abc has not yet been delivered.\nDelivery attempts will continue for "
	    "some time.\n  x@fr.example\n  Delay reason: 451 4.7.1 later\n",
	    "delayed", "");
	expect(SYSTEM "The following address(es) failed: nobody\n", "", "");
}

static void a_reply_in_the_text_is_a_reason_and_a_number_is_none(void **state)
{
	(void)state;
	expect_reason(PERSON "kate@fr.example: 550 5.1.1 no such user\n", "failed", "5.1.1", "",
	    "550 5.1.1 no such user");
	expect_reason(SYSTEM "<<< 550 User unknown\n", "failed", "", "", "550 User unknown");
	expect(PERSON "550 people were asked\n", "", "");
	expect(SYSTEM "in 550 words\n", "", "");
	expect(SYSTEM "250 2.1.5 sent\nport 5505.1.1\nno 550 6.1.1\n", "", "");
	expect(SYSTEM "We sent it.\n\n----- Original message -----\n550 5.1.1 quoted\n", "", "");
	expect(SYSTEM "THIS IS A WARNING MESSAGE ONLY.\n<x@fr.example>:\n451 4.1.1 x\n", "delayed",
	    "");
}

static void what_is_no_sound_mail_is_looked_at_as_text(void **state)
{
	static const char boundary[] = "0123456789012345678901234567890123456789"
				       "0123456789012345678901234567890123456789";
	char raw[2048];
	(void)state;
	snprintf(raw, sizeof raw,
	    "Delivered-To: a@example.org\nFrom: postmaster@mx.example\n"
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"%s\"\n\n--%s\n"
	    "Content-Type: text/plain\n\nIt failed.\n--%s\nContent-Type: message/delivery-status\n"
	    "\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n--%s--\n",
	    boundary, boundary, boundary, boundary);
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	assert_int_equal(reading->out.shape, MAIL_REFUSED);
	assert_string_equal(reading->out.bounce.action, "failed");
	assert_string_equal(reading->out.bounce.status, "5.1.1");
	assert_string_equal(reading->out.addresses[0], "a@example.org");
	assert_int_equal(reading->out.bounce.writer, MAIL_WRITER_SYSTEM);
	assert_string_equal(reading->out.bounce.lines[0], "It failed.");
	reading_outline_free(reading);
	expect("To: a@example.org\nContent-Type: text/plain\nContent-Type: text/html\n\n"
	       "550 5.1.1 x\n",
	    "failed", "5.1.1");
}

static void expect_lines(const char *raw, size_t count, const char *first)
{
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	const struct mail_bounce *bounce = &reading->out.bounce;
	assert_int_equal(bounce->line_count, count);
	if (count > 0)
		assert_string_equal(bounce->lines[0], first);
	reading_outline_free(reading);
}

static void first_lines_end_where_a_copy_or_quotation_begins(void **state)
{
	static const char *const ends[] = {"> quoted", "-----BEGIN PGP MESSAGE-----",
	    "-----Urspr\xc3\xbcngliche Nachricht-----", "Return-Path: <x@example.org>",
	    "Received: from x", "--- Below this line is a copy of the message.",
	    "Message headers follow.", "From: x@example.org",
	    "    Below is a copy of the original message:",
	    "|------------------------- Message text follows: ------|", "Autocrypt: addr=x",
	    "----- Original message -----"};
	char raw[512];
	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(raw, sizeof raw, SYSTEM "\n  Sorry.\n%s\nnot this\n", ends[i]);
		expect_lines(raw, 1, "Sorry.");
	}
	expect_lines(SYSTEM "a\n\nb\nc\nd\ne\nf\ng\n", MAIL_LINES_MAX, "a");
	expect_lines("Content-Type: text/html\n\n<p>It <b>failed</b>.</p>", 1, "It failed.");
	expect_lines(SYSTEM "\x1b[31mred\xe2\x80\xae\n", 1, "[31mred\\u202e");
}

/* The inside of our own mail, which a server that opens mail for its people may send back. */
static void no_line_is_given_where_the_text_may_be_ours(void **state)
{
	(void)state;
	expect_lines(SYSTEM "Sorry.\n\nSubject: [DEW-2026-0001 r1] x\n", 0, "");
	expect_lines(SYSTEM "Sorry.\n\nTLP:AMBER\nThe controller\n", 0, "");
	expect_lines(SYSTEM "Sorry.\n\nTLP: red\n", 0, "");
	expect_lines(SYSTEM "Sorry [1] TLP [DEW-20260001 x [-2026-1 [DEW-2026.\n", 1,
	    "Sorry [1] TLP [DEW-20260001 x [-2026-1 [DEW-2026.");
}

static void expect_writer(const char *header, enum mail_writer writer)
{
	char raw[512];
	snprintf(raw, sizeof raw, "%s\nTo: a@example.org\n\nx\n", header);
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	if (reading->out.bounce.writer != writer)
		fail_msg("%s: %d", header, reading->out.bounce.writer);
	reading_outline_free(reading);
}

static void header_says_who_wrote_it(void **state)
{
	static const char *const systems[] = {"From: MAILER-DAEMON@x.example", "From: <>",
	    "From: MAILER-DAEMON (Mail Delivery System)",
	    "From: Postmaster@x.example\nAuto-Submitted: auto-replied",
	    "From: Mail Delivery Subsystem <x@example.org>\nPrecedence: bulk",
	    "From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.example",
	    "From: x@example.org\nX-Failed-Recipients: y@example.org"};
	static const char *const programs[] = {"From: x@example.org\nAuto-Submitted: auto-replied",
	    "From: x@example.org\nAuto-Submitted: auto-replied (vacation)\nPrecedence: bulk",
	    "From: x@example.org\nX-Autoreply: yes", "From: x@example.org\nPrecedence: junk",
	    "From: x@example.org\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All"};
	static const char *const unknown[] = {"From: x@example.org",
	    "From: x@example.org\nAuto-Submitted: no",
	    "From: quarantine@example.org\nAuto-Submitted: auto-generated", "Subject: failure"};
	(void)state;
	for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
		expect_writer(systems[i], MAIL_WRITER_SYSTEM);
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		expect_writer(programs[i], MAIL_WRITER_AUTOMATIC);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		expect_writer(unknown[i], MAIL_WRITER_UNKNOWN);
	expect_writer("From: postmaster@x.example\nContent-Type: message/disposition-notification",
	    MAIL_WRITER_AUTOMATIC);
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
	assert_int_equal(reading->out.bounce.line_count, 1);
	strcpy(reading->out.bounce.lines[0], "\x1b[2J");
	buf_clear(&body);
	reader_put_outline(&body, &reading->out);
	assert_false(reader_take_outline(buf_view(&body), &out));
	strcpy(reading->out.bounce.lines[0], "x");
	reading->out.bounce.writer = (enum mail_writer)7;
	buf_clear(&body);
	reader_put_outline(&body, &reading->out);
	assert_false(reader_take_outline(buf_view(&body), &out));
	reading->out.bounce.writer = MAIL_WRITER_UNKNOWN;
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
	    cmocka_unit_test(lines_of_a_report_in_the_text_count_only_together),
	    cmocka_unit_test(status_is_found_in_what_the_server_said),
	    cmocka_unit_test(qmail_and_its_kin_are_read),
	    cmocka_unit_test(exim_is_read),
	    cmocka_unit_test(a_reply_in_the_text_is_a_reason_and_a_number_is_none),
	    cmocka_unit_test(what_is_no_sound_mail_is_looked_at_as_text),
	    cmocka_unit_test(first_lines_end_where_a_copy_or_quotation_begins),
	    cmocka_unit_test(no_line_is_given_where_the_text_may_be_ours),
	    cmocka_unit_test(header_says_who_wrote_it),
	    cmocka_unit_test(addresses_of_every_field_are_candidates),
	    cmocka_unit_test(addresses_are_limited),
	    cmocka_unit_test(facts_travel_from_reader_to_gate),
	    cmocka_unit_test(real_bounces_say_what_they_say),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_dsn", tests, NULL, NULL);
}
