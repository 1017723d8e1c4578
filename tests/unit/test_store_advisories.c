/* Advisories, revisions, acknowledgments, withdrawals. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "store/state.h"
#include "store_fixture.h"

static void expect_advisory(struct fixture *f, int64_t id, const char *wanted)
{
	struct advisory advisory;
	bool found;
	OK(f, store_advisory_by_id(f->store, id, &advisory, &found, &f->err));
	assert_true(found);
	assert_string_equal(advisory.state, wanted);
}

static void move(struct fixture *f, int64_t id, const char *event)
{
	OK(f, store_advisory_move(f->store, id, event, &f->err));
}

/* I15. */
static void numbers_are_never_given_twice(void **state)
{
	struct fixture *f = *state;
	char number[STORE_NUMBER_SIZE];
	OK(f, store_advisory_next_number(f->store, "DEW", 2026, number, &f->err));
	assert_string_equal(number, "DEW-2026-0001");
	OK(f, store_advisory_next_number(f->store, "DEW", 2026, number, &f->err));
	assert_string_equal(number, "DEW-2026-0002");
	OK(f, store_advisory_next_number(f->store, "DEW", 2027, number, &f->err));
	assert_string_equal(number, "DEW-2027-0001");
	OK(f, store_advisory_next_number(f->store, "TEST", 2026, number, &f->err));
	assert_string_equal(number, "TEST-2026-0001");
	store_close(f->store);
	OK(f, store_open(f->path, &f->store, &f->err));
	OK(f, store_advisory_next_number(f->store, "DEW", 2026, number, &f->err));
	assert_string_equal(number, "DEW-2026-0003");
}

static void an_advisory_begins_released_without_revisions(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "DEW-2026-0001");
	struct advisory advisory;
	bool found;
	OK(f, store_advisory_get(f->store, "DEW-2026-0001", &advisory, &found, &f->err));
	assert_true(found);
	assert_int_equal(advisory.id, id);
	assert_string_equal(advisory.state, "released");
	assert_string_equal(advisory.tlp, "AMBER");
	assert_string_equal(advisory.severity, "high");
	assert_int_equal(advisory.revisions, 0);
	assert_int_equal(advisory.created_at, 1000);
	assert_false(advisory.exercise);
	OK(f, store_advisory_get(f->store, "DEW-2026-0002", &advisory, &found, &f->err));
	assert_false(found);
	REFUSED(store_advisory_add(f->store, &advisory, &f->err));
}

static int list_number(void *context, const struct advisory *advisory, struct err *err)
{
	(void)err;
	buf_printf(context, "%s ", advisory->number);
	return 0;
}

static void the_newest_advisories_come_first(void **state)
{
	struct fixture *f = *state;
	struct buf list = BUF_EMPTY(BUF_SMALL);
	fixture_advisory(f, "A");
	fixture_advisory(f, "B");
	fixture_advisory(f, "C");
	OK(f, store_advisory_each(f->store, 2, list_number, &list, &f->err));
	assert_string_equal(buf_text(&list), "C B ");
	buf_release(&list);
}

/* I12, in the store itself. */
static void the_table_decides_every_move(void **state)
{
	struct fixture *f = *state;
	static const char *const states[] = {
	    "held", "released", "sealed", "delivering", "complete", "withdrawn"};
	static const char *const events[] = {
	    "release", "seal", "start", "complete", "withdraw", "invented"};
	const int64_t id = fixture_advisory(f, "A");
	for (size_t s = 0; s < sizeof states / sizeof states[0]; s++) {
		for (size_t e = 0; e < sizeof events / sizeof events[0]; e++) {
			char sql[128];
			snprintf(sql, sizeof sql, "UPDATE advisory SET state = '%s'", states[s]);
			fixture_raw(f, sql);
			const char *to = state_after(STATE_ADVISORY, states[s], events[e]);
			assert_int_equal(store_advisory_move(f->store, id, events[e], &f->err),
			    to == NULL ? -1 : 0);
			expect_advisory(f, id, to == NULL ? states[s] : to);
		}
	}
	REFUSED(store_advisory_move(f->store, 99, "seal", &f->err));
}

static void a_new_revision_takes_the_advisory_back(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct revision revision;
	struct advisory advisory;
	bool found;
	fixture_revision(f, id, "T1", &revision);
	assert_int_equal(revision.number, 1);
	move(f, id, "seal");
	move(f, id, "start");
	move(f, id, "complete");
	fixture_revision(f, id, "T2", &revision);
	assert_int_equal(revision.number, 2);
	OK(f, store_advisory_by_id(f->store, id, &advisory, &found, &f->err));
	assert_string_equal(advisory.state, "released");
	assert_int_equal(advisory.revisions, 2);
}

static void after_a_withdrawal_only_its_notice_is_added(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct revision revision = {.advisory = id, .kind = "update", .tlp = "RED", .token = "T9"};
	move(f, id, "withdraw");
	revision.message = fixture_message(f, "9@x");
	REFUSED(store_revision_add(f->store, &revision, &f->err));
	strcpy(revision.kind, "withdraw");
	OK(f, store_revision_add(f->store, &revision, &f->err));
	expect_advisory(f, id, "withdrawn");
	move(f, id, "seal");
	move(f, id, "complete");
	expect_advisory(f, id, "withdrawn");
}

static void the_advisory_has_the_label_of_its_newest_revision(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct revision revision = {.advisory = id, .kind = "new", .tlp = "RED", .token = "T9"};
	struct advisory advisory;
	bool found;
	revision.message = fixture_message(f, "9@x");
	OK(f, store_revision_add(f->store, &revision, &f->err));
	OK(f, store_advisory_by_id(f->store, id, &advisory, &found, &f->err));
	assert_string_equal(advisory.tlp, "RED");
}

static void a_revision_is_found_by_token_and_message(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct revision added;
	struct revision r;
	bool found;
	fixture_revision(f, id, "T1", &added);
	OK(f, store_revision_by_token(f->store, "T1", &r, &found, &f->err));
	assert_true(found);
	assert_int_equal(r.id, added.id);
	assert_int_equal(r.advisory, id);
	assert_string_equal(r.kind, "new");
	assert_string_equal(r.audience, "all");
	assert_string_equal(r.token, "T1");
	assert_int_equal(r.acknowledge_by, 5000);
	assert_int_equal(r.released_at, 1000);
	assert_int_equal(r.publisher, added.publisher);
	assert_int_equal(r.arrival, added.arrival);
	assert_int_equal(r.message, added.message);
	assert_int_equal(r.title.len, 0); /* not asked for */
	OK(f, store_revision_by_message(f->store, added.message, &r, &found, &f->err));
	assert_true(found);
	OK(f, store_revision_by_token(f->store, "t1", &r, &found, &f->err));
	assert_false(found);
	OK(f, store_revision_by_message(f->store, 99, &r, &found, &f->err));
	assert_false(found);
}

static int list_revision(void *context, const struct revision *revision, struct err *err)
{
	struct buf *list = context;
	(void)err;
	buf_printf(list, "%s=", revision->token);
	buf_add_view(list, revision->title);
	buf_add_char(list, ' ');
	return 0;
}

static void revisions_stay_listed_until_reported_twice(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct buf list = BUF_EMPTY(BUF_SMALL);
	struct revision one;
	struct revision two;
	fixture_revision(f, id, "T1", &one);
	fixture_revision(f, id, "T2", &two);
	OK(f, store_revision_each(f->store, id, list_revision, &list, &f->err));
	assert_string_equal(buf_text(&list), "T1=sealed title T2=sealed title ");
	buf_clear(&list);
	OK(f, store_revision_set_reported(f->store, one.id, 2, &f->err));
	OK(f, store_revision_set_reported(f->store, two.id, 1, &f->err));
	OK(f, store_revision_each_unreported(f->store, list_revision, &list, &f->err));
	assert_string_equal(buf_text(&list), "T2=sealed title ");
	REFUSED(store_revision_set_reported(f->store, two.id, 3, &f->err));
	buf_release(&list);
}

static int list_contact(void *context, int64_t contact, struct err *err)
{
	int64_t *seen = context;
	(void)err;
	*seen = *seen * 10 + contact;
	return 0;
}

static void reached_are_those_who_have_it_or_may_have_it(void **state)
{
	struct fixture *f = *state;
	const int64_t id = fixture_advisory(f, "A");
	struct revision one;
	struct revision two;
	int64_t contacts[6];
	int64_t seen = 0;
	fixture_revision(f, id, "T1", &one);
	fixture_revision(f, id, "T2", &two);
	for (int n = 1; n <= 5; n++)
		contacts[n] = fixture_contact(f, n);
	fixture_delivery(f, one.message, contacts[1], 1);
	fixture_sealed(f, two.message, contacts[1], 1);
	const int64_t failed = fixture_sealed(f, one.message, contacts[2], 2);
	fixture_move(f, failed, "exclude", 1);
	const int64_t unsure = fixture_sealed(f, one.message, contacts[3], 3);
	fixture_move(f, unsure, "start", 1);
	fixture_move(f, unsure, "interrupted", 1);
	fixture_move(f, unsure, "exclude", 1);
	const int64_t bounced = fixture_sealed(f, two.message, contacts[4], 4);
	fixture_move(f, bounced, "start", 1);
	fixture_move(f, bounced, "accept", 1);
	fixture_move(f, bounced, "bounce", 1);
	OK(f, store_advisory_reached(f->store, id, list_contact, &seen, &f->err));
	assert_int_equal(seen, contacts[1] * 100 + contacts[3] * 10 + contacts[4]);
}

static void a_withdrawal_is_asked_once_and_done_once(void **state)
{
	struct fixture *f = *state;
	const int64_t one = fixture_advisory(f, "A");
	const int64_t two = fixture_advisory(f, "B");
	int64_t next;
	bool flag;
	OK(f, store_withdrawal_next(f->store, &next, &flag, &f->err));
	assert_false(flag);
	OK(f, store_withdrawal_ask(f->store, two, 10, &flag, &f->err));
	assert_true(flag);
	OK(f, store_withdrawal_ask(f->store, one, 11, &flag, &f->err));
	OK(f, store_withdrawal_ask(f->store, two, 12, &flag, &f->err));
	assert_false(flag);
	OK(f, store_withdrawal_next(f->store, &next, &flag, &f->err));
	assert_true(flag);
	assert_int_equal(next, two);
	OK(f, store_withdrawal_done(f->store, two, &f->err));
	OK(f, store_withdrawal_next(f->store, &next, &flag, &f->err));
	assert_int_equal(next, one);
	OK(f, store_withdrawal_done(f->store, one, &f->err));
	OK(f, store_withdrawal_next(f->store, &next, &flag, &f->err));
	assert_false(flag);
	REFUSED(store_withdrawal_ask(f->store, 99, 12, &flag, &f->err));
}

static int list_acknowledgment(
    void *context, const struct acknowledgment *acknowledgment, struct err *err)
{
	struct buf *list = context;
	(void)err;
	buf_printf(list, "%s@%lld:", acknowledgment->status, (long long)acknowledgment->signed_at);
	buf_add_view(list, acknowledgment->comment);
	buf_add_char(list, ' ');
	return 0;
}

static void acknowledgments_are_all_kept_by_contact_and_signing_time(void **state)
{
	struct fixture *f = *state;
	struct buf list = BUF_EMPTY(BUF_SMALL);
	struct revision revision;
	fixture_revision(f, fixture_advisory(f, "A"), "T1", &revision);
	struct acknowledgment a = {.revision = revision.id,
	    .contact = fixture_contact(f, 1),
	    .arrival = fixture_arrival(f, "late"),
	    .status = "acting",
	    .signed_at = 30,
	    .fingerprint = "F",
	    .comment = VIEW("sealed")};
	OK(f, store_acknowledgment_add(f->store, &a, &f->err));
	assert_true(a.id > 0);
	a.arrival = fixture_arrival(f, "early");
	strcpy(a.status, "not affected");
	a.signed_at = 20;
	a.comment = VIEW("");
	OK(f, store_acknowledgment_add(f->store, &a, &f->err));
	REFUSED(store_acknowledgment_add(f->store, &a, &f->err)); /* the same reply */
	a.arrival = fixture_arrival(f, "other");
	strcpy(a.status, "whatever");
	REFUSED(store_acknowledgment_add(f->store, &a, &f->err));
	OK(f,
	    store_acknowledgment_each(f->store, revision.id, list_acknowledgment, &list, &f->err));
	assert_string_equal(buf_text(&list), "not affected@20: acting@30:sealed ");
	buf_release(&list);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(numbers_are_never_given_twice),
	    TEST(an_advisory_begins_released_without_revisions),
	    TEST(the_newest_advisories_come_first),
	    TEST(the_table_decides_every_move),
	    TEST(a_new_revision_takes_the_advisory_back),
	    TEST(after_a_withdrawal_only_its_notice_is_added),
	    TEST(the_advisory_has_the_label_of_its_newest_revision),
	    TEST(a_revision_is_found_by_token_and_message),
	    TEST(revisions_stay_listed_until_reported_twice),
	    TEST(reached_are_those_who_have_it_or_may_have_it),
	    TEST(a_withdrawal_is_asked_once_and_done_once),
	    TEST(acknowledgments_are_all_kept_by_contact_and_signing_time),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_advisories", tests, NULL, NULL);
}
