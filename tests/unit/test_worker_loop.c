#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/loop.h"

struct bench {
	struct loop *loop;
	char seen[64]; /* what happened, a letter each */
	int pipe[2];
	int other[2];
	struct loop_watch *watch;
	struct loop_watch *other_watch;
	struct loop_timer *timer;
	int rounds;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	bench->loop = loop_new();
	assert_int_equal(pipe(bench->pipe), 0);
	assert_int_equal(pipe(bench->other), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	loop_free(bench->loop);
	close(bench->pipe[0]);
	close(bench->pipe[1]);
	close(bench->other[0]);
	close(bench->other[1]);
	free(bench);
	return 0;
}

static void note(struct bench *bench, char letter)
{
	const size_t len = strlen(bench->seen);
	if (len + 1 < sizeof bench->seen)
		bench->seen[len] = letter;
}

static void on_a(void *context)
{
	note(context, 'a');
}

static void on_b(void *context)
{
	note(context, 'b');
}

static void on_stop(void *context)
{
	struct bench *bench = context;
	loop_stop(bench->loop);
}

static void run(struct bench *bench)
{
	struct err err;
	assert_int_equal(loop_run(bench->loop, &err), 0);
}

static void timers_come_in_order_of_time_and_then_of_setting(void **state)
{
	struct bench *bench = *state;
	/* Far enough apart that a busy machine does not come between setting two of them. */
	const int64_t begun = clock_monotonic_ms();
	loop_after(bench->loop, 300, on_stop, bench);
	loop_after(bench->loop, 200, on_b, bench);
	loop_after(bench->loop, 50, on_a, bench);
	loop_after(bench->loop, 50, on_b, bench);
	loop_after(bench->loop, -7, on_a, bench);
	run(bench);
	assert_string_equal(bench->seen, "aabb");
	assert_true(clock_monotonic_ms() - begun >= 300);
}

static void cancelled_timer_does_not_come(void **state)
{
	struct bench *bench = *state;
	struct loop_timer *timer = loop_after(bench->loop, 1, on_a, bench);
	loop_after(bench->loop, 5, on_stop, bench);
	loop_timer_cancel(bench->loop, timer);
	loop_timer_cancel(bench->loop, NULL);
	run(bench);
	assert_string_equal(bench->seen, "");
}

static void on_cancel_other(void *context)
{
	struct bench *bench = context;
	loop_timer_cancel(bench->loop, bench->timer);
}

static void timer_may_cancel_another_that_is_due_too(void **state)
{
	struct bench *bench = *state;
	loop_after(bench->loop, 0, on_cancel_other, bench);
	bench->timer = loop_after(bench->loop, 0, on_a, bench);
	loop_after(bench->loop, 5, on_stop, bench);
	usleep(2000);
	run(bench);
	assert_string_equal(bench->seen, "");
}

static void on_readable_stop(void *context, int fd)
{
	struct bench *bench = context;
	assert_int_equal(fd, bench->pipe[0]);
	note(bench, 'r');
	loop_stop(bench->loop);
}

static void on_again(void *context)
{
	struct bench *bench = context;
	bench->rounds++;
	loop_after(bench->loop, 0, on_again, bench);
}

static void timer_that_sets_itself_anew_leaves_time_for_descriptors(void **state)
{
	struct bench *bench = *state;
	loop_after(bench->loop, 0, on_again, bench);
	loop_after(bench->loop, 2000, on_stop, bench);
	loop_watch(bench->loop, bench->pipe[0], on_readable_stop, bench);
	assert_int_equal(write(bench->pipe[1], "x", 1), 1);
	run(bench);
	assert_string_equal(bench->seen, "r");
	assert_true(bench->rounds <= 2);
}

static void on_readable_unwatch(void *context, int fd)
{
	struct bench *bench = context;
	(void)fd;
	note(bench, 'u');
	loop_unwatch(bench->loop, bench->watch);
	loop_unwatch(bench->loop, bench->other_watch);
}

static void watch_removed_in_a_callback_is_called_no_more(void **state)
{
	struct bench *bench = *state;
	bench->watch = loop_watch(bench->loop, bench->pipe[0], on_readable_unwatch, bench);
	bench->other_watch = loop_watch(bench->loop, bench->other[0], on_readable_unwatch, bench);
	assert_int_equal(write(bench->pipe[1], "x", 1), 1);
	assert_int_equal(write(bench->other[1], "x", 1), 1);
	loop_after(bench->loop, 20, on_stop, bench);
	run(bench);
	assert_string_equal(bench->seen, "u");
}

static void hang_up_wakes_the_watch(void **state)
{
	struct bench *bench = *state;
	loop_watch(bench->loop, bench->pipe[0], on_readable_stop, bench);
	loop_after(bench->loop, 2000, on_stop, bench);
	close(bench->pipe[1]);
	bench->pipe[1] = dup(bench->other[1]);
	run(bench);
	assert_string_equal(bench->seen, "r");
}

static void before_sleep_sees_the_results_of_all_callbacks(void **state)
{
	struct bench *bench = *state;
	loop_before_sleep(bench->loop, on_b, bench);
	loop_after(bench->loop, 0, on_a, bench);
	loop_after(bench->loop, 0, on_a, bench);
	loop_after(bench->loop, 30, on_stop, bench);
	usleep(2000);
	run(bench);
	assert_string_equal(bench->seen, "aab");
}

static void many_watches_are_all_served(void **state)
{
	struct bench *bench = *state;
	int pipes[40][2];
	struct loop_watch *watches[40];
	for (int i = 0; i < 40; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		watches[i] = loop_watch(bench->loop, pipes[i][0], on_readable_stop, bench);
	}
	loop_watch(bench->loop, bench->pipe[0], on_readable_stop, bench);
	assert_int_equal(write(bench->pipe[1], "x", 1), 1);
	run(bench);
	assert_string_equal(bench->seen, "r");
	for (int i = 0; i < 40; i++) {
		loop_unwatch(bench->loop, watches[i]);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

int main(int argc, char **argv)
{
#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    LOOP_TEST(timers_come_in_order_of_time_and_then_of_setting),
	    LOOP_TEST(cancelled_timer_does_not_come),
	    LOOP_TEST(timer_may_cancel_another_that_is_due_too),
	    LOOP_TEST(timer_that_sets_itself_anew_leaves_time_for_descriptors),
	    LOOP_TEST(watch_removed_in_a_callback_is_called_no_more),
	    LOOP_TEST(hang_up_wakes_the_watch),
	    LOOP_TEST(before_sleep_sees_the_results_of_all_callbacks),
	    LOOP_TEST(many_watches_are_all_served),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("worker_loop", tests, NULL, NULL);
}
