#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/backlog.h"
#include "store/holds.h"
#include "store_fixture.h"

enum { SOON = 2000, LATER = 3000 };

static struct hold new_hold(
    struct fixture *f, const char *number, const char *token, int64_t release_at)
{
	struct hold hold = {
	    .advisory = fixture_advisory(f, number),
	    .arrival = fixture_arrival(f, number),
	    .publisher = fixture_publisher(f),
	    .fingerprint = "F",
	    .created_at = 1000,
	    .release_at = release_at,
	    .title = VIEW("sealed title"),
	};
	view_copy(view_of(token), hold.token, sizeof hold.token);
	OK(f, store_hold_add(f->store, &hold, &f->err));
	return hold;
}

static bool move(struct fixture *f, const struct hold *hold, const char *event)
{
	bool moved;
	OK(f, store_hold_move(f->store, hold->id, event, 0, 1500, &moved, &f->err));
	return moved;
}

static bool is_due(struct fixture *f, int64_t now, int64_t id)
{
	struct hold due;
	bool found;
	OK(f, store_hold_due(f->store, now, 0, &due, &found, &f->err));
	return found && due.id == id;
}

/* I17. */
static void hold_is_due_at_its_hour_and_not_before(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "", SOON);
	int64_t at;
	assert_string_equal(hold.state, "held");
	assert_false(is_due(f, SOON - 1, hold.id));
	assert_true(is_due(f, SOON, hold.id));
	OK(f, store_hold_next_time(f->store, SOON - 1, &at, &f->err));
	assert_int_equal(at, SOON);
	OK(f, store_hold_next_time(f->store, SOON, &at, &f->err));
	assert_int_equal(at, 0);
}

/* I17. */
static void hold_without_approval_is_never_due(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "TOKEN", 0);
	struct hold found_hold;
	bool found;
	assert_string_equal(hold.state, "waiting");
	assert_false(is_due(f, LATER, hold.id));
	assert_false(move(f, &hold, "release"));
	OK(f, store_hold_unasked(f->store, 0, &found_hold, &found, &f->err));
	assert_true(found && found_hold.id == hold.id);
	assert_true(move(f, &hold, "approve"));
	assert_true(is_due(f, 1, hold.id));
	OK(f, store_hold_unasked(f->store, 0, &found_hold, &found, &f->err));
	assert_false(found);
}

/* I21. */
static void others_come_before_one_that_was_looked_at(void **state)
{
	struct fixture *f = *state;
	const struct hold holds[] = {
	    new_hold(f, "A", "", SOON), new_hold(f, "B", "", 1), new_hold(f, "C", "", LATER)};
	const int64_t after[] = {0, holds[0].id, holds[1].id, holds[2].id};
	const size_t next[] = {0, 1, 0, 0};
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		struct hold due;
		bool found;
		OK(f, store_hold_due(f->store, SOON, after[i], &due, &found, &f->err));
		assert_true(found);
		assert_int_equal(due.id, holds[next[i]].id);
	}
}

/* I20. */
static void draft_that_does_not_go_at_its_hour_is_seen(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "", SOON);
	struct backlog backlog;
	OK(f, store_backlog(f->store, SOON, &backlog, &f->err));
	assert_int_equal(backlog.drafts, 0);
	OK(f, store_backlog(f->store, SOON + 1, &backlog, &f->err));
	assert_int_equal(backlog.drafts, 1);
	assert_true(move(f, &hold, "release"));
	OK(f, store_backlog(f->store, LATER, &backlog, &f->err));
	assert_int_equal(backlog.drafts, 0);
	const struct hold unasked = new_hold(f, "B", "TOKEN", LATER);
	bool fresh;
	OK(f, store_backlog(f->store, LATER, &backlog, &f->err));
	assert_int_equal(backlog.drafts, 1);
	OK(f, store_hold_set_asked(f->store, unasked.id, &fresh, &f->err));
	OK(f, store_backlog(f->store, LATER, &backlog, &f->err));
	assert_int_equal(backlog.drafts, 0);
}

static void others_are_asked_once(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "TOKEN", 0);
	struct hold unasked;
	bool fresh;
	bool found;
	OK(f, store_hold_set_asked(f->store, hold.id, &fresh, &f->err));
	assert_true(fresh);
	OK(f, store_hold_set_asked(f->store, hold.id, &fresh, &f->err));
	assert_false(fresh);
	OK(f, store_hold_unasked(f->store, 0, &unasked, &found, &f->err));
	assert_false(found);
}

static void hold_is_released_once(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "", SOON);
	struct hold after;
	bool found;
	assert_true(move(f, &hold, "release"));
	assert_false(move(f, &hold, "release"));
	assert_false(move(f, &hold, "withdraw"));
	assert_false(is_due(f, LATER, hold.id));
	OK(f, store_hold_get(f->store, hold.id, &after, &found, &f->err));
	assert_string_equal(after.state, "released");
	assert_int_equal(after.ended_at, 1500);
	OK(f, store_hold_open(f->store, hold.advisory, &after, &found, &f->err));
	assert_false(found);
}

static void withdrawal_that_an_admin_asked_for_stops_the_release(void **state)
{
	struct fixture *f = *state;
	const struct hold hold = new_hold(f, "A", "", SOON);
	bool fresh;
	OK(f, store_withdrawal_ask(f->store, hold.advisory, 1, &fresh, &f->err));
	assert_false(is_due(f, LATER, hold.id));
	assert_false(move(f, &hold, "release"));
	assert_true(move(f, &hold, "withdraw"));
}

static void advisory_has_one_open_hold(void **state)
{
	struct fixture *f = *state;
	struct hold hold = new_hold(f, "A", "TOKEN", SOON);
	hold.arrival = fixture_arrival(f, "another");
	memcpy(hold.token, "OTHER", sizeof "OTHER");
	assert_int_equal(store_hold_add(f->store, &hold, &f->err), -1);
}

static void hold_is_found_by_its_own_token_only(void **state)
{
	struct fixture *f = *state;
	const struct hold with = new_hold(f, "A", "TOKEN", 0);
	struct hold found_hold;
	bool found;
	new_hold(f, "B", "", SOON);
	OK(f, store_hold_by_token(f->store, "TOKEN", &found_hold, &found, &f->err));
	assert_true(found && found_hold.id == with.id);
	OK(f, store_hold_by_token(f->store, "", &found_hold, &found, &f->err));
	assert_false(found);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(hold_is_due_at_its_hour_and_not_before),
	    TEST(hold_without_approval_is_never_due),
	    TEST(others_come_before_one_that_was_looked_at),
	    TEST(draft_that_does_not_go_at_its_hour_is_seen),
	    TEST(others_are_asked_once),
	    TEST(hold_is_released_once),
	    TEST(withdrawal_that_an_admin_asked_for_stops_the_release),
	    TEST(advisory_has_one_open_hold),
	    TEST(hold_is_found_by_its_own_token_only),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_holds", tests, NULL, NULL);
}
