#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/figures.h"

enum { RELEASED = 1000, DEADLINE = 2000 };

static struct stat_row row_of(int64_t advisory, bool reached, int64_t acknowledged_at)
{
	return (struct stat_row){
	    .advisory = advisory,
	    .member = "us",
	    .reached = reached,
	    .released_at = RELEASED,
	    .acknowledge_by = DEADLINE,
	    .acknowledged_at = acknowledged_at,
	};
}

static void add(struct figures *figures, struct stat_row row)
{
	figures_add(figures, &row);
}

static void recipients_and_advisories_are_counted(void **state)
{
	struct figures figures = {0};
	(void)state;
	add(&figures, row_of(7, true, 0));
	add(&figures, row_of(7, false, 0));
	add(&figures, row_of(8, true, 0));
	assert_int_equal(figures.advisories, 2);
	assert_int_equal(figures.recipients, 3);
	assert_int_equal(figures.reached, 2);
	assert_int_equal(figures.asked, 2);
	assert_int_equal(figures.acknowledged, 0);
	figures_release(&figures);
}

static void answer_at_the_deadline_is_in_time_and_later_is_not(void **state)
{
	struct figures figures = {0};
	struct stat_row free_of_it = row_of(9, true, DEADLINE);
	(void)state;
	free_of_it.acknowledge_by = 0;
	add(&figures, row_of(7, true, DEADLINE));
	add(&figures, row_of(7, true, DEADLINE + 1));
	add(&figures, free_of_it);
	assert_int_equal(figures.acknowledged, 3);
	assert_int_equal(figures.asked, 2);
	assert_int_equal(figures.in_time, 1);
	figures_release(&figures);
}

static void median_is_the_middle_one_or_the_mean_of_two(void **state)
{
	struct figures figures = {0};
	(void)state;
	assert_int_equal(figures_median(&figures), -1);
	add(&figures, row_of(7, true, RELEASED + 900));
	add(&figures, row_of(7, true, RELEASED + 10));
	assert_int_equal(figures_median(&figures), 455);
	add(&figures, row_of(7, true, RELEASED + 20));
	assert_int_equal(figures_median(&figures), 20);
	for (int i = 0; i < 200; i++)
		add(&figures, row_of(7, true, RELEASED + 500));
	assert_int_equal(figures_median(&figures), 500);
	figures_release(&figures);
}

static void drill_is_a_drill_whatever_else_it_is(void **state)
{
	struct stat_row row = row_of(7, true, 0);
	(void)state;
	assert_int_equal(figures_kind_of(&row), FIGURES_ADVISORY);
	row.bulletin = true;
	assert_int_equal(figures_kind_of(&row), FIGURES_BULLETIN);
	row.exercise = true;
	assert_int_equal(figures_kind_of(&row), FIGURES_EXERCISE);
	row.bulletin = false;
	assert_int_equal(figures_kind_of(&row), FIGURES_EXERCISE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recipients_and_advisories_are_counted),
	    cmocka_unit_test(answer_at_the_deadline_is_in_time_and_later_is_not),
	    cmocka_unit_test(median_is_the_middle_one_or_the_mean_of_two),
	    cmocka_unit_test(drill_is_a_drill_whatever_else_it_is),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_figures", tests, NULL, NULL);
}
