#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/inform.h"

static void report_refused(const char *text, int line, const char *part)
{
	struct inform_report report;
	struct refusal refusal = {0};
	assert_false(inform_read_report(view_of(text), &report, &refusal));
	assert_int_equal(refusal.line, line);
	assert_non_null(strstr(refusal.text, part));
}

static void whole_report_is_read(void **state)
{
	struct inform_report report;
	struct refusal refusal;
	(void)state;
	assert_true(inform_read_report(view_of("Report: Odd traffic\nTLP: red\n"
					       "About: DEW-2026-0007\n\nText.\n\n> Report: no\n"),
	    &report, &refusal));
	assert_string_equal(report.title, "Odd traffic");
	assert_int_equal(report.tlp, TLP_RED);
	assert_string_equal(report.about, "DEW-2026-0007");
	assert_true(view_is(report.text, "Text.\n\n> Report: no"));
}

static void report_is_amber_and_about_nothing_unless_it_says_otherwise(void **state)
{
	struct inform_report report;
	struct refusal refusal;
	(void)state;
	assert_true(inform_read_report(VIEW("Report: X\n\nText.\n"), &report, &refusal));
	assert_int_equal(report.tlp, TLP_AMBER);
	assert_string_equal(report.about, "");
}

static void bad_reports_are_refused_by_line(void **state)
{
	(void)state;
	report_refused("Report:\n\nText", 1, "empty");
	report_refused("Report: X\nTLP: PURPLE\n\nText", 2, "PURPLE");
	report_refused("Report: X\nTLP: RED\n\nText", 2, "About");
	report_refused("Report: X\nAbout:\n\nText", 2, "number");
	report_refused("Report: X\nAudience: all\n\nText", 2, "Audience");
	report_refused("Report: X\nReport: Y\n\nText", 2, "twice");
	report_refused("TLP: AMBER\n\nText", 0, "Report");
	char text[400];
	snprintf(text, sizeof text, "Report: %0300d\n\nText", 1);
	report_refused(text, 1, "longer");
}

static void blocks_with_empty_lines_are_read_whole(void **state)
{
	struct inform_report report;
	struct refusal refusal;
	char number[STORE_NUMBER_SIZE];
	char name[STORE_ID_SIZE];
	struct view rest;
	(void)state;
	assert_true(
	    inform_read_report(VIEW("Report: Odder traffic\n\nTLP: RED\n\nAbout: DEW-2026-0001"
				    "\n\nThe plant's name is Alpha.\n"),
		&report, &refusal));
	assert_int_equal(report.tlp, TLP_RED);
	assert_string_equal(report.about, "DEW-2026-0001");
	assert_true(view_is(report.text, "The plant's name is Alpha."));
	report_refused("Report: X\n\nWe saw it.\n\nTLP: RED\n", 5, "stands in the text");
	report_refused("Report: X\n\nTLP: PURPLE\n", 3, "put other words before it");
	report_refused("Report: X\n\nAbuot: DEW-2026-0001\n", 3, "nearly About");
	assert_true(
	    inform_read_report(VIEW("Report: A title that a mail program has wrapped at the end "
				    "of its\nline\nTLP: GREEN\n\nText\n"),
		&report, &refusal));
	assert_string_equal(
	    report.title, "A title that a mail program has wrapped at the end of its line");
	assert_int_equal(report.tlp, TLP_GREEN);
	assert_true(inform_read_reply(
	    VIEW("*Reply:*\xc2\xa0REP-2026-0001\n\xc2\xa0\nThanks."), number, &rest, &refusal));
	assert_string_equal(number, "REP-2026-0001");
	assert_true(
	    inform_read_request(VIEW("Request:\xc2\xa0 list\xe2\x80\x8b\n"), name, &refusal));
	assert_string_equal(name, "list");
}

static void field_of_an_advisory_is_refused_in_other_blocks(void **state)
{
	char number[STORE_NUMBER_SIZE];
	char name[STORE_ID_SIZE];
	struct view rest;
	struct refusal refusal;
	(void)state;
	report_refused("Report: X\n\nAudience: us-de\n\nText", 3,
	    "no field \"Audience\"; the fields are Report, TLP and About");
	report_refused("Report: X\nTLP: GREEN\n\nExercise: yes\n", 4, "no field \"Exercise\"");
	assert_false(
	    inform_read_reply(VIEW("Reply: REP-1\n\nTLP: RED\n\nText"), number, &rest, &refusal));
	assert_non_null(strstr(refusal.text, "no field \"TLP\"; the only one is Reply"));
	report_refused("Report: A title of a report that a mail program would wrap at the end of\n"
		       "Exercise: yes\n\nText",
	    2, "no field \"Exercise\"");
	assert_false(inform_read_request(VIEW("Request: list\n\nTLP: RED\n"), name, &refusal));
}

static void reply_names_its_report(void **state)
{
	char number[STORE_NUMBER_SIZE];
	struct view rest;
	struct refusal refusal;
	(void)state;
	assert_true(
	    inform_read_reply(VIEW("Reply: REP-2026-0001\n\nThanks.\n"), number, &rest, &refusal));
	assert_string_equal(number, "REP-2026-0001");
	assert_true(view_is(rest, "Thanks."));
	assert_false(inform_read_reply(VIEW("Reply:\n\nThanks.\n"), number, &rest, &refusal));
	assert_int_equal(refusal.line, 1);
	assert_false(
	    inform_read_reply(VIEW("Reply: A\nTLP: RED\n\nThanks.\n"), number, &rest, &refusal));
	assert_int_equal(refusal.line, 2);
}

static void request_names_a_material(void **state)
{
	char name[STORE_ID_SIZE];
	struct refusal refusal;
	(void)state;
	assert_true(inform_read_request(VIEW("Request: guide-2\n\n> old: text"), name, &refusal));
	assert_string_equal(name, "guide-2");
	assert_false(inform_read_request(VIEW("Request:\n"), name, &refusal));
}

static void request_for_what_can_be_no_name_is_for_nothing(void **state)
{
	static const char *const none[] = {"Request: No Name!", "Request: ../x", "Request: GUIDE",
	    "Request: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char name[STORE_ID_SIZE];
	struct refusal refusal;
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_true(inform_read_request(view_of(none[i]), name, &refusal));
		assert_string_equal(name, "");
	}
}

/* One contact of a member, in a group, with a certificate: all that the entitlement needs. */
struct case_of {
	struct member member;
	struct contact contact;
	struct certificate certificate;
	const char *agreement;
	struct group_entry entry;
};

static struct case_of good_case(void)
{
	return (struct case_of){
	    .member = {.id = "us", .state = "active"},
	    .contact = {.id = 7,
		.member = "us",
		.address = "a@us.example",
		.fingerprint = "F",
		.clearance = "AMBER"},
	    .certificate = {.state = "confirmed"},
	    .agreement = "",
	    .entry = {.group = "energy", .entry = "us"},
	};
}

static bool may(const struct case_of *c, const char *audience, enum tlp label)
{
	char reason[STORE_REASON_SIZE];
	const struct people people = {&c->member, 1, &c->contact, 1, &c->entry, 1};
	const bool result = inform_may_have(&people, &c->contact, &c->certificate, c->agreement,
	    view_of(audience), label, 1000, reason);
	assert_true(result == (reason[0] == '\0'));
	return result;
}

static void material_is_for_its_group_member_or_all(void **state)
{
	const struct case_of c = good_case();
	(void)state;
	assert_true(may(&c, "all", TLP_AMBER));
	assert_true(may(&c, "us", TLP_AMBER));
	assert_true(may(&c, "energy", TLP_AMBER));
	assert_false(may(&c, "water", TLP_AMBER));
	assert_false(may(&c, "fr", TLP_CLEAR));
}

static void material_needs_clearance(void **state)
{
	const struct case_of c = good_case();
	(void)state;
	assert_false(may(&c, "all", TLP_AMBER_STRICT));
	assert_false(may(&c, "all", TLP_RED));
}

static void material_needs_an_active_member_and_a_usable_certificate(void **state)
{
	struct case_of c = good_case();
	(void)state;
	strcpy(c.member.state, "suspended");
	assert_false(may(&c, "all", TLP_CLEAR));
	c = good_case();
	strcpy(c.member.state, "left");
	assert_false(may(&c, "all", TLP_CLEAR));
	c = good_case();
	c.contact.removed = true;
	assert_false(may(&c, "all", TLP_CLEAR));
	c = good_case();
	c.certificate.facts.encryption_expires = 999;
	assert_false(may(&c, "all", TLP_CLEAR));
	c = good_case();
	c.agreement = "agreement version 1 is not signed";
	assert_false(may(&c, "all", TLP_CLEAR));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_report_is_read),
	    cmocka_unit_test(report_is_amber_and_about_nothing_unless_it_says_otherwise),
	    cmocka_unit_test(bad_reports_are_refused_by_line),
	    cmocka_unit_test(blocks_with_empty_lines_are_read_whole),
	    cmocka_unit_test(field_of_an_advisory_is_refused_in_other_blocks),
	    cmocka_unit_test(reply_names_its_report),
	    cmocka_unit_test(request_names_a_material),
	    cmocka_unit_test(request_for_what_can_be_no_name_is_for_nothing),
	    cmocka_unit_test(material_is_for_its_group_member_or_all),
	    cmocka_unit_test(material_needs_clearance),
	    cmocka_unit_test(material_needs_an_active_member_and_a_usable_certificate),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_inform", tests, NULL, NULL);
}
