#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/classify.h"

#define ALL_UP_TO_MAIL PHASE_CONNECT, PHASE_MAIL
#define ALL PHASE_CONNECT, PHASE_DOT

struct expectation {
	enum courier_phase from;
	enum courier_phase to;
	int code;
	const char *text;
	enum courier_outcome outcome;
	bool down;
};

static void expect(const struct expectation *wanted)
{
	for (enum courier_phase phase = wanted->from; phase <= wanted->to; phase++) {
		const struct courier_verdict got =
		    classify(phase, wanted->code, view_of(wanted->text));
		if (got.outcome != wanted->outcome || got.smarthost_down != wanted->down)
			fail_msg("%s: %d %s gives %d, down %d", courier_phase_name(phase),
			    wanted->code, wanted->text, (int)got.outcome, got.smarthost_down);
	}
}

static void expect_all(const struct expectation *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(&wanted[i]);
}

#define EXPECT(...)                                                                                \
	static const struct expectation wanted[] = {__VA_ARGS__};                                  \
	expect_all(wanted, sizeof wanted / sizeof wanted[0])

static void goodbye_at_any_step_concerns_the_smarthost(void **state)
{
	(void)state;
	EXPECT({ALL, 421, "4.3.2 closing", COURIER_DEFERRED, true},
	    {ALL, 421, "", COURIER_DEFERRED, true});
}

static void broken_connection_is_ambiguous_only_once_the_dot_has_left(void **state)
{
	(void)state;
	EXPECT({PHASE_CONNECT, PHASE_BODY, 0, "", COURIER_DEFERRED, true},
	    {PHASE_DOT, PHASE_DOT, 0, "", COURIER_AMBIGUOUS, true});
}

static void nothing_said_before_rcpt_fails_a_recipient(void **state)
{
	(void)state;
	EXPECT({ALL_UP_TO_MAIL, 554, "5.7.1 go away", COURIER_DEFERRED, true},
	    {ALL_UP_TO_MAIL, 550, "5.1.8 bad sender", COURIER_DEFERRED, true},
	    {ALL_UP_TO_MAIL, 500, "what", COURIER_DEFERRED, true},
	    {ALL_UP_TO_MAIL, 454, "4.7.0 no TLS now", COURIER_DEFERRED, true},
	    {ALL_UP_TO_MAIL, 451, "4.3.0 later", COURIER_DEFERRED, true},
	    {PHASE_AUTH, PHASE_AUTH, 535, "5.7.8 wrong", COURIER_DEFERRED, true});
}

static void authentication_asked_for_late_never_fails_a_recipient(void **state)
{
	(void)state;
	EXPECT({ALL, 530, "5.7.0 authenticate", COURIER_DEFERRED, true},
	    {ALL, 535, "", COURIER_DEFERRED, true}, {ALL, 538, "", COURIER_DEFERRED, true},
	    {ALL, 550, "5.7.8 credentials", COURIER_DEFERRED, true},
	    {ALL, 554, "5.7.9 mechanism", COURIER_DEFERRED, true});
}

static void enhanced_code_of_another_class_does_not_count(void **state)
{
	(void)state;
	EXPECT({PHASE_RCPT, PHASE_DOT, 550, "4.7.8 odd", COURIER_FAILED, false},
	    {PHASE_RCPT, PHASE_DOT, 550, "5.7.80 other", COURIER_FAILED, false},
	    {PHASE_RCPT, PHASE_DOT, 550, "say 5.7.8", COURIER_FAILED, false});
}

static void too_large_fails_the_message_at_mail(void **state)
{
	(void)state;
	EXPECT({PHASE_MAIL, PHASE_MAIL, 552, "too big", COURIER_FAILED, false},
	    {PHASE_MAIL, PHASE_MAIL, 554, "5.3.4 too big", COURIER_FAILED, false});
}

static void refusal_from_rcpt_on_concerns_this_delivery(void **state)
{
	(void)state;
	EXPECT({PHASE_RCPT, PHASE_DOT, 550, "5.1.1 unknown", COURIER_FAILED, false},
	    {PHASE_RCPT, PHASE_DOT, 554, "5.7.1 no", COURIER_FAILED, false},
	    {PHASE_RCPT, PHASE_DOT, 552, "5.2.2 full", COURIER_FAILED, false},
	    {PHASE_RCPT, PHASE_DOT, 451, "4.7.1 greylisted", COURIER_DEFERRED, false},
	    {PHASE_RCPT, PHASE_DOT, 452, "4.2.2 full", COURIER_DEFERRED, false});
}

static void dialogue_out_of_step_concerns_the_smarthost(void **state)
{
	(void)state;
	EXPECT({PHASE_RCPT, PHASE_DATA, 500, "", COURIER_DEFERRED, true},
	    {PHASE_RCPT, PHASE_DATA, 503, "5.5.1 MAIL first", COURIER_DEFERRED, true});
}

static void only_a_good_reply_to_the_dot_is_sent(void **state)
{
	(void)state;
	EXPECT({PHASE_DOT, PHASE_DOT, 250, "2.0.0 ok", COURIER_SENT, false},
	    {PHASE_DOT, PHASE_DOT, 354, "what", COURIER_AMBIGUOUS, true},
	    {PHASE_BODY, PHASE_BODY, 250, "2.0.0 ok", COURIER_DEFERRED, true},
	    {PHASE_DATA, PHASE_DATA, 250, "2.0.0 ok", COURIER_DEFERRED, true},
	    {PHASE_RCPT, PHASE_RCPT, 354, "what", COURIER_DEFERRED, true});
}

static void every_number_gets_a_verdict(void **state)
{
	(void)state;
	for (int code = -1; code < 1000; code++) {
		for (enum courier_phase phase = PHASE_CONNECT; phase < PHASES; phase++) {
			const struct courier_verdict got = classify(phase, code, VIEW(""));
			if (got.outcome == COURIER_SENT)
				assert_true(phase == PHASE_DOT && code / 100 == 2);
			if (got.outcome == COURIER_FAILED)
				assert_true(phase >= PHASE_MAIL && code / 100 == 5);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(goodbye_at_any_step_concerns_the_smarthost),
	    cmocka_unit_test(broken_connection_is_ambiguous_only_once_the_dot_has_left),
	    cmocka_unit_test(nothing_said_before_rcpt_fails_a_recipient),
	    cmocka_unit_test(authentication_asked_for_late_never_fails_a_recipient),
	    cmocka_unit_test(enhanced_code_of_another_class_does_not_count),
	    cmocka_unit_test(too_large_fails_the_message_at_mail),
	    cmocka_unit_test(refusal_from_rcpt_on_concerns_this_delivery),
	    cmocka_unit_test(dialogue_out_of_step_concerns_the_smarthost),
	    cmocka_unit_test(only_a_good_reply_to_the_dot_is_sent),
	    cmocka_unit_test(every_number_gets_a_verdict),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_classify", tests, NULL, NULL);
}
