/* When a mail that ended its worker is looked at anew. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rules/tries.h"

static int64_t total(bool claimed, int64_t *count)
{
	int64_t sum = 0, pause;
	*count = TRIES_AT_ONCE;
	for (; tries_next(*count, claimed, &pause); ++*count)
		sum += pause;
	return sum;
}

static void pauses_grow_from_a_minute_to_a_day(void **state)
{
	int64_t last = 0, pause;
	(void)state;
	assert_true(tries_next(TRIES_AT_ONCE, true, &pause));
	assert_int_equal(pause, 60);
	for (int64_t tries = TRIES_AT_ONCE; tries_next(tries, true, &pause); tries++) {
		assert_true(pause > last && pause <= TRIES_LONGEST_S);
		last = pause;
	}
	assert_int_equal(last, TRIES_LONGEST_S);
}

static void what_lasts_over_a_night_costs_no_mail_of_somebody_known(void **state)
{
	int64_t count;
	(void)state;
	assert_true(total(true, &count) > 24 * 3600);
	assert_int_equal(count, TRIES_KNOWN_MOST);
}

static void a_stranger_gets_fewer_and_they_end(void **state)
{
	int64_t count, known;
	(void)state;
	assert_true(total(false, &count) >= 600);
	total(true, &known);
	assert_true(count < known);
	assert_int_equal(count, TRIES_STRANGER_MOST);
}

static void later_tries_have_more_time(void **state)
{
	(void)state;
	assert_int_equal(tries_patience(0), 1);
	assert_true(tries_patience(TRIES_AT_ONCE) > 1);
	assert_true(tries_patience(TRIES_AT_ONCE + 1) > tries_patience(TRIES_AT_ONCE));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pauses_grow_from_a_minute_to_a_day),
	    cmocka_unit_test(what_lasts_over_a_night_costs_no_mail_of_somebody_known),
	    cmocka_unit_test(a_stranger_gets_fewer_and_they_end),
	    cmocka_unit_test(later_tries_have_more_time),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_tries", tests, NULL, NULL);
}
