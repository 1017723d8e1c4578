#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/retry.h"

static const struct retry_times TIMES = {.first = 60, .most = 3600, .give_up = 86400};

static void pause_doubles_from_the_first_to_the_longest(void **state)
{
	static const int64_t pauses[] = {60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};
	(void)state;
	for (int64_t i = 0; i < (int64_t)(sizeof pauses / sizeof pauses[0]); i++) {
		int64_t next = 0;
		assert_true(retry_next(&TIMES, i + 1, 1000, 2000, &next));
		assert_int_equal(next, 2000 + pauses[i]);
	}
}

static void very_many_attempts_do_not_overflow(void **state)
{
	int64_t next = 0;
	(void)state;
	assert_true(retry_next(&TIMES, INT64_MAX, 1000, 2000, &next));
	assert_int_equal(next, 2000 + 3600);
}

static void first_pause_longer_than_the_longest_is_cut(void **state)
{
	static const struct retry_times times = {.first = 600, .most = 60, .give_up = 86400};
	int64_t next = 0;
	(void)state;
	assert_true(retry_next(&times, 1, 1000, 2000, &next));
	assert_int_equal(next, 2060);
	static const struct retry_times odd = {.first = 60, .most = 119, .give_up = 86400};
	assert_true(retry_next(&odd, 2, 1000, 2000, &next));
	assert_int_equal(next, 2119);
}

static void it_gives_up_when_the_time_is_over_and_not_a_second_sooner(void **state)
{
	int64_t next;
	(void)state;
	assert_true(retry_next(&TIMES, 30, 1000, 1000 + 86399, &next));
	assert_false(retry_next(&TIMES, 30, 1000, 1000 + 86400, &next));
	assert_false(retry_next(&TIMES, 1, 1000, 1000 + 86401, &next));
}

static void last_attempt_is_at_the_deadline(void **state)
{
	int64_t next = 0;
	(void)state;
	assert_true(retry_next(&TIMES, 30, 1000, 1000 + 86000, &next));
	assert_int_equal(next, 1000 + 86400);
}

static void what_was_never_tried_is_never_given_up(void **state)
{
	int64_t next = 0;
	(void)state;
	assert_true(retry_next(&TIMES, 1, 0, 2000000000, &next));
	assert_int_equal(next, 2000000060);
}

static void clock_set_back_does_not_end_a_delivery(void **state)
{
	int64_t next = 0;
	(void)state;
	assert_true(retry_next(&TIMES, 1, 5000, 4000, &next));
	assert_int_equal(next, 4060);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pause_doubles_from_the_first_to_the_longest),
	    cmocka_unit_test(very_many_attempts_do_not_overflow),
	    cmocka_unit_test(first_pause_longer_than_the_longest_is_cut),
	    cmocka_unit_test(it_gives_up_when_the_time_is_over_and_not_a_second_sooner),
	    cmocka_unit_test(last_attempt_is_at_the_deadline),
	    cmocka_unit_test(what_was_never_tried_is_never_given_up),
	    cmocka_unit_test(clock_set_back_does_not_end_a_delivery),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_retry", tests, NULL, NULL);
}
