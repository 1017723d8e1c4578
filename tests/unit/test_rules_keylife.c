#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/keylife.h"

enum { NOW = 1795629600, DAY = 86400 };

static void stage_is_the_one_with_the_fewest_days_that_holds(void **state)
{
	(void)state;
	assert_int_equal(keylife_stage(NOW + 30 * DAY + 1, NOW), KEYLIFE_UNTOLD);
	assert_int_equal(keylife_stage(NOW + 30 * DAY, NOW), KEYLIFE_MONTH);
	assert_int_equal(keylife_stage(NOW + 7 * DAY + 1, NOW), KEYLIFE_MONTH);
	assert_int_equal(keylife_stage(NOW + 7 * DAY, NOW), KEYLIFE_WEEK);
	assert_int_equal(keylife_stage(NOW + DAY + 1, NOW), KEYLIFE_WEEK);
	assert_int_equal(keylife_stage(NOW + DAY, NOW), KEYLIFE_DAY);
	assert_int_equal(keylife_stage(NOW + 1, NOW), KEYLIFE_DAY);
	assert_int_equal(keylife_stage(NOW, NOW), KEYLIFE_EXPIRED);
	assert_int_equal(keylife_stage(NOW - 400 * DAY, NOW), KEYLIFE_EXPIRED);
}

static void key_without_expiry_has_no_stage(void **state)
{
	(void)state;
	assert_int_equal(keylife_stage(0, NOW), KEYLIFE_UNTOLD);
	assert_false(keylife_is_due(0, NOW, KEYLIFE_UNTOLD));
}

static void each_stage_is_told_once_and_none_before_a_later_one(void **state)
{
	(void)state;
	assert_true(keylife_is_due(NOW + 20 * DAY, NOW, KEYLIFE_UNTOLD));
	assert_false(keylife_is_due(NOW + 20 * DAY, NOW, KEYLIFE_MONTH));
	assert_true(keylife_is_due(NOW + 5 * DAY, NOW, KEYLIFE_MONTH));
	assert_false(
	    keylife_is_due(NOW + 20 * DAY, NOW, KEYLIFE_WEEK)); /* the clock was set back */
	assert_true(keylife_is_due(NOW - DAY, NOW, KEYLIFE_UNTOLD)); /* after an outage */
	assert_false(keylife_is_due(NOW - DAY, NOW, KEYLIFE_EXPIRED));
}

static struct opened signed_by(struct certificate *certificate, enum signature_status status)
{
	struct opened opened = {.readable = true, .signature_count = 1};
	*certificate = (struct certificate){.shard = 1};
	snprintf(certificate->state, sizeof certificate->state, "confirmed");
	snprintf(certificate->facts.fingerprint, sizeof certificate->facts.fingerprint, "ABCD");
	opened.signatures[0].status = status;
	opened.signatures[0].created = NOW;
	snprintf(opened.signatures[0].fingerprint, sizeof opened.signatures[0].fingerprint, "ABCD");
	return opened;
}

static bool counts(enum signature_status status, bool *expired)
{
	struct certificate certificate;
	const struct opened opened = signed_by(&certificate, status);
	return keylife_fault(&opened, &certificate, NOW, 60, expired) == UNCOUNTED_NOT;
}

static void signature_by_an_expired_key_counts_for_a_renewal(void **state)
{
	bool expired = false;
	(void)state;
	assert_true(counts(SIGNATURE_GOOD, &expired));
	assert_false(expired);
	assert_true(counts(SIGNATURE_KEY_EXPIRED, &expired));
	assert_true(expired);
}

static void signature_that_is_bad_otherwise_counts_for_nothing(void **state)
{
	static const enum signature_status others[] = {SIGNATURE_KEY_REVOKED, SIGNATURE_EXPIRED,
	    SIGNATURE_UNKNOWN_KEY, SIGNATURE_WEAK, SIGNATURE_BAD};
	bool expired;
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(counts(others[i], &expired));
}

static void expired_key_of_a_retired_certificate_counts_for_nothing(void **state)
{
	struct certificate certificate;
	bool expired;
	struct opened opened = signed_by(&certificate, SIGNATURE_KEY_EXPIRED);
	(void)state;
	snprintf(certificate.state, sizeof certificate.state, "retired");
	assert_int_not_equal(keylife_fault(&opened, &certificate, NOW, 60, &expired), UNCOUNTED_NOT);
	opened = signed_by(&certificate, SIGNATURE_KEY_EXPIRED);
	opened.signature_count = 2;
	assert_int_not_equal(keylife_fault(&opened, &certificate, NOW, 60, &expired), UNCOUNTED_NOT);
	opened = signed_by(&certificate, SIGNATURE_KEY_EXPIRED);
	snprintf(opened.signatures[0].fingerprint, sizeof opened.signatures[0].fingerprint, "FFFF");
	assert_int_not_equal(keylife_fault(&opened, &certificate, NOW, 60, &expired), UNCOUNTED_NOT);
}

static void only_key_update_is_a_control_block_about_keys(void **state)
{
	struct refusal refusal = {.line = 0};
	struct view text;
	(void)state;
	assert_true(keylife_read(VIEW("key: UPDATE\n\n> Key: replace\nrest"), &text, &refusal));
	assert_true(view_is(text, "> Key: replace\nrest"));
	assert_false(keylife_read(VIEW("Key: replace\n"), &text, &refusal));
	assert_int_equal(refusal.line, 1);
	assert_false(keylife_read(VIEW("Key: update\nFingerprint: 00\n"), &text, &refusal));
	assert_int_equal(refusal.line, 2);
	assert_false(keylife_read(VIEW(""), &text, &refusal));
}

static void binary_certificate_is_known_by_its_first_octet(void **state)
{
	(void)state;
	assert_true(keylife_is_binary(VIEW("\xc6\x33\x04")));
	assert_true(keylife_is_binary(VIEW("\x98\x33\x04")));
	assert_false(keylife_is_binary(VIEW("text")) || keylife_is_binary(VIEW("")));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stage_is_the_one_with_the_fewest_days_that_holds),
	    cmocka_unit_test(key_without_expiry_has_no_stage),
	    cmocka_unit_test(each_stage_is_told_once_and_none_before_a_later_one),
	    cmocka_unit_test(signature_by_an_expired_key_counts_for_a_renewal),
	    cmocka_unit_test(signature_that_is_bad_otherwise_counts_for_nothing),
	    cmocka_unit_test(expired_key_of_a_retired_certificate_counts_for_nothing),
	    cmocka_unit_test(only_key_update_is_a_control_block_about_keys),
	    cmocka_unit_test(binary_certificate_is_known_by_its_first_octet),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_keylife", tests, NULL, NULL);
}
