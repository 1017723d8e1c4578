#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/alike.h"

static bool alike(const char *a, const char *a_said, const char *b, const char *b_said)
{
	const struct refused_one one = {view_of(a), view_of(a_said)};
	const struct refused_one other = {view_of(b), view_of(b_said)};
	assert_int_equal(alike_refused(&one, &other), alike_refused(&other, &one));
	return alike_refused(&one, &other);
}

static void same_words_for_unrelated_recipients_are_alike(void **state)
{
	(void)state;
	assert_true(
	    alike("a@one.example", "RCPT TO: 550 5.1.1 <a@one.example>: User unknown in table",
		"b@two.example", "RCPT TO: 550 5.1.1 <b@two.example>: User unknown in table"));
	assert_true(alike("anna@one.example", "RCPT TO: 550 No such user anna here",
	    "b@two.example", "RCPT TO: 550 No such user b.. here"));
	assert_true(alike("a@one.example", "RCPT TO: 550 5.1.2 Domain one.example not found",
	    "b@two.example", "RCPT TO: 550 5.1.2 Domain two.example not found"));
}

static void what_differs_with_every_mail_does_not_count(void **state)
{
	(void)state;
	assert_true(
	    alike("anna@one.example", "RCPT TO: 550 5.1.1 gone d2e1a72fcca58-7bd si123 - gsmtp",
		"bert@two.example", "RCPT TO: 550 5.1.1 gone 98e67ed59e1d1-311 si9 - gsmtp"));
	assert_true(alike("anna@one.example", "RCPT TO: 550 5.1.10 not found [A1B2 at 10:00:01]",
	    "bert@two.example", "RCPT TO: 550 5.1.10 not found [C3D4 at 10:00:02]"));
}

static void two_of_one_domain_may_be_gone_together(void **state)
{
	(void)state;
	assert_false(alike("anna@gone.example", "RCPT TO: 550 5.1.2 Domain not found",
	    "bert@Gone.example", "RCPT TO: 550 5.1.2 Domain not found"));
}

static void other_codes_or_words_are_not_alike(void **state)
{
	(void)state;
	assert_false(alike("anna@one.example", "RCPT TO: 550 5.1.1 unknown", "bert@two.example",
	    "RCPT TO: 550 5.1.2 unknown"));
	assert_false(alike("anna@one.example", "RCPT TO: 550 5.1.1 unknown", "bert@two.example",
	    "RCPT TO: 553 5.1.1 unknown"));
	assert_false(alike("anna@one.example", "RCPT TO: 550 5.1.1 unknown", "bert@two.example",
	    "RCPT TO: 550 5.1.1 unknown user"));
	assert_false(alike("anna@one.example", "RCPT TO: 550 5.2.1 disabled", "bert@two.example",
	    "RCPT TO: 550 5.2.1 moved"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_words_for_unrelated_recipients_are_alike),
	    cmocka_unit_test(what_differs_with_every_mail_does_not_count),
	    cmocka_unit_test(two_of_one_domain_may_be_gone_together),
	    cmocka_unit_test(other_codes_or_words_are_not_alike),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_alike", tests, NULL, NULL);
}
