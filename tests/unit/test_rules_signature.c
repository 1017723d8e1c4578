#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/signature.h"

enum { NOW = 1800000000, SKEW = 300 };
static const char SIGNER[] = "0123456789ABCDEF0123456789ABCDEF01234567";
static const char OTHER[] = "1123456789ABCDEF0123456789ABCDEF01234567";

static struct opened opened_with(enum signature_status status)
{
	struct opened opened = {.readable = true, .encrypted = true, .signature_count = 1};
	opened.signatures[0].status = status;
	opened.signatures[0].created = NOW - 10;
	snprintf(opened.signatures[0].fingerprint, FINGERPRINT_SIZE, "%s", SIGNER);
	return opened;
}

static struct certificate pinned(void)
{
	struct certificate certificate = {0};
	snprintf(certificate.facts.fingerprint, FINGERPRINT_SIZE, "%s", SIGNER);
	snprintf(certificate.state, sizeof certificate.state, "confirmed");
	return certificate;
}

static void does_not_count(
    const struct opened *opened, const struct certificate *certificate, const char *why)
{
	const enum uncounted fault = signature_fault(opened, certificate, NOW, SKEW);
	assert_int_not_equal(fault, UNCOUNTED_NOT);
	assert_string_equal(uncounted_text(fault), why);
}

static void one_good_signature_by_the_pinned_certificate_counts(void **state)
{
	const struct opened opened = opened_with(SIGNATURE_GOOD);
	const struct certificate certificate = pinned();
	(void)state;
	assert_int_equal(signature_fault(&opened, &certificate, NOW, SKEW), UNCOUNTED_NOT);
}

/* I7. */
static void every_other_status_does_not_count_and_says_why(void **state)
{
	static const struct {
		enum signature_status status;
		const char *why;
	} rows[] = {
	    {SIGNATURE_KEY_EXPIRED, "the signing key had expired"},
	    {SIGNATURE_KEY_REVOKED, "the signing key is revoked"},
	    {SIGNATURE_EXPIRED, "the signature has expired"},
	    {SIGNATURE_UNKNOWN_KEY, "the signing key is unknown"},
	    {SIGNATURE_WEAK, "the signature uses a weak algorithm"},
	    {SIGNATURE_BAD, "the signature is bad"},
	};
	const struct certificate certificate = pinned();
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct opened opened = opened_with(rows[i].status);
		does_not_count(&opened, &certificate, rows[i].why);
	}
}

static void none_and_more_than_one_do_not_count_even_when_good(void **state)
{
	const struct certificate certificate = pinned();
	struct opened opened = opened_with(SIGNATURE_GOOD);
	(void)state;
	opened.signature_count = 0;
	does_not_count(&opened, &certificate, "it is not signed");
	opened.signatures[1] = opened.signatures[0];
	opened.signature_count = 2;
	does_not_count(&opened, &certificate, "it has more than one signature");
	opened.signature_count = UINT32_MAX;
	does_not_count(&opened, &certificate, "it has more than one signature");
}

static void what_cannot_be_read_does_not_count(void **state)
{
	const struct certificate certificate = pinned();
	struct opened opened = opened_with(SIGNATURE_GOOD);
	(void)state;
	opened.readable = false;
	does_not_count(&opened, &certificate, "it cannot be read");
}

static void signature_by_another_certificate_does_not_count(void **state)
{
	static const char why[] = "the signature is not by the pinned certificate";
	struct certificate certificate = pinned();
	struct opened opened = opened_with(SIGNATURE_GOOD);
	(void)state;
	snprintf(certificate.facts.fingerprint, FINGERPRINT_SIZE, "%s", OTHER);
	does_not_count(&opened, &certificate, why);
	certificate = pinned();
	certificate.facts.fingerprint[39] = '\0'; /* all but its last digit */
	does_not_count(&opened, &certificate, why);
	/* Nobody is not a signer, not even where a record is empty. */
	certificate.facts.fingerprint[0] = '\0';
	opened.signatures[0].fingerprint[0] = '\0';
	does_not_count(&opened, &certificate, why);
}

static void certificate_that_is_not_confirmed_signs_nothing(void **state)
{
	static const char *const states[] = {"pending", "replaced", "withdrawn", "", "Confirmed"};
	const struct opened opened = opened_with(SIGNATURE_GOOD);
	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct certificate certificate = pinned();
		snprintf(certificate.state, sizeof certificate.state, "%s", states[i]);
		does_not_count(&opened, &certificate, "the signer's certificate is not confirmed");
	}
}

static void retired_certificate_signs_nothing(void **state)
{
	const struct opened opened = opened_with(SIGNATURE_GOOD);
	struct certificate certificate = pinned();
	(void)state;
	snprintf(certificate.state, sizeof certificate.state, "retired");
	does_not_count(&opened, &certificate, "the signer's certificate is retired");
}

static void date_in_the_future_does_not_count_beyond_the_clock_skew(void **state)
{
	const struct certificate certificate = pinned();
	struct opened opened = opened_with(SIGNATURE_GOOD);
	(void)state;
	opened.signatures[0].created = NOW + SKEW;
	assert_int_equal(signature_fault(&opened, &certificate, NOW, SKEW), UNCOUNTED_NOT);
	opened.signatures[0].created = NOW + SKEW + 1;
	does_not_count(&opened, &certificate, "the signature is dated in the future");
	opened.signatures[0].created = INT64_MAX;
	does_not_count(&opened, &certificate, "the signature is dated in the future");
}

static void only_what_gpg_found_to_be_by_the_key_proves_its_holder(void **state)
{
	const struct certificate certificate = pinned();
	struct opened opened = opened_with(SIGNATURE_WEAK);
	(void)state;
	assert_false(signature_is_by(&opened, &certificate));
	opened.signatures[0].proven = true;
	assert_true(signature_is_by(&opened, &certificate));
	snprintf(opened.signatures[0].fingerprint, FINGERPRINT_SIZE, "%s", OTHER);
	assert_false(signature_is_by(&opened, &certificate));
	opened.signatures[1] = opened_with(SIGNATURE_GOOD).signatures[0];
	opened.signatures[1].proven = true;
	assert_false(signature_is_by(&opened, &certificate)); /* it is not counted */
	opened.signature_count = 2;
	assert_true(signature_is_by(&opened, &certificate));
	opened.signature_count = UINT32_MAX;
	assert_true(signature_is_by(&opened, &certificate));
}

static void every_reason_has_a_name_of_its_own_and_one_that_is_told_says_what_to_change(void **state)
{
	(void)state;
	for (int i = UNCOUNTED_NOT + 1; i < UNCOUNTEDS; i++) {
		const enum uncounted why = (enum uncounted)i;
		assert_int_equal(uncounted_from(uncounted_name(why)), why);
		assert_string_not_equal(uncounted_text(why), "");
		const char *line = uncounted_advice(why);
		while (*line != '\0') {
			const char *end = strchr(line, '\n');
			assert_non_null(end);
			assert_true(end - line <= 76);
			line = end + 1;
		}
	}
	assert_int_equal(uncounted_from("no such reason"), UNCOUNTED_NOT);
	/* Anybody could have written these: they cause no mail. */
	assert_false(uncounted_is_told(UNCOUNTED_UNSIGNED));
	assert_false(uncounted_is_told(UNCOUNTED_UNKNOWN_KEY));
	assert_false(uncounted_is_told(UNCOUNTED_BAD));
	assert_true(uncounted_is_told(UNCOUNTED_WEAK));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_good_signature_by_the_pinned_certificate_counts),
	    cmocka_unit_test(every_other_status_does_not_count_and_says_why),
	    cmocka_unit_test(none_and_more_than_one_do_not_count_even_when_good),
	    cmocka_unit_test(what_cannot_be_read_does_not_count),
	    cmocka_unit_test(signature_by_another_certificate_does_not_count),
	    cmocka_unit_test(certificate_that_is_not_confirmed_signs_nothing),
	    cmocka_unit_test(retired_certificate_signs_nothing),
	    cmocka_unit_test(date_in_the_future_does_not_count_beyond_the_clock_skew),
	    cmocka_unit_test(only_what_gpg_found_to_be_by_the_key_proves_its_holder),
	    cmocka_unit_test(
		every_reason_has_a_name_of_its_own_and_one_that_is_told_says_what_to_change),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_signature", tests, NULL, NULL);
}
