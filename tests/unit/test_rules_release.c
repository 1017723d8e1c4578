#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/release.h"

enum { NOW = 1795600000, LINE = 5 };

static struct control control_of(const char *text)
{
	struct control control;
	struct refusal refusal;
	assert_true(control_read(view_of(text), &control, &refusal));
	return control;
}

static void release_more_than_a_year_ahead_is_refused(void **state)
{
	struct control control = control_of("Advisory: new\n");
	struct refusal refusal = {.line = 0};
	(void)state;
	control.release_line = LINE;
	control.release = NOW + RELEASE_MOST_S;
	assert_true(release_time_is_good(&control, NOW, &refusal));
	control.release++;
	assert_false(release_time_is_good(&control, NOW, &refusal));
	assert_int_equal(refusal.line, LINE);
	control.release = INT64_MAX;
	assert_false(release_time_is_good(&control, NOW, &refusal));
}

static void release_in_the_past_is_now(void **state)
{
	struct control control = control_of("Advisory: new\nRelease: 1999-01-01T00:00:00Z\n");
	struct refusal refusal;
	(void)state;
	assert_true(release_time_is_good(&control, NOW, &refusal));
	control.release = NOW;
	assert_true(release_time_is_good(&control, NOW, &refusal));
}

static void withdrawal_never_waits(void **state)
{
	struct control control = control_of("Advisory: withdraw DEW-2026-0001\nApproval: yes\n");
	struct refusal refusal;
	(void)state;
	assert_false(release_needs_approval(CONFIG_APPROVAL_ALWAYS, TLP_RED, &control));
	assert_true(release_time_is_good(&control, NOW, &refusal));
	control.release = NOW + 1;
	assert_false(release_time_is_good(&control, NOW, &refusal));
}

static void bulletin_with_a_deadline_is_refused(void **state)
{
	struct control with = control_of("Advisory: bulletin\nAcknowledge: 4h\n");
	struct control none = control_of("Advisory: bulletin\nAcknowledge: no\n");
	struct refusal refusal;
	(void)state;
	assert_false(bulletin_asks_nothing(true, &with, &refusal));
	assert_int_equal(refusal.line, 2);
	assert_true(bulletin_asks_nothing(false, &with, &refusal));
	assert_true(bulletin_asks_nothing(true, &none, &refusal));
}

static void setting_asks_for_approval_from_its_label_on(void **state)
{
	static const struct {
		enum config_approval setting;
		int least; /* the lowest label that needs approval; above RED: none does */
	} rows[] = {
	    {CONFIG_APPROVAL_NEVER, TLP_RED + 1},
	    {CONFIG_APPROVAL_ALWAYS, TLP_CLEAR},
	    {CONFIG_APPROVAL_RED, TLP_RED},
	    {CONFIG_APPROVAL_AMBER_STRICT, TLP_AMBER_STRICT},
	    {CONFIG_APPROVAL_AMBER, TLP_AMBER},
	    {CONFIG_APPROVAL_GREEN, TLP_GREEN},
	    {CONFIG_APPROVAL_CLEAR, TLP_CLEAR},
	};
	const struct control plain = control_of("Advisory: new\nApproval: no\n");
	const struct control asking = control_of("Advisory: update A-1\nApproval: yes\n");
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int label = TLP_CLEAR; label <= TLP_RED; label++) {
			assert_int_equal(
			    release_needs_approval(rows[i].setting, (enum tlp)label, &plain),
			    label >= rows[i].least);
			assert_true(
			    release_needs_approval(rows[i].setting, (enum tlp)label, &asking));
		}
	}
}

static void decision_has_one_word_and_one_token(void **state)
{
	struct decision decision;
	struct refusal refusal;
	(void)state;
	assert_true(
	    decision_read(VIEW("approve:  ABCDEFGHIJKLMNOP \n\n> quoted"), &decision, &refusal));
	assert_true(decision.approve);
	assert_string_equal(decision.token, "ABCDEFGHIJKLMNOP");
	assert_int_equal(decision.line, 1);
	assert_true(decision_read(VIEW("\nReject: ABC\n\nwrong\n"), &decision, &refusal));
	assert_false(decision.approve);
	assert_int_equal(decision.line, 2);
	assert_true(view_is(decision.text, "wrong"));
	assert_false(decision_read(VIEW("Approve: A\nReject: A\n\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve: A\nApprove: B\n\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve:\n\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve: ABCDEFGHIJKLMNOPQ\n\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve: A\nTLP: RED\n\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve: A\n\nReject: A\n"), &decision, &refusal));
	assert_false(decision_read(VIEW("Approve: A\n\nWell.\nReject: A\n"), &decision, &refusal));
	/* The request as a program without marks for a quotation puts it below. */
	assert_true(decision_read(
	    VIEW("Approve: A\n\nWell.\n\n    Approve: A\n\n    Reject: A\n"), &decision, &refusal));
	assert_true(decision.approve);
}

static void nobody_decides_about_what_they_wrote(void **state)
{
	struct publisher author = {.id = 1, .address = "a@example.org"};
	struct publisher other = {.id = 2, .address = "b@example.org"};
	struct refusal refusal;
	(void)state;
	assert_true(decision_may_be_by(&other, "F2", &author, "F1", LINE, &refusal));
	assert_false(decision_may_be_by(&author, "F2", &author, "F1", LINE, &refusal));
	assert_int_equal(refusal.line, LINE);
	/* The same certificate under another name, the same person entered twice. */
	assert_false(decision_may_be_by(&other, "F1", &author, "F1", LINE, &refusal));
	memcpy(other.address, "A@EXAMPLE.org", sizeof "A@EXAMPLE.org");
	assert_false(decision_may_be_by(&other, "F2", &author, "F1", LINE, &refusal));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(release_more_than_a_year_ahead_is_refused),
	    cmocka_unit_test(release_in_the_past_is_now),
	    cmocka_unit_test(withdrawal_never_waits),
	    cmocka_unit_test(bulletin_with_a_deadline_is_refused),
	    cmocka_unit_test(setting_asks_for_approval_from_its_label_on),
	    cmocka_unit_test(decision_has_one_word_and_one_token),
	    cmocka_unit_test(nobody_decides_about_what_they_wrote),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_release", tests, NULL, NULL);
}
