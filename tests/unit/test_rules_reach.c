#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/reach.h"

enum { NOW = 1795629600 }; /* 2026-11-25T18:00:00Z */

static struct contact make_contact(void)
{
	struct contact contact = {.rank = 1};
	snprintf(contact.clearance, sizeof contact.clearance, "AMBER");
	snprintf(contact.fingerprint, sizeof contact.fingerprint, "ABCD");
	return contact;
}

static struct member make_member(const char *state)
{
	struct member member = {.id = "us-de"};
	snprintf(member.state, sizeof member.state, "%s", state);
	return member;
}

static struct certificate make_certificate(const char *state, int64_t expires, int64_t encryption)
{
	struct certificate certificate = {0};
	snprintf(certificate.state, sizeof certificate.state, "%s", state);
	certificate.facts.expires = expires;
	certificate.facts.encryption_expires = encryption;
	return certificate;
}

static void unreachable(const struct contact *contact, const char *member_state,
    const struct certificate *certificate, enum tlp label, const char *why)
{
	char reason[STORE_REASON_SIZE] = "";
	const struct member member = make_member(member_state);
	assert_false(reach_contact(contact, &member, certificate, "", label, NOW, reason));
	assert_string_equal(reason, why);
}

static void contact_whose_signature_on_the_agreement_is_missing_is_not_reached(void **state)
{
	char reason[STORE_REASON_SIZE] = "";
	const struct contact contact = make_contact();
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	static const char *const states[] = {"active", "lapsed"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct member member = make_member(states[i]);
		assert_false(reach_contact(&contact, &member, &certificate,
		    "agreement version 2 is not signed", TLP_CLEAR, NOW, reason));
		assert_string_equal(reason, "agreement version 2 is not signed");
	}
	unreachable(&contact, "lapsed", &certificate, TLP_CLEAR, "the member is lapsed");
}

static void active_cleared_contact_with_a_live_certificate_is_reached(void **state)
{
	char reason[STORE_REASON_SIZE] = "left over";
	const struct contact contact = make_contact();
	const struct member member = make_member("active");
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	(void)state;
	assert_true(reach_contact(&contact, &member, &certificate, "", TLP_AMBER, NOW, reason));
	assert_string_equal(reason, "");
}

static void removed_contact_is_not_reached(void **state)
{
	struct contact contact = make_contact();
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	(void)state;
	contact.removed = true;
	unreachable(&contact, "active", &certificate, TLP_CLEAR, "the contact was removed");
}

static void contact_of_a_member_that_is_not_active_is_not_reached(void **state)
{
	const struct contact contact = make_contact();
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	(void)state;
	unreachable(&contact, "invited", &certificate, TLP_CLEAR, "the member is invited");
	unreachable(&contact, "suspended", &certificate, TLP_CLEAR, "the member is suspended");
	unreachable(&contact, "left", &certificate, TLP_CLEAR, "the member is left");
	unreachable(&contact, "", &certificate, TLP_CLEAR, "the member is ");
}

/* I16. */
static void label_above_the_clearance_is_not_delivered(void **state)
{
	static const char *const clearances[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	const struct member member = make_member("active");
	(void)state;
	for (int clearance = TLP_CLEAR; clearance <= TLP_RED; clearance++) {
		for (int label = TLP_CLEAR; label <= TLP_RED; label++) {
			char reason[STORE_REASON_SIZE];
			char why[STORE_REASON_SIZE];
			struct contact contact = make_contact();
			snprintf(contact.clearance, sizeof contact.clearance, "%s",
			    clearances[clearance]);
			assert_int_equal(reach_contact(&contact, &member, &certificate, "",
					     (enum tlp)label, NOW, reason),
			    label <= clearance);
			snprintf(why, sizeof why, "cleared up to TLP:%s, and this is TLP:%s",
			    clearances[clearance], clearances[label]);
			assert_string_equal(reason, label <= clearance ? "" : why);
		}
	}
}

static void clearance_that_is_no_label_clears_for_nothing(void **state)
{
	static const char *const bad[] = {"", "SECRET", "RED AMBER"};
	const struct certificate certificate = make_certificate("confirmed", 0, 0);
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct contact contact = make_contact();
		char why[128];
		snprintf(contact.clearance, sizeof contact.clearance, "%s", bad[i]);
		snprintf(why, sizeof why, "the clearance is not a TLP label: %s", bad[i]);
		unreachable(&contact, "active", &certificate, TLP_CLEAR, why);
	}
}

static void contact_without_a_certificate_is_not_reached(void **state)
{
	const struct contact contact = make_contact();
	(void)state;
	unreachable(&contact, "active", NULL, TLP_AMBER, "there is no certificate ABCD");
}

static void certificate_must_be_confirmed_and_live(void **state)
{
	static const struct {
		const char *state;
		int64_t expires;
		int64_t encryption;
		const char *why; /* "": it is usable */
	} rows[] = {
	    {"confirmed", 0, 0, ""},
	    {"confirmed", NOW + 1, 0, ""},
	    {"confirmed", 0, NOW + 1, ""},
	    {"confirmed", NOW + 1, NOW + 1, ""},
	    {"confirmed", NOW, 0, "the certificate expired on Wed 25 Nov 2026 18:00 UTC"},
	    {"confirmed", 1, 0, "the certificate expired on Thu 1 Jan 1970 00:00 UTC"},
	    {"confirmed", NOW - 1, NOW - 2, "the certificate expired on Wed 25 Nov 2026 17:59 UTC"},
	    {"confirmed", 0, NOW, "the encryption subkey expired on Wed 25 Nov 2026 18:00 UTC"},
	    {"confirmed", NOW + 9, NOW - 1,
		"the encryption subkey expired on Wed 25 Nov 2026 17:59 UTC"},
	    {"pending", 0, 0, "the certificate is not confirmed yet"},
	    {"pending", 1, 1, "the certificate is not confirmed yet"},
	    {"replaced", 0, 0, "the certificate is replaced"},
	    {"revoked", 0, 0, "the certificate is revoked"},
	    {"", 0, 0, "the certificate is "},
	};
	const struct contact contact = make_contact();
	const struct member member = make_member("active");
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char reason[STORE_REASON_SIZE] = "left over";
		const struct certificate certificate =
		    make_certificate(rows[i].state, rows[i].expires, rows[i].encryption);
		const bool usable = rows[i].why[0] == '\0';
		assert_int_equal(reach_certificate(&certificate, NOW, reason), usable);
		assert_string_equal(reason, rows[i].why);
		assert_int_equal(
		    reach_contact(&contact, &member, &certificate, "", TLP_AMBER, NOW, reason),
		    usable);
		assert_string_equal(reason, rows[i].why);
	}
}

static void longest_reason_fits(void **state)
{
	char reason[STORE_REASON_SIZE];
	struct contact contact = make_contact();
	struct member member = make_member("");
	(void)state;
	memset(member.state, 'x', sizeof member.state - 1);
	assert_false(reach_contact(&contact, &member, NULL, "", TLP_AMBER, NOW, reason));
	assert_int_equal(strlen(reason), strlen("the member is ") + sizeof member.state - 1);
	memset(contact.fingerprint, 'F', sizeof contact.fingerprint - 1);
	contact.fingerprint[sizeof contact.fingerprint - 1] = '\0';
	member = make_member("active");
	assert_false(reach_contact(&contact, &member, NULL, "", TLP_AMBER, NOW, reason));
	assert_non_null(strstr(reason, contact.fingerprint));
}

static void certificate_is_usable_until_the_earlier_expiry(void **state)
{
	static const int64_t rows[][3] = {
	    /* primary, encryption subkey, expected */
	    {0, 0, 0},
	    {5, 0, 5},
	    {0, 5, 5},
	    {5, 9, 5},
	    {9, 5, 5},
	    {5, 5, 5},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct certificate certificate =
		    make_certificate("confirmed", rows[i][0], rows[i][1]);
		assert_int_equal(reach_expires(&certificate), rows[i][2]);
	}
}

static void red_is_for_those_named_by_address_only(void **state)
{
	static const struct {
		const char *audience;
		bool named;
	} rows[] = {
	    {"a@example.org", true},
	    {"all, A@Example.ORG", true},
	    {" a@example.org ,us", true},
	    {"all", false},
	    {"us", false},
	    {"energy", false},
	    {"", false},
	    {"b@example.org", false},
	    {"aa@example.org", false},
	    {"a@example.organic", false},
	    {"a@example.org, -a@example.org", false},
	    {"-a@example.org, a@example.org", false},
	    {"-a@example.org", false},
	    {"all a@example.org", false},
	};
	const struct contact contact = {.member = "us", .address = "a@example.org"};
	char reason[STORE_REASON_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct view audience = view_of(rows[i].audience);
		assert_int_equal(reach_named(TLP_RED, audience, &contact, reason), rows[i].named);
		assert_int_equal(reason[0] == '\0', rows[i].named);
		assert_true(reach_named(TLP_AMBER_STRICT, audience, &contact, reason));
		assert_string_equal(reason, "");
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(contact_whose_signature_on_the_agreement_is_missing_is_not_reached),
	    cmocka_unit_test(active_cleared_contact_with_a_live_certificate_is_reached),
	    cmocka_unit_test(removed_contact_is_not_reached),
	    cmocka_unit_test(contact_of_a_member_that_is_not_active_is_not_reached),
	    cmocka_unit_test(label_above_the_clearance_is_not_delivered),
	    cmocka_unit_test(clearance_that_is_no_label_clears_for_nothing),
	    cmocka_unit_test(contact_without_a_certificate_is_not_reached),
	    cmocka_unit_test(certificate_must_be_confirmed_and_live),
	    cmocka_unit_test(longest_reason_fits),
	    cmocka_unit_test(certificate_is_usable_until_the_earlier_expiry),
	    cmocka_unit_test(red_is_for_those_named_by_address_only),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_reach", tests, NULL, NULL);
}
