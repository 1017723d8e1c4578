/* Who is reminded when, as pure rules. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/remind.h"

static const int64_t stages[] = {50, 75};
static const struct remind_window window = {1000, 1400, stages, 2};
enum { HALF = 1200, THREE_QUARTERS = 1300, END = 1400 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void stage_is_the_latest_whose_time_has_come(void **state)
{
	(void)state;
	assert_int_equal(remind_stage(&window, 1000), 0);
	assert_int_equal(remind_stage(&window, HALF - 1), 0);
	assert_int_equal(remind_stage(&window, HALF), 50);
	assert_int_equal(remind_stage(&window, THREE_QUARTERS), 75);
	assert_int_equal(remind_stage(&window, END - 1), 75);
	assert_int_equal(remind_stage(&window, END), REMIND_DEADLINE);
	assert_int_equal(remind_stage(&window, END + 100000), REMIND_DEADLINE);
}

static void next_stage_is_the_first_still_to_come(void **state)
{
	(void)state;
	assert_int_equal(remind_next(&window, 1000), HALF);
	assert_int_equal(remind_next(&window, HALF), THREE_QUARTERS);
	assert_int_equal(remind_next(&window, THREE_QUARTERS), END);
	assert_int_equal(remind_next(&window, END), 0);
}

static void without_stages_there_is_the_deadline_alone(void **state)
{
	const struct remind_window bare = {1000, 1400, NULL, 0};
	(void)state;
	assert_int_equal(remind_stage(&bare, END - 1), 0);
	assert_int_equal(remind_stage(&bare, END), REMIND_DEADLINE);
	assert_int_equal(remind_next(&bare, 1000), END);
}

static void by_member_the_first_by_rank_is_reminded(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 1001},
	    {.member = "de", .sent_at = 1001},
	    {.member = "us", .sent_at = 1001},
	};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_MEMBER, HALF, contacts, COUNT(contacts)), 2);
	assert_int_equal(contacts[0].due, 50);
	assert_int_equal(contacts[1].due, 0);
	assert_int_equal(contacts[2].due, 50);
}

static void by_member_who_never_got_it_or_bounced_is_passed_over(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 0},
	    {.member = "de", .sent_at = 1001, .bounced = true},
	    {.member = "de", .sent_at = 1001},
	    {.member = "us", .sent_at = 1001, .bounced = true},
	    {.member = "us", .sent_at = 0},
	};
	(void)state;
	remind_judge(&window, REMIND_MEMBER, HALF, contacts, COUNT(contacts));
	assert_int_equal(contacts[0].due, 0);
	assert_int_equal(contacts[1].due, 0);
	assert_int_equal(contacts[2].due, 50);
	assert_int_equal(contacts[3].due, 50); /* for want of a better */
	assert_int_equal(contacts[4].due, 0);
}

static void by_member_one_answer_ends_it_for_all(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 1001},
	    {.member = "de", .sent_at = 1001, .answered = true},
	};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_MEMBER, END, contacts, COUNT(contacts)), 0);
	assert_int_equal(contacts[0].due, 0);
	assert_false(contacts[0].missing);
}

static void by_contact_everyone_without_an_answer_is_reminded(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 1001},
	    {.member = "de", .sent_at = 1001, .answered = true},
	    {.member = "de", .sent_at = 1001},
	};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_CONTACT, HALF, contacts, COUNT(contacts)), 1);
	assert_int_equal(contacts[0].due, 50);
	assert_int_equal(contacts[1].due, 0);
	assert_int_equal(contacts[2].due, 50);
	assert_false(contacts[1].missing);
}

static void at_the_deadline_all_of_the_member_are_told(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 1001, .reminded = 75},
	    {.member = "de", .sent_at = 1001, .answered = true},
	    {.member = "de", .sent_at = 0},
	    {.member = "us", .sent_at = 1001, .answered = true},
	};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_CONTACT, END, contacts, COUNT(contacts)), 1);
	assert_int_equal(contacts[0].due, REMIND_DEADLINE);
	assert_int_equal(contacts[1].due, REMIND_DEADLINE);
	assert_int_equal(contacts[2].due, 0);
	assert_int_equal(contacts[3].due, 0);
}

static void nobody_is_reminded_twice_at_a_stage(void **state)
{
	struct remind_contact contacts[] = {{.member = "de", .sent_at = 1001, .reminded = 50}};
	(void)state;
	remind_judge(&window, REMIND_MEMBER, THREE_QUARTERS - 1, contacts, 1);
	assert_int_equal(contacts[0].due, 0);
	remind_judge(&window, REMIND_MEMBER, THREE_QUARTERS, contacts, 1);
	assert_int_equal(contacts[0].due, 75);
}

static void clock_that_goes_back_reminds_nobody_again(void **state)
{
	struct remind_contact contacts[] = {
	    {.member = "de", .sent_at = 1001, .reminded = REMIND_DEADLINE}};
	(void)state;
	for (int64_t now = 0; now < 2000; now += 50) {
		remind_judge(&window, REMIND_MEMBER, now, contacts, 1);
		assert_int_equal(contacts[0].due, 0);
	}
}

static void after_an_outage_only_the_latest_stage_is_due(void **state)
{
	struct remind_contact contacts[] = {{.member = "de", .sent_at = 1001}};
	(void)state;
	remind_judge(&window, REMIND_MEMBER, END + 5000, contacts, 1);
	assert_int_equal(contacts[0].due, REMIND_DEADLINE);
}

static void nobody_is_reminded_of_what_came_after_the_stage(void **state)
{
	struct remind_contact contacts[] = {{.member = "de", .sent_at = HALF + 1}};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_MEMBER, HALF + 2, contacts, 1), 1);
	assert_int_equal(contacts[0].due, 0);
	remind_judge(&window, REMIND_MEMBER, THREE_QUARTERS, contacts, 1);
	assert_int_equal(contacts[0].due, 75);
}

static void member_nobody_of_whom_got_it_is_missing(void **state)
{
	struct remind_contact contacts[] = {{.member = "de", .sent_at = 0}};
	(void)state;
	assert_int_equal(remind_judge(&window, REMIND_MEMBER, END, contacts, 1), 1);
	assert_true(contacts[0].missing);
	assert_int_equal(contacts[0].due, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stage_is_the_latest_whose_time_has_come),
	    cmocka_unit_test(next_stage_is_the_first_still_to_come),
	    cmocka_unit_test(without_stages_there_is_the_deadline_alone),
	    cmocka_unit_test(by_member_the_first_by_rank_is_reminded),
	    cmocka_unit_test(by_member_who_never_got_it_or_bounced_is_passed_over),
	    cmocka_unit_test(by_member_one_answer_ends_it_for_all),
	    cmocka_unit_test(by_contact_everyone_without_an_answer_is_reminded),
	    cmocka_unit_test(at_the_deadline_all_of_the_member_are_told),
	    cmocka_unit_test(nobody_is_reminded_twice_at_a_stage),
	    cmocka_unit_test(clock_that_goes_back_reminds_nobody_again),
	    cmocka_unit_test(after_an_outage_only_the_latest_stage_is_due),
	    cmocka_unit_test(nobody_is_reminded_of_what_came_after_the_stage),
	    cmocka_unit_test(member_nobody_of_whom_got_it_is_missing),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_remind", tests, NULL, NULL);
}
