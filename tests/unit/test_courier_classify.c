#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/classify.h"

#define ALL_UP_TO_MAIL PHASE_CONNECT, PHASE_MAIL
#define ALL PHASE_CONNECT, PHASE_DOT
#define FROM_MAIL PHASE_MAIL, PHASE_DOT
#define FROM_RCPT PHASE_RCPT, PHASE_DOT

enum meaning { SENT, GONE, TOO_LARGE, LATER, AGAINST_US, DOWN, AMBIGUOUS };

static const struct courier_verdict meanings[] = {
    [SENT] = {COURIER_SENT, COURIER_ABOUT_RECIPIENT, false},
    [GONE] = {COURIER_FAILED, COURIER_ABOUT_RECIPIENT, false},
    [TOO_LARGE] = {COURIER_FAILED, COURIER_ABOUT_MESSAGE, false},
    [LATER] = {COURIER_DEFERRED, COURIER_ABOUT_RECIPIENT, false},
    [AGAINST_US] = {COURIER_DEFERRED, COURIER_ABOUT_GATEWAY, false},
    [DOWN] = {COURIER_DEFERRED, COURIER_ABOUT_GATEWAY, true},
    [AMBIGUOUS] = {COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, true},
};

struct expectation {
	enum courier_phase from;
	enum courier_phase to;
	int code;
	const char *text;
	enum meaning meaning;
};

static void expect(const struct expectation *wanted)
{
	const struct courier_verdict *meaning = &meanings[wanted->meaning];
	for (enum courier_phase phase = wanted->from; phase <= wanted->to; phase++) {
		const struct courier_verdict got =
		    classify(phase, wanted->code, view_of(wanted->text));
		if (got.outcome != meaning->outcome || got.about != meaning->about ||
		    got.smarthost_down != meaning->smarthost_down)
			fail_msg("%s: %d %s gives %d, about %d, down %d", courier_phase_name(phase),
			    wanted->code, wanted->text, (int)got.outcome, (int)got.about,
			    got.smarthost_down);
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
	EXPECT({ALL, 421, "4.3.2 closing", DOWN}, {ALL, 421, "", DOWN});
}

static void broken_connection_is_ambiguous_only_once_the_dot_has_left(void **state)
{
	(void)state;
	EXPECT({PHASE_CONNECT, PHASE_BODY, 0, "", DOWN}, {PHASE_DOT, PHASE_DOT, 0, "", AMBIGUOUS});
}

/* I6. */
static void nothing_said_before_rcpt_fails_a_recipient(void **state)
{
	(void)state;
	EXPECT({ALL_UP_TO_MAIL, 554, "5.7.1 go away", DOWN},
	    {ALL_UP_TO_MAIL, 550, "5.1.8 bad sender", DOWN},
	    {ALL_UP_TO_MAIL, 550, "5.1.1 User unknown", DOWN}, {ALL_UP_TO_MAIL, 500, "what", DOWN},
	    {ALL_UP_TO_MAIL, 454, "4.7.0 no TLS now", DOWN},
	    {ALL_UP_TO_MAIL, 451, "4.3.0 later", DOWN},
	    {ALL_UP_TO_MAIL, 452, "4.3.1 Insufficient system storage", DOWN},
	    {PHASE_AUTH, PHASE_AUTH, 535, "5.7.8 wrong", DOWN});
}

static void authentication_asked_for_late_never_fails_a_recipient(void **state)
{
	(void)state;
	EXPECT({ALL, 530, "5.7.0 authenticate", DOWN}, {ALL, 535, "", DOWN}, {ALL, 538, "", DOWN},
	    {ALL, 550, "5.7.8 credentials", DOWN}, {ALL, 554, "5.7.9 mechanism", DOWN});
}

static void recipient_who_is_not_there_is_final(void **state)
{
	(void)state;
	EXPECT({FROM_RCPT, 550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown", GONE},
	    {FROM_RCPT, 550, "5.1.2 <a@b.example>: Recipient address rejected: Domain not found",
		GONE},
	    {FROM_RCPT, 501, "5.1.3 Bad recipient address syntax", GONE},
	    {FROM_RCPT, 550, "5.1.6 Mailbox has moved", GONE},
	    {FROM_RCPT, 556, "5.1.10 Recipient address has null MX", GONE},
	    {FROM_RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found", GONE},
	    {FROM_RCPT, 550, "5.2.1 The email account that you tried to reach is disabled.", GONE});
}

static void what_is_said_about_the_gateway_is_deferred_whatever_its_first_digit(void **state)
{
	(void)state;
	EXPECT({FROM_RCPT, 554, "5.7.1 <unknown[192.0.2.9]>: Client host rejected: Access denied",
		   AGAINST_US},
	    {FROM_RCPT, 554, "5.7.1 <a@b.example>: Relay access denied", AGAINST_US},
	    {FROM_RCPT, 553, "5.7.1 <s@c.example>: Sender address rejected: not owned by user gw",
		AGAINST_US},
	    {FROM_RCPT, 550, "5.7.54 SMTP; Unable to relay recipient", AGAINST_US},
	    {FROM_RCPT, 550, "5.7.0 Too many messages sent, retry in one hour", AGAINST_US},
	    {FROM_RCPT, 550, "too many messages", AGAINST_US},
	    {FROM_RCPT, 554, "content filter down", AGAINST_US},
	    {FROM_RCPT, 554, "5.6.0 Message content rejected", AGAINST_US},
	    {FROM_RCPT, 550, "5.1.8 <s@c.example>: Sender address rejected: Domain not found",
		AGAINST_US},
	    {FROM_RCPT, 501, "5.1.7 Bad sender address syntax", AGAINST_US},
	    {FROM_RCPT, 552, "5.3.1 Insufficient system storage", AGAINST_US},
	    {FROM_RCPT, 552, "exceeded storage allocation", AGAINST_US},
	    {FROM_RCPT, 554, "5.5.1 Error: no valid recipients", AGAINST_US},
	    {FROM_RCPT, 450, "4.7.1 <gw>: Helo command rejected: Host not found", AGAINST_US},
	    {FROM_RCPT, 452, "4.3.1 Insufficient system storage", AGAINST_US},
	    {FROM_RCPT, 451, "4.7.500 Server busy. Please try again later", AGAINST_US},
	    {FROM_RCPT, 550, "Greylisted, please try again later", AGAINST_US},
	    {FROM_RCPT, 554, "", AGAINST_US}, {FROM_RCPT, 550, "", AGAINST_US});
}

/* Postfix gives smtpd_reject_unlisted_sender the numbers of its recipients. */
static void words_about_the_sender_count_more_than_a_recipients_number(void **state)
{
	(void)state;
	EXPECT({FROM_RCPT, 550, "5.1.0 <s@c.example>: Sender address rejected: User unknown in table",
		   AGAINST_US},
	    {FROM_RCPT, 550, "5.1.1 <s@c.example>: sender address REJECTED: undeliverable address",
		AGAINST_US},
	    {FROM_RCPT, 550, "Sender verify failed", AGAINST_US});
}

static void full_mailbox_is_waited_for(void **state)
{
	(void)state;
	EXPECT({FROM_RCPT, 552, "5.2.2 full", LATER}, {FROM_RCPT, 452, "4.2.2 full", LATER},
	    {FROM_RCPT, 550, "5.2.0 no", LATER}, {FROM_RCPT, 450, "4.2.0 greylisted", LATER},
	    {FROM_RCPT, 450, "4.1.2 Domain not found", LATER},
	    {FROM_RCPT, 450, "4.4.1 cannot be verified", LATER}, {FROM_RCPT, 451, "later", LATER});
}

/* Servers without enhanced codes: the words decide, and only where a recipient was named. */
static void bare_refusal_is_final_only_at_rcpt_and_by_plain_words(void **state)
{
	(void)state;
	EXPECT({PHASE_RCPT, PHASE_RCPT, 550, "No such user here", GONE},
	    {PHASE_RCPT, PHASE_RCPT, 550, "<a@b.example>... User unknown", GONE},
	    {PHASE_RCPT, PHASE_RCPT, 553, "sorry, no mailbox here by that name", GONE},
	    {PHASE_RCPT, PHASE_RCPT, 550, "Unrouteable address", GONE},
	    {PHASE_RCPT, PHASE_RCPT, 550, "5.0.0 <a@b.example>... User unknown", GONE},
	    {PHASE_RCPT, PHASE_RCPT, 550, "5.1.0 Address rejected: no such user", GONE},
	    {PHASE_DATA, PHASE_DOT, 550, "No such user here", AGAINST_US},
	    {PHASE_RCPT, PHASE_RCPT, 550, "Requested action not taken", AGAINST_US},
	    {PHASE_RCPT, PHASE_RCPT, 551, "User not local; please try elsewhere", AGAINST_US},
	    {PHASE_RCPT, PHASE_RCPT, 550, "5.7.1 No such user for you", AGAINST_US},
	    {PHASE_RCPT, PHASE_RCPT, 554, "No such user", AGAINST_US});
}

static void enhanced_code_of_another_class_does_not_count(void **state)
{
	(void)state;
	EXPECT({FROM_RCPT, 550, "4.7.8 odd", AGAINST_US}, {FROM_RCPT, 550, "4.1.1 odd", AGAINST_US},
	    {FROM_RCPT, 550, "4.1.1 no such user", AGAINST_US},
	    {FROM_RCPT, 550, "5.1.11 other", AGAINST_US}, {FROM_RCPT, 550, "say 5.1.1", AGAINST_US});
}

static void too_large_fails_the_message_at_once(void **state)
{
	(void)state;
	EXPECT({FROM_MAIL, 552, "Message size exceeds fixed limit", TOO_LARGE},
	    {FROM_MAIL, 552, "too big", TOO_LARGE}, {FROM_MAIL, 554, "5.3.4 no", TOO_LARGE},
	    {FROM_RCPT, 550, "5.2.3 RESOLVER.RST.RecipSizeLimit", TOO_LARGE},
	    {PHASE_MAIL, PHASE_MAIL, 552, "exceeded storage allocation", DOWN},
	    {PHASE_MAIL, PHASE_MAIL, 552, "5.2.2 no", DOWN},
	    {PHASE_MAIL, PHASE_MAIL, 452, "4.3.4 too big for now", DOWN});
}

static void dialogue_out_of_step_concerns_the_smarthost(void **state)
{
	(void)state;
	EXPECT({PHASE_RCPT, PHASE_DATA, 500, "", DOWN},
	    {PHASE_RCPT, PHASE_DATA, 503, "5.5.1 MAIL first", DOWN});
}

/* I5. */
static void only_a_good_reply_to_the_dot_is_sent(void **state)
{
	(void)state;
	EXPECT({PHASE_DOT, PHASE_DOT, 250, "2.0.0 ok", SENT},
	    {PHASE_DOT, PHASE_DOT, 354, "what", AMBIGUOUS},
	    {PHASE_BODY, PHASE_BODY, 250, "2.0.0 ok", DOWN},
	    {PHASE_DATA, PHASE_DATA, 250, "2.0.0 ok", DOWN},
	    {PHASE_RCPT, PHASE_RCPT, 354, "what", DOWN});
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
	    cmocka_unit_test(recipient_who_is_not_there_is_final),
	    cmocka_unit_test(what_is_said_about_the_gateway_is_deferred_whatever_its_first_digit),
	    cmocka_unit_test(words_about_the_sender_count_more_than_a_recipients_number),
	    cmocka_unit_test(full_mailbox_is_waited_for),
	    cmocka_unit_test(bare_refusal_is_final_only_at_rcpt_and_by_plain_words),
	    cmocka_unit_test(enhanced_code_of_another_class_does_not_count),
	    cmocka_unit_test(too_large_fails_the_message_at_once),
	    cmocka_unit_test(dialogue_out_of_step_concerns_the_smarthost),
	    cmocka_unit_test(only_a_good_reply_to_the_dot_is_sent),
	    cmocka_unit_test(every_number_gets_a_verdict),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_classify", tests, NULL, NULL);
}
