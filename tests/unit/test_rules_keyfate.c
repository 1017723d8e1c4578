#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/keyfate.h"

/* What gpg and the store said: known and as it was, new and good. */
static const struct certificate_verdict same = {.known = true, .usable = true};
static const struct certificate_verdict renewed = {.known = true, .changed = true, .usable = true};
static const struct certificate_verdict good = {.usable = true};
static const struct certificate_verdict bad = {.reason = "it expired"};
static const struct certificate_verdict partly = {
    .reason = "it is weak", .known = true, .changed = true, .usable = true};
static const struct certificate_verdict revoked = {
    .reason = "it was revoked by its owner", .revoked = true, .known = true, .changed = true};
static const struct certificate_verdict closed = {
    .reason = "the encryption subkey was revoked", .closed = true, .known = true, .changed = true};

static struct keyfate_key keys[4];

static enum keyfate judge(const struct certificate_verdict *own,
    const struct certificate_verdict *first, const struct certificate_verdict *second)
{
	size_t count = 0;
	const struct certificate_verdict *all[] = {first, own, second};
	for (size_t i = 0; i < 3; i++) {
		if (all[i] != NULL)
			keys[count++] = (struct keyfate_key){.verdict = all[i], .own = i == 1};
	}
	return keyfate_judge(keys, count, true);
}

static void own_key_is_unchanged_renewed_or_refused_for_its_reason(void **state)
{
	(void)state;
	assert_int_equal(judge(&same, NULL, NULL), KEYFATE_UNCHANGED);
	assert_int_equal(judge(&renewed, NULL, NULL), KEYFATE_RENEWED);
	assert_int_equal(judge(&bad, NULL, NULL), KEYFATE_REFUSED);
	assert_string_equal(keys[0].reason, "it expired");
	assert_int_equal(judge(&partly, NULL, NULL), KEYFATE_KEPT);
	assert_int_equal(judge(NULL, NULL, NULL), KEYFATE_REFUSED);
}

/* Mail programs attach the key that signs, before or behind the new one. */
static void new_key_waits_wherever_the_old_one_stands(void **state)
{
	(void)state;
	assert_int_equal(judge(&same, &good, NULL), KEYFATE_WAITS);
	assert_int_equal(keys[0].fate, KEYFATE_WAITS);
	assert_int_equal(keys[1].fate, KEYFATE_UNCHANGED);
	assert_int_equal(judge(&same, NULL, &good), KEYFATE_WAITS);
	assert_int_equal(keys[1].fate, KEYFATE_WAITS);
	assert_int_equal(judge(&renewed, NULL, &good), KEYFATE_WAITS);
	assert_int_equal(keys[0].fate, KEYFATE_RENEWED);
	assert_int_equal(judge(&bad, NULL, &good), KEYFATE_WAITS);
	assert_int_equal(judge(NULL, &good, NULL), KEYFATE_WAITS);
	assert_int_equal(judge(NULL, &good, &bad), KEYFATE_WAITS);
}

static void of_several_new_keys_none_is_taken_and_the_own_one_is(void **state)
{
	(void)state;
	assert_int_equal(judge(NULL, &good, &good), KEYFATE_REFUSED);
	assert_int_equal(judge(&same, &good, &good), KEYFATE_REFUSED);
	assert_int_equal(judge(&renewed, &good, &good), KEYFATE_RENEWED);
	assert_int_equal(keys[0].fate, KEYFATE_REFUSED);
	assert_non_null(strstr(keys[2].reason, "more than one"));
}

static void refused_new_key_is_told_whatever_the_own_one_is(void **state)
{
	(void)state;
	assert_int_equal(judge(&same, &bad, NULL), KEYFATE_REFUSED);
	assert_string_equal(keys[0].reason, "it expired");
	assert_int_equal(judge(&renewed, &bad, NULL), KEYFATE_RENEWED);
	assert_int_equal(keys[0].fate, KEYFATE_REFUSED);
}

static void revocation_holds_whatever_else_there_is(void **state)
{
	(void)state;
	assert_int_equal(judge(&revoked, &good, NULL), KEYFATE_REVOKED);
	assert_int_equal(keys[0].fate, KEYFATE_REFUSED);
	assert_non_null(strstr(keys[0].reason, "revokes the key that signs it"));
	assert_int_equal(judge(&closed, NULL, &bad), KEYFATE_CLOSED);
}

static void key_that_has_expired_vouches_for_none(void **state)
{
	(void)state;
	keys[0] = (struct keyfate_key){.verdict = &renewed, .own = true};
	keys[1] = (struct keyfate_key){.verdict = &good};
	assert_int_equal(keyfate_judge(keys, 2, false), KEYFATE_RENEWED);
	assert_non_null(strstr(keys[1].reason, "cannot vouch"));
}

static void gateways_own_key_and_that_of_others_are_no_new_keys(void **state)
{
	(void)state;
	keys[0] = (struct keyfate_key){.verdict = &good, .gateways = true};
	keys[1] = (struct keyfate_key){.verdict = &same, .own = true};
	keys[2] = (struct keyfate_key){.verdict = &good, .barred = true, .reason = "ask an admin"};
	keys[3] = (struct keyfate_key){.verdict = &good};
	assert_int_equal(keyfate_judge(keys, 2, true), KEYFATE_UNCHANGED);
	assert_int_equal(keys[0].fate, KEYFATE_PASSED_OVER);
	assert_int_equal(keyfate_judge(keys, 3, true), KEYFATE_REFUSED);
	assert_string_equal(keys[2].reason, "ask an admin");
	assert_int_equal(keyfate_judge(keys, 4, true), KEYFATE_WAITS);
	/* Barred by the store when it was to be taken: judged anew, it stays so. */
	keys[3].barred = true;
	assert_int_equal(keyfate_judge(keys, 4, true), KEYFATE_REFUSED);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_key_is_unchanged_renewed_or_refused_for_its_reason),
	    cmocka_unit_test(new_key_waits_wherever_the_old_one_stands),
	    cmocka_unit_test(of_several_new_keys_none_is_taken_and_the_own_one_is),
	    cmocka_unit_test(refused_new_key_is_told_whatever_the_own_one_is),
	    cmocka_unit_test(revocation_holds_whatever_else_there_is),
	    cmocka_unit_test(key_that_has_expired_vouches_for_none),
	    cmocka_unit_test(gateways_own_key_and_that_of_others_are_no_new_keys),
	};
	return cmocka_run_group_tests_name("rules_keyfate", tests, NULL, NULL);
}
