/* What a report of failure means. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/bounced.h"

static void only_a_lasting_failure_bounces(void **state)
{
	static const struct {
		const char *action, *status;
		enum bounced verdict;
	} table[] = {
	    {"failed", "5.1.1", BOUNCED_FAILED},
	    {"failed", "4.4.7", BOUNCED_GIVEN_UP},
	    {"failed", "2.0.0", BOUNCED_NOTED},
	    {"failed", "", BOUNCED_NOTED},
	    {"delayed", "4.4.1", BOUNCED_NOTED},
	    {"delayed", "5.4.1", BOUNCED_NOTED},
	    {"relayed", "2.0.0", BOUNCED_NOTHING},
	    {"delivered", "2.0.0", BOUNCED_NOTHING},
	    {"delivered", "5.0.0", BOUNCED_NOTHING},
	    {"expanded", "2.0.0", BOUNCED_NOTHING},
	    {"", "5.1.1", BOUNCED_NOTED},
	    {"", "", BOUNCED_NOTED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct mail_bounce bounce = {.action = ""};
		strcpy(bounce.action, table[i].action);
		strcpy(bounce.status, table[i].status);
		if (bounced_judge(&bounce) != table[i].verdict)
			fail_msg("%s %s", table[i].action, table[i].status);
	}
}

static void reason_is_status_and_what_the_server_said(void **state)
{
	char reason[STORE_REASON_SIZE];
	struct mail_bounce bounce = {.status = "5.1.1", .diagnostic = "550 no such user"};
	(void)state;
	bounced_reason(&bounce, reason);
	assert_string_equal(reason, "5.1.1: 550 no such user");
	bounce.diagnostic[0] = '\0';
	bounced_reason(&bounce, reason);
	assert_string_equal(reason, "5.1.1");
	memset(bounce.diagnostic, 'x', sizeof bounce.diagnostic - 1);
	bounced_reason(&bounce, reason);
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
	    cmocka_unit_test(only_a_lasting_failure_bounces),
	    cmocka_unit_test(reason_is_status_and_what_the_server_said),
	    cmocka_unit_test(whom_the_publisher_took_away_replaces_nobody),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_bounced", tests, NULL, NULL);
}
