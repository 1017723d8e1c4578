/* Which time to go by, when the clock was set. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/pace.h"

enum { THEN = 1000000, RAN = 5000, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const struct pace_mark mark = {.now = THEN, .running = RAN, .boot = "one"};

/* Where the clock stands `set` seconds off, after the machine ran for `passed`. */
static struct clock_reading after(int64_t passed, int64_t set)
{
	return (struct clock_reading){
	    .now = THEN + passed + set, .running = RAN + passed, .boot = "one"};
}

static struct clock_reading after_start(int64_t running, int64_t now)
{
	return (struct clock_reading){.now = now, .running = running, .boot = "two"};
}

static void expect(struct clock_reading reading, enum pace pace, int64_t now)
{
	const struct pace_verdict verdict = pace_judge(&mark, &reading);
	assert_int_equal(verdict.pace, pace);
	assert_int_equal(verdict.now, now);
}

static void first_clock_ever_seen_is_believed(void **state)
{
	const struct pace_mark none = {.now = 0};
	const struct clock_reading reading = after(0, 10 * DAY);
	(void)state;
	assert_int_equal(pace_judge(&none, &reading).pace, PACE_STEADY);
	assert_int_equal(pace_judge(&none, &reading).now, reading.now);
}

static void clock_at_the_machines_pace_is_believed_for_any_time(void **state)
{
	(void)state;
	expect(after(0, 0), PACE_STEADY, THEN);
	expect(after(3 * DAY, 0), PACE_STEADY, THEN + 3 * DAY); /* it may have slept */
	expect(after(400 * DAY, 0), PACE_STEADY, THEN + 400 * DAY);
}

static void small_correction_is_believed(void **state)
{
	(void)state;
	expect(after(DAY, PACE_STEP_S), PACE_STEADY, THEN + DAY + PACE_STEP_S);
	expect(after(DAY, -PACE_STEP_S), PACE_STEADY, THEN + DAY - PACE_STEP_S);
}

static void clock_that_jumps_ahead_is_not_believed_and_time_goes_on_at_its_pace(void **state)
{
	(void)state;
	expect(after(0, 3 * DAY), PACE_AHEAD, THEN);
	expect(after(HOUR, 3 * DAY), PACE_AHEAD, THEN + HOUR);
	expect(after(HOUR, PACE_STEP_S + 1), PACE_AHEAD, THEN + HOUR);
	assert_int_equal(pace_judge(&mark, &(struct clock_reading){.now = THEN + 3 * DAY + MINUTE,
						.running = RAN + MINUTE, .boot = "one"}).off,
	    3 * DAY);
}

static void what_the_kernel_says_is_synchronised_is_believed(void **state)
{
	struct clock_reading reading = after(HOUR, 3 * DAY);
	(void)state;
	reading.synchronised = true;
	expect(reading, PACE_STEADY, reading.now);
	assert_true(pace_judge(&mark, &reading).stepped);
	reading = after(HOUR, 1);
	reading.synchronised = true;
	assert_false(pace_judge(&mark, &reading).stepped);
}

static void clock_put_back_is_gone_by_and_known(void **state)
{
	(void)state;
	expect(after(HOUR, -3 * DAY), PACE_BEHIND, THEN + HOUR - 3 * DAY);
}

static void jump_there_and_back_again_leaves_nothing(void **state)
{
	static const int64_t sets[] = {3 * DAY, -3 * DAY, 400 * DAY, -400 * DAY};
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		struct pace_mark kept = mark;
		struct clock_reading reading = after(MINUTE, sets[i]);
		struct pace_verdict verdict = pace_judge(&kept, &reading);
		assert_int_not_equal(verdict.pace, PACE_STEADY);
		pace_renew(&kept, &reading, &verdict);
		reading = after(2 * MINUTE, sets[i]);
		verdict = pace_judge(&kept, &reading); /* still the same */
		assert_int_equal(verdict.off, sets[i]);
		assert_int_equal(verdict.now,
		    sets[i] > 0 ? THEN + 2 * MINUTE : THEN + 2 * MINUTE + sets[i]);
		pace_renew(&kept, &reading, &verdict);
		reading = after(3 * MINUTE, 0);
		verdict = pace_judge(&kept, &reading);
		assert_int_equal(verdict.pace, PACE_STEADY);
		assert_int_equal(verdict.now, THEN + 3 * MINUTE);
	}
}

static void many_small_corrections_are_believed_each(void **state)
{
	struct pace_mark kept = mark;
	(void)state;
	for (int day = 1; day <= 100; day++) {
		const struct clock_reading reading = after(day * (int64_t)DAY, day * 2);
		const struct pace_verdict verdict = pace_judge(&kept, &reading);
		assert_int_equal(verdict.pace, PACE_STEADY);
		pace_renew(&kept, &reading, &verdict);
	}
}

static void machine_that_was_off_for_minutes_is_believed_after_its_start(void **state)
{
	(void)state;
	expect(after_start(MINUTE, THEN + 5 * MINUTE), PACE_STEADY, THEN + 5 * MINUTE);
	expect(after_start(30, THEN + 30 + PACE_START_S), PACE_STEADY, THEN + 30 + PACE_START_S);
}

static void machine_that_was_off_for_days_waits_for_a_word_and_time_goes_on(void **state)
{
	struct clock_reading reading = after_start(2 * MINUTE, THEN + 3 * DAY);
	struct pace_mark kept = mark;
	(void)state;
	expect(reading, PACE_AHEAD, THEN + 2 * MINUTE);
	struct pace_verdict verdict = pace_judge(&kept, &reading);
	assert_true(verdict.started);
	pace_renew(&kept, &reading, &verdict);
	reading = after_start(2 * MINUTE + HOUR, THEN + 3 * DAY + HOUR);
	verdict = pace_judge(&kept, &reading);
	assert_int_equal(verdict.now, THEN + 2 * MINUTE + HOUR);
	reading.synchronised = true; /* a minute after most starts */
	verdict = pace_judge(&kept, &reading);
	assert_int_equal(verdict.now, THEN + 3 * DAY + HOUR);
}

static void machine_whose_clock_forgot_the_time_is_behind(void **state)
{
	(void)state;
	expect(after_start(MINUTE, 100), PACE_BEHIND, 100);
}

static void start_is_known_by_the_running_time_where_the_kernel_does_not_name_it(void **state)
{
	struct clock_reading reading = after_start(MINUTE, THEN + 5 * MINUTE);
	struct pace_mark unnamed = mark;
	(void)state;
	unnamed.boot[0] = '\0';
	assert_true(pace_judge(&unnamed, &reading).started);
	reading.running = RAN + 5 * MINUTE;
	assert_false(pace_judge(&unnamed, &reading).started);
	assert_int_equal(pace_judge(&unnamed, &reading).pace, PACE_STEADY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_clock_ever_seen_is_believed),
	    cmocka_unit_test(clock_at_the_machines_pace_is_believed_for_any_time),
	    cmocka_unit_test(small_correction_is_believed),
	    cmocka_unit_test(clock_that_jumps_ahead_is_not_believed_and_time_goes_on_at_its_pace),
	    cmocka_unit_test(what_the_kernel_says_is_synchronised_is_believed),
	    cmocka_unit_test(clock_put_back_is_gone_by_and_known),
	    cmocka_unit_test(jump_there_and_back_again_leaves_nothing),
	    cmocka_unit_test(many_small_corrections_are_believed_each),
	    cmocka_unit_test(machine_that_was_off_for_minutes_is_believed_after_its_start),
	    cmocka_unit_test(machine_that_was_off_for_days_waits_for_a_word_and_time_goes_on),
	    cmocka_unit_test(machine_whose_clock_forgot_the_time_is_behind),
	    cmocka_unit_test(start_is_known_by_the_running_time_where_the_kernel_does_not_name_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
