/* What a report of failure means. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/bounced.h"

static void what_it_says_decides(void **state)
{
	static const struct {
		const char *action, *status, *diagnostic;
		enum bounced verdict;
	} table[] = {
	    {"failed", "5.1.1", "", BOUNCED_FAILED},
	    {"failed", "4.4.7", "", BOUNCED_GIVEN_UP},
	    {"failed", "", "550 User unknown", BOUNCED_FAILED},
	    {"failed", "", "421 out of memory", BOUNCED_GIVEN_UP},
	    {"failed", "", "5 lines", BOUNCED_FAILED},
	    {"failed", "", "not listed in the directory", BOUNCED_FAILED},
	    {"failed", "2.0.0", "", BOUNCED_UNREADABLE},
	    {"failed", "", "", BOUNCED_UNREADABLE},
	    {"delayed", "4.4.1", "", BOUNCED_NOTED},
	    {"delayed", "5.4.1", "", BOUNCED_NOTED},
	    {"relayed", "2.0.0", "", BOUNCED_NOTED},
	    {"delivered", "2.0.0", "", BOUNCED_NOTED},
	    {"delivered", "5.0.0", "", BOUNCED_NOTED},
	    {"expanded", "2.0.0", "", BOUNCED_NOTED},
	    {"", "5.1.1", "", BOUNCED_UNREADABLE},
	    {"", "", "", BOUNCED_UNREADABLE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct mail_bounce bounce = {.action = ""};
		strcpy(bounce.action, table[i].action);
		strcpy(bounce.status, table[i].status);
		strcpy(bounce.diagnostic, table[i].diagnostic);
		if (bounced_judge(&bounce, false) != table[i].verdict)
			fail_msg("%s %s %s", table[i].action, table[i].status, table[i].diagnostic);
	}
}

/* Who wrote it matters only where nothing else is known: a failure stays one. */
static void what_says_nothing_is_a_failure_unless_somebody_answered(void **state)
{
	static const enum mail_writer writers[] = {
	    MAIL_WRITER_UNKNOWN, MAIL_WRITER_SYSTEM, MAIL_WRITER_AUTOMATIC};
	static const enum bounced verdicts[][2] = {{BOUNCED_UNREADABLE, BOUNCED_WRITTEN},
	    {BOUNCED_UNREADABLE, BOUNCED_UNREADABLE}, {BOUNCED_AUTOMATIC, BOUNCED_AUTOMATIC}};
	(void)state;
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
		struct mail_bounce bounce = {.writer = writers[i]};
		assert_int_equal(bounced_judge(&bounce, false), verdicts[i][0]);
		assert_int_equal(bounced_judge(&bounce, true), verdicts[i][1]);
		strcpy(bounce.action, "failed");
		strcpy(bounce.status, "5.1.1");
		assert_int_equal(bounced_judge(&bounce, true), BOUNCED_FAILED);
	}
}

static void reason_is_status_and_what_the_server_said(void **state)
{
	char reason[STORE_REASON_SIZE];
	struct mail_bounce bounce = {.status = "5.1.1", .diagnostic = "550 no such user"};
	(void)state;
	bounced_reason(BOUNCED_FAILED, &bounce, reason);
	assert_string_equal(reason, "5.1.1: 550 no such user");
	bounced_reason(BOUNCED_UNREADABLE, &bounce, reason);
	assert_string_equal(reason, "came back, reason unreadable");
	bounce.status[0] = '\0';
	bounced_reason(BOUNCED_FAILED, &bounce, reason);
	assert_string_equal(reason, "550 no such user");
	strcpy(bounce.status, "5.1.1");
	bounce.diagnostic[0] = '\0';
	bounced_reason(BOUNCED_FAILED, &bounce, reason);
	assert_string_equal(reason, "5.1.1");
	memset(bounce.diagnostic, 'x', sizeof bounce.diagnostic - 1);
	bounced_reason(BOUNCED_FAILED, &bounce, reason);
	assert_true(strlen(reason) < STORE_REASON_SIZE);
}

static void whom_the_publisher_took_away_replaces_nobody(void **state)
{
	struct buf out = BUF_EMPTY(BUF_SMALL);
	(void)state;
	bounced_may_replace("energy, -us-de ,- spare@fr.example, fr", &out);
	assert_string_equal(buf_text(&out), "all, -us-de, - spare@fr.example");
	buf_release(&out);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_says_decides),
	    cmocka_unit_test(what_says_nothing_is_a_failure_unless_somebody_answered),
	    cmocka_unit_test(reason_is_status_and_what_the_server_said),
	    cmocka_unit_test(whom_the_publisher_took_away_replaces_nobody),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_bounced", tests, NULL, NULL);
}
