/* What the dates of signatures say of our clock. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/witness.h"

enum { SKEW = 300, MOST = 8, NO_MORE = -999999 };

static struct witness_verdict judge(const int64_t *given)
{
	int64_t ahead[MOST];
	size_t count = 0;
	while (given[count] != NO_MORE) {
		ahead[count] = given[count];
		count++;
	}
	return witness_judge(ahead, count, SKEW);
}

#define EXPECT(expected, by, ...)                                                                  \
	do {                                                                                       \
		const struct witness_verdict verdict = judge((const int64_t[]){__VA_ARGS__});      \
		assert_int_equal(verdict.word, expected);                                       \
		assert_int_equal(verdict.off, by);                                                 \
	} while (0)

static void without_mail_nothing_is_known(void **state)
{
	(void)state;
	EXPECT(WITNESS_NOTHING, 0, NO_MORE);
}

static void mail_that_was_signed_shortly_before_it_came_agrees(void **state)
{
	(void)state;
	EXPECT(WITNESS_LEVEL, 0, -3, NO_MORE);
	EXPECT(WITNESS_LEVEL, 0, -3, SKEW, -7000, NO_MORE);
	EXPECT(WITNESS_LEVEL, 0, -7000, -8000, NO_MORE); /* mail that took its time */
}

static void one_signer_ahead_may_be_either(void **state)
{
	(void)state;
	EXPECT(WITNESS_EITHER, 900, 900, NO_MORE);
}

static void one_signer_ahead_among_others_is_wrong(void **state)
{
	(void)state;
	EXPECT(WITNESS_THEIRS, 900, 900, -3, NO_MORE);
	EXPECT(WITNESS_THEIRS, 86400, -3, -90, 86400, NO_MORE);
	EXPECT(WITNESS_THEIRS, 900, 900, 700, -1, -2, -3, NO_MORE);
}

static void several_ahead_show_that_ours_is_slow_by_about_what_they_are(void **state)
{
	(void)state;
	EXPECT(WITNESS_SLOW, 597, 598, 597, NO_MORE);
	EXPECT(WITNESS_SLOW, 590, 590, 599, 400, NO_MORE);
	EXPECT(WITNESS_SLOW, 599, 31536000, 599, 590, NO_MORE); /* one of them is wrong as well */
	EXPECT(WITNESS_SLOW, 580, 590, 580, -20, -7000, NO_MORE); /* mail that was long under way */
}

static void all_that_is_old_when_it_comes_shows_that_ours_is_fast(void **state)
{
	(void)state;
	EXPECT(WITNESS_FAST, 3600, -3600, -3700, -9000, NO_MORE);
	EXPECT(WITNESS_LEVEL, 0, -3600, -3700, NO_MORE); /* too few */
	EXPECT(WITNESS_LEVEL, 0, -3600, -3700, -9000, -5, NO_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_mail_nothing_is_known),
	    cmocka_unit_test(mail_that_was_signed_shortly_before_it_came_agrees),
	    cmocka_unit_test(one_signer_ahead_may_be_either),
	    cmocka_unit_test(one_signer_ahead_among_others_is_wrong),
	    cmocka_unit_test(several_ahead_show_that_ours_is_slow_by_about_what_they_are),
	    cmocka_unit_test(all_that_is_old_when_it_comes_shows_that_ours_is_fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
