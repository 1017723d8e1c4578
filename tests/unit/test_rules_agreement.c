#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/agreement.h"

enum { DAY = 86400, NOW = 1795600000 };

static void add(struct agreement_standing *standing, int64_t version, int64_t required_from,
    int64_t expires, const char *answer)
{
	struct agreement_row *row = &standing->rows[standing->count++];
	*row = (struct agreement_row){
	    .version = version, .required_from = required_from, .expires = expires};
	snprintf(row->answer, sizeof row->answer, "%s", answer);
}

static void suffices(const struct agreement_standing *standing, int64_t now)
{
	char reason[STORE_REASON_SIZE] = "left over";
	if (!agreement_suffices(standing, now, reason))
		fail_msg("not enough: %s", reason);
	assert_string_equal(reason, "");
}

static void lacks(const struct agreement_standing *standing, int64_t now, const char *why)
{
	char reason[STORE_REASON_SIZE] = "";
	assert_false(agreement_suffices(standing, now, reason));
	if (strstr(reason, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reason, why);
}

static void without_a_version_nothing_is_needed(void **state)
{
	const struct agreement_standing standing = {.count = 0};
	(void)state;
	suffices(&standing, NOW);
	assert_int_equal(agreement_in_force(&standing, NOW), 0);
}

static void first_version_is_needed_from_its_date_on(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 1, NOW, 0, "");
	suffices(&standing, NOW - 1);
	lacks(&standing, NOW, "agreement version 1 is not signed");
	snprintf(standing.rows[0].answer, sizeof standing.rows[0].answer, "accept");
	suffices(&standing, NOW);
}

static void version_before_suffices_until_the_date_of_the_new_one(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 2, NOW, 0, "");
	add(&standing, 1, NOW - 9 * DAY, 0, "accept");
	suffices(&standing, NOW - 1);
	assert_int_equal(agreement_in_force(&standing, NOW - 1), 1);
	lacks(&standing, NOW, "agreement version 2 is required since");
	lacks(&standing, NOW, "only version 1 is signed");
	assert_int_equal(agreement_in_force(&standing, NOW), 2);
}

static void later_version_signed_early_suffices(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 2, NOW + DAY, 0, "accept");
	add(&standing, 1, NOW - DAY, 0, "");
	suffices(&standing, NOW);
	assert_int_equal(agreement_signed_version(&standing), 2);
}

static void older_version_never_makes_up_for_the_one_in_force(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 3, NOW - DAY, 0, "");
	add(&standing, 2, NOW - 2 * DAY, 0, "accept");
	add(&standing, 1, NOW - 3 * DAY, 0, "accept");
	lacks(&standing, NOW, "only version 2 is signed");
}

static void signature_on_an_expired_version_is_none(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 1, NOW - 3 * DAY, NOW, "accept");
	suffices(&standing, NOW - 1);
	lacks(&standing, NOW, "agreement version 1 expired on");
}

static void decline_takes_an_acceptance_back(void **state)
{
	struct agreement_standing standing = {.count = 0};
	(void)state;
	add(&standing, 1, NOW - DAY, 0, "decline");
	lacks(&standing, NOW, "agreement version 1 was declined");
	snprintf(standing.rows[0].answer, sizeof standing.rows[0].answer, "leave");
	lacks(&standing, NOW, "agreement version 1 is not signed");
}

static void reminders_come_a_week_and_a_day_before_the_date(void **state)
{
	const int64_t asked = NOW - 30 * DAY;
	(void)state;
	assert_int_equal(agreement_reminders_due(asked, NOW, NOW - 7 * DAY - 1), 0);
	assert_int_equal(agreement_reminders_due(asked, NOW, NOW - 7 * DAY), 1);
	assert_int_equal(agreement_reminders_due(asked, NOW, NOW - DAY - 1), 1);
	assert_int_equal(agreement_reminders_due(asked, NOW, NOW - DAY), 2);
	assert_int_equal(agreement_reminders_due(asked, NOW, NOW), 0);
}

static void nobody_is_reminded_of_what_lay_before_the_first_mail(void **state)
{
	(void)state;
	assert_int_equal(agreement_reminders_due(NOW - 3 * DAY, NOW, NOW - 2 * DAY), 0);
	assert_int_equal(agreement_reminders_due(NOW - 3 * DAY, NOW, NOW - DAY), 1);
	assert_int_equal(agreement_reminders_due(NOW - 100, NOW, NOW - 50), 0);
}

static enum agreement_word word_of(const char *text)
{
	struct reply reply;
	reply_read(view_of(text), VIEW(""), &reply);
	const enum agreement_word word = agreement_read(&reply);
	buf_release(&reply.comment);
	return word;
}

static void first_line_of_the_sender_decides(void **state)
{
	static const struct {
		const char *text;
		enum agreement_word word;
	} rows[] = {
	    {"accept\n", AGREEMENT_ACCEPT},
	    {"ACCEPT.\n\nRegards\n", AGREEMENT_ACCEPT},
	    {"\n\n  Agree!\n", AGREEMENT_ACCEPT},
	    {"I agree\n", AGREEMENT_ACCEPT},
	    {"i accept.\n", AGREEMENT_ACCEPT},
	    {"*I accept*\n", AGREEMENT_ACCEPT},
	    {"\xe2\x80\x9c"
	     "Accept!\xe2\x80\x9d\n",
		AGREEMENT_ACCEPT},
	    {"\xef\xbb\xbfI\xc2\xa0"
	     "agree.\n",
		AGREEMENT_ACCEPT},
	    {"_decline_\n", AGREEMENT_DECLINE},
	    {"\"leave\"\n", AGREEMENT_LEAVE},
	    {"* accept\n", AGREEMENT_SILENT},
	    {"*do not* accept\n", AGREEMENT_SILENT},
	    {"accepted\n", AGREEMENT_ACCEPT},
	    {"decline\n", AGREEMENT_DECLINE},
	    {"I decline.\n", AGREEMENT_DECLINE},
	    {"Leave\n", AGREEMENT_LEAVE},
	    {"I leave.\n", AGREEMENT_LEAVE},
	    {"accept", AGREEMENT_ACCEPT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (word_of(rows[i].text) != rows[i].word)
			fail_msg("\"%s\" is read as \"%s\"", rows[i].text,
			    agreement_word_name(word_of(rows[i].text)));
	}
}

static void anything_else_binds_nobody(void **state)
{
	static const char *const rows[] = {"", "\n", "I do not accept\n", "accept?\n",
	    "accept nothing\n", "thank you\naccept\n", "> accept\n", "> accept\n> Token: X\n",
	    "On Monday, the gateway wrote:\n> accept\n", "acceptance\n", "disagree\n", "leave me\n",
	    "not agreed\n", ".\n", "I \n"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (word_of(rows[i]) != AGREEMENT_SILENT)
			fail_msg("\"%s\" is read as \"%s\"", rows[i],
			    agreement_word_name(word_of(rows[i])));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_version_nothing_is_needed),
	    cmocka_unit_test(first_version_is_needed_from_its_date_on),
	    cmocka_unit_test(version_before_suffices_until_the_date_of_the_new_one),
	    cmocka_unit_test(later_version_signed_early_suffices),
	    cmocka_unit_test(older_version_never_makes_up_for_the_one_in_force),
	    cmocka_unit_test(signature_on_an_expired_version_is_none),
	    cmocka_unit_test(decline_takes_an_acceptance_back),
	    cmocka_unit_test(reminders_come_a_week_and_a_day_before_the_date),
	    cmocka_unit_test(nobody_is_reminded_of_what_lay_before_the_first_mail),
	    cmocka_unit_test(first_line_of_the_sender_decides),
	    cmocka_unit_test(anything_else_binds_nobody),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_agreement", tests, NULL, NULL);
}
