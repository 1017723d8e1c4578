/* The tables of states, against a second writing of them: each allowed change, and that every other
 * combination of state and event is refused. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/state.h"

enum { NAMES_MAX = 12, ROWS_MAX = 32 };

struct expected {
	enum state_kind kind;
	const char *states[NAMES_MAX];
	const char *finals[NAMES_MAX];
	const char *events[NAMES_MAX];
	struct {
		const char *from, *event, *to;
	} rows[ROWS_MAX];
};

static const struct expected all[] = {
    {
	.kind = STATE_ARRIVAL,
	.states = {"received", "judged", "done", "refused", "unreadable"},
	.finals = {"done", "refused"}, /* what is unreadable is judged anew when an admin says so */
	.events = {"judge", "finish", "refuse", "give-up", "retry"},
	.rows =
	    {
		{"received", "judge", "judged"},
		{"received", "refuse", "refused"},
		{"received", "give-up", "unreadable"},
		{"judged", "finish", "done"},
		{"judged", "refuse", "refused"},
		{"judged", "give-up", "unreadable"},
		{"unreadable", "retry", "received"},
	    },
    },
    {
	.kind = STATE_ADVISORY,
	.states = {"held", "released", "sealed", "delivering", "complete", "withdrawn"},
	.finals = {"withdrawn"},
	.events = {"release", "seal", "start", "complete", "withdraw"},
	.rows =
	    {
		{"held", "release", "released"},
		{"held", "withdraw", "withdrawn"},
		{"released", "release", "released"},
		{"released", "seal", "sealed"},
		{"released", "start", "delivering"},
		{"released", "complete", "complete"},
		{"released", "withdraw", "withdrawn"},
		{"sealed", "release", "released"},
		{"sealed", "start", "delivering"},
		{"sealed", "complete", "complete"},
		{"sealed", "withdraw", "withdrawn"},
		{"delivering", "release", "released"},
		{"delivering", "seal", "delivering"},
		{"delivering", "start", "delivering"},
		{"delivering", "complete", "complete"},
		{"delivering", "withdraw", "withdrawn"},
		{"complete", "release", "released"},
		{"complete", "withdraw", "withdrawn"},
		{"withdrawn", "seal", "withdrawn"},
		{"withdrawn", "start", "withdrawn"},
		{"withdrawn", "complete", "withdrawn"},
		{"withdrawn", "withdraw", "withdrawn"},
	    },
    },
    {
	.kind = STATE_DELIVERY,
	.states = {"queued", "sending", "sent", "deferred", "acknowledged", "failed", "bounced"},
	.finals = {"acknowledged"},
	.events = {"start", "interrupted", "accept", "postpone", "reject", "acknowledge", "bounce",
	    "exclude", "retry"},
	.rows =
	    {
		{"queued", "start", "sending"},
		{"queued", "exclude", "failed"},
		{"queued", "retry", "queued"},
		{"queued", "acknowledge", "acknowledged"},
		{"sending", "interrupted", "queued"},
		{"sending", "accept", "sent"},
		{"sending", "postpone", "deferred"},
		{"sending", "reject", "failed"},
		{"sending", "acknowledge", "acknowledged"},
		{"sending", "bounce", "bounced"},
		{"deferred", "start", "sending"},
		{"deferred", "retry", "queued"},
		{"deferred", "exclude", "failed"},
		{"failed", "retry", "queued"},
		{"failed", "postpone", "deferred"},
		{"deferred", "acknowledge", "acknowledged"},
		{"sent", "acknowledge", "acknowledged"},
		{"sent", "bounce", "bounced"},
		{"bounced", "acknowledge", "acknowledged"},
		{"bounced", "bounce", "bounced"},
		{"bounced", "accept", "bounced"},
		{"bounced", "postpone", "bounced"},
		{"bounced", "reject", "bounced"},
		{"acknowledged", "acknowledge", "acknowledged"},
		{"acknowledged", "accept", "acknowledged"},
		{"acknowledged", "postpone", "acknowledged"},
		{"acknowledged", "reject", "acknowledged"},
		{"acknowledged", "bounce", "acknowledged"},
	    },
    },
    {
	.kind = STATE_CERTIFICATE,
	.states = {"pending", "confirmed", "retired"},
	.finals = {"retired"},
	.events = {"confirm", "retire"},
	.rows =
	    {
		{"pending", "confirm", "confirmed"},
		{"pending", "retire", "retired"},
		{"confirmed", "retire", "retired"},
	    },
    },
    {
	.kind = STATE_MEMBER,
	.states = {"invited", "active", "lapsed", "suspended", "left"},
	.finals = {NULL},
	.events = {"invite", "join", "lapse", "renew", "suspend", "resume", "leave"},
	.rows =
	    {
		{"invited", "join", "active"},
		{"invited", "leave", "left"},
		{"active", "suspend", "suspended"},
		{"active", "lapse", "lapsed"},
		{"active", "leave", "left"},
		{"lapsed", "renew", "active"},
		{"lapsed", "suspend", "suspended"},
		{"lapsed", "leave", "left"},
		{"suspended", "resume", "active"},
		{"suspended", "leave", "left"},
		{"left", "join", "active"},
		{"left", "invite", "invited"},
	    },
    },
};
enum { KINDS = sizeof all / sizeof all[0] };

static const char *expected_after(const struct expected *table, const char *from, const char *event)
{
	for (size_t i = 0; i < ROWS_MAX && table->rows[i].from != NULL; i++) {
		if (strcmp(table->rows[i].from, from) == 0 &&
		    strcmp(table->rows[i].event, event) == 0)
			return table->rows[i].to;
	}
	return NULL;
}

static void check(const struct expected *table, const char *from, const char *event)
{
	const char *should = expected_after(table, from, event);
	const char *is = state_after(table->kind, from, event);
	if (should == NULL && is != NULL)
		fail_msg("%s must not %s, but becomes %s", from, event, is);
	if (should != NULL && (is == NULL || strcmp(is, should) != 0))
		fail_msg("%s, %s: should be %s", from, event, should);
}

/* I12. */
static void each_listed_change_is_allowed_and_every_other_refused(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t s = 0; s < NAMES_MAX && all[k].states[s] != NULL; s++) {
			for (size_t e = 0; e < NAMES_MAX && all[k].events[e] != NULL; e++)
				check(&all[k], all[k].states[s], all[k].events[e]);
		}
	}
}

static void an_event_of_another_kind_changes_nothing(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t other = 0; other < KINDS; other++) {
			for (size_t e = 0; e < NAMES_MAX && all[other].events[e] != NULL; e++) {
				for (size_t s = 0; s < NAMES_MAX && all[k].states[s] != NULL; s++)
					check(&all[k], all[k].states[s], all[other].events[e]);
			}
		}
		assert_null(state_after(all[k].kind, "", ""));
		assert_null(state_after(all[k].kind, "invented", all[k].events[0]));
	}
}

static bool listed(const char *const *names, const char *name)
{
	for (size_t i = 0; i < NAMES_MAX && names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void a_state_is_final_when_nothing_leaves_it(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t s = 0; s < NAMES_MAX && all[k].states[s] != NULL; s++) {
			const char *name = all[k].states[s];
			if (state_is_final(all[k].kind, name) != listed(all[k].finals, name))
				fail_msg("%s", name);
		}
		assert_false(state_is_final(all[k].kind, "invented"));
	}
}

static void a_table_knows_its_own_states_only(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t other = 0; other < KINDS; other++) {
			for (size_t s = 0; s < NAMES_MAX && all[other].states[s] != NULL; s++) {
				const char *name = all[other].states[s];
				assert_int_equal(
				    state_exists(all[k].kind, name), listed(all[k].states, name));
			}
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_listed_change_is_allowed_and_every_other_refused),
	    cmocka_unit_test(an_event_of_another_kind_changes_nothing),
	    cmocka_unit_test(a_state_is_final_when_nothing_leaves_it),
	    cmocka_unit_test(a_table_knows_its_own_states_only),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_state", tests, NULL, NULL);
}
