/* The cost of a step must not grow with the number of deliveries: how SQLite runs each statement,
 * and what ten times as many deliveries cost. */
#include "config.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "patience.h"
#include "store/audit.h"
#include "store/outcomes.h"
#include "store/sql.h"
#include "store_fixture.h"

/* Whole-table walks that are meant: a listing of everything, in its order. */
static const char *const may_walk[] = {
    "FROM member ORDER BY id",
    "FROM certificate AS c JOIN shard AS s ON s.id = c.shard ORDER BY",
    "FROM publisher WHERE removed = 0 ORDER BY",
    "FROM contact WHERE removed = 0 ORDER BY",
    "FROM group_entry AS g",
    "FROM advisory AS a ORDER BY a.id DESC",
    "FROM arrival ORDER BY id DESC",
    "FROM audit ORDER BY sequence",
    "pragma_",
};

static bool is_meant(const char *sql)
{
	for (size_t i = 0; i < sizeof may_walk / sizeof may_walk[0]; i++) {
		if (strstr(sql, may_walk[i]) != NULL)
			return true;
	}
	return false;
}

/* A walk along a partial index touches only what it is for; the end of an index is one step. */
static bool is_cheap(const char *plan)
{
	static const char *const cheap[] = {"delivery_due", "delivery_waiting", "delivery_sending", "delivery_failed",
	    "delivery_unwell",
	    "delivery_unsealed", "arrival_open", "revision_unreported", "withdrawal_open",
	    "shard_room", "CONSTANT ROW", "SCAN (subquery", "SCAN audit"};
	for (size_t i = 0; i < sizeof cheap / sizeof cheap[0]; i++) {
		if (strstr(plan, cheap[i]) != NULL)
			return true;
	}
	return false;
}

static void check_plan(struct fixture *f, const char *sql)
{
	char text[2048];
	sqlite3_stmt *plan;
	if (is_meant(sql))
		return;
	snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
	if (sqlite3_prepare_v2(f->store->db, text, -1, &plan, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(f->store->db));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(plan, 3);
		if (strncmp(line, "SCAN", 4) == 0 && !is_cheap(line))
			fail_msg("%s\n%s", line, sql);
		if (strstr(line, "TEMP B-TREE") != NULL && strstr(sql, "next_at <=") != NULL)
			fail_msg("%s\n%s", line, sql);
	}
	sqlite3_finalize(plan);
}

static int ignore_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	(void)delivery;
	(void)err;
	if (context != NULL)
		++*(size_t *)context;
	return 0;
}

static int take(void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	(void)pkesk;
	return ignore_delivery(context, delivery, err);
}

static int ignore_outcome(void *context, const struct outcome *outcome, struct err *err)
{
	(void)context;
	(void)outcome;
	(void)err;
	return 0;
}

static int ignore_number(void *context, int64_t number, struct err *err)
{
	(void)context;
	(void)number;
	(void)err;
	return 0;
}

static int ignore_revision(void *context, const struct revision *revision, struct err *err)
{
	(void)context;
	(void)revision;
	(void)err;
	return 0;
}

static int ignore_arrival(void *context, const struct arrival *arrival, struct err *err)
{
	(void)context;
	(void)arrival;
	(void)err;
	return 0;
}

/* Runs what the gate runs on its way, so that the statements are in the cache. */
static void walk_the_way(struct fixture *f)
{
	struct seal_group group;
	struct delivery_counts counts;
	struct revision revision;
	struct delivery delivery;
	int64_t a;
	int64_t b;
	bool found;
	const int64_t advisory = fixture_advisory(f, "A");
	fixture_revision(f, advisory, "T", &revision);
	const int64_t contact = fixture_contact(f, 1);
	const int64_t id = fixture_sealed(f, revision.message, contact, 1);
	const int64_t arrival = fixture_arrival(f, "mail");
	OK(f, store_seal_next(f->store, 9, NULL, &group, ignore_delivery, NULL, &f->err));
	OK(f, store_due_next(f->store, 9, 9, &a, &b, take, NULL, &f->err));
	OK(f, store_due_next(f->store, -1, 9, &a, &b, take, NULL, &f->err));
	fixture_move(f, id, "start", 1);
	OK(f, store_delivery_recover(f->store, 1, &a, &f->err));
	OK(f, store_delivery_retry_now(f->store, 1, &a, &f->err));
	OK(f, store_delivery_retry_ours(f->store, 1, &a, &f->err));
	OK(f, store_delivery_retry_failed(f->store, advisory, 0, 1, &a, &f->err));
	OK(f, store_delivery_each_refused(f->store, ignore_delivery, NULL, &f->err));
	OK(f, store_outcome_each_unwell(f->store, 1, ignore_outcome, NULL, &f->err));
	OK(f, store_delivery_count(f->store, revision.message, &counts, &f->err));
	OK(f, store_delivery_each(f->store, revision.message, ignore_delivery, NULL, &f->err));
	OK(f, store_delivery_each_queued(f->store, ignore_delivery, NULL, &f->err));
	OK(f, store_delivery_of_contact(
		  f->store, revision.message, contact, &delivery, &found, &f->err));
	OK(f, store_advisory_reached(f->store, advisory, ignore_number, NULL, &f->err));
	OK(f, store_revision_by_token(f->store, "T", &revision, &found, &f->err));
	OK(f, store_revision_by_message(f->store, 1, &revision, &found, &f->err));
	OK(f, store_revision_each_unreported(f->store, ignore_revision, NULL, &f->err));
	OK(f, store_arrival_each_open(f->store, ignore_arrival, NULL, &f->err));
	OK(f, store_arrival_move(f->store, arrival, "judge", NULL, NULL, NULL, &f->err));
	OK(f, store_signed_seen(f->store, "D", arrival, &found, &f->err));
	OK(f, store_withdrawal_next(f->store, &a, &found, &f->err));
	OK(f, store_audit_add(f->store, 1, "a", "b", "c", &f->err, "%s", ""));
	fixture_certificate(f, 1); /* an update */
}

static void no_step_walks_through_everything(void **state)
{
	struct fixture *f = *state;
	size_t checked = 0;
	walk_the_way(f);
	for (size_t i = 0; i < f->store->cached; i++) {
		const char *sql = f->store->cache[i].text;
		if (strstr(sql, "SELECT") != NULL || strstr(sql, "UPDATE") != NULL ||
		    strstr(sql, "DELETE") != NULL) {
			check_plan(f, sql);
			checked++;
		}
	}
	assert_true(checked > 30);
	assert_true(f->store->cached < SQL_CACHE_SIZE);
}

enum { FEW = 1000, MANY = 10 * FEW, BATCH = 200 };

/* For contacts of these numbers. */
static void add_many(struct fixture *f, int64_t message, int first, int last)
{
	OK(f, store_begin(f->store, &f->err));
	for (int n = first; n <= last; n++) {
		char sql[16];
		struct contact contact = {
		    .member = "m", .name = "C", .clearance = "RED", .rank = 1};
		bool added;
		snprintf(sql, sizeof sql, "%d", n);
		snprintf(contact.address, sizeof contact.address, "c%d@example.org", n);
		snprintf(contact.fingerprint, sizeof contact.fingerprint, "%s", sql);
		OK(f, store_contact_add(f->store, &contact, &added, &f->err));
		struct delivery delivery = {
		    .message = message, .contact = contact.id, .key_id = "E", .state = "queued"};
		snprintf(delivery.address, sizeof delivery.address, "c%d@example.org", n);
		snprintf(delivery.fingerprint, sizeof delivery.fingerprint, "%040X", 1U);
		OK(f, store_delivery_add(f->store, &delivery, &f->err));
	}
	OK(f, store_commit(f->store, &f->err));
}

struct group {
	size_t count;
	int64_t ids[BATCH];
};

static int note(void *context, const struct delivery *delivery, struct err *err)
{
	struct group *group = context;
	(void)err;
	assert_true(group->count < BATCH);
	group->ids[group->count++] = delivery->id;
	return 0;
}

static int note_due(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	assert_int_equal(pkesk.len, 3);
	return note(context, delivery, err);
}

static void seal_all(struct fixture *f)
{
	struct seal_group sealing;
	for (;;) {
		struct group group = {.count = 0};
		int64_t batch;
		OK(f, store_seal_next(f->store, BATCH, NULL, &sealing, note, &group, &f->err));
		buf_release(&sealing.stash);
		if (sealing.shard < 0)
			return;
		OK(f, store_begin(f->store, &f->err));
		OK(f, store_batch_add(f->store, sealing.message, VIEW("data"), 0, &batch, &f->err));
		for (size_t i = 0; i < group.count; i++)
			OK(f, store_delivery_bind(
				  f->store, group.ids[i], batch, VIEW("key"), &f->err));
		OK(f, store_commit(f->store, &f->err));
	}
}

static void send_all(struct fixture *f)
{
	for (;;) {
		struct group group = {.count = 0};
		int64_t batch;
		int64_t next_at;
		OK(f, store_due_next(
			  f->store, 9, BATCH, &batch, &next_at, note_due, &group, &f->err));
		if (batch == 0)
			return;
		OK(f, store_begin(f->store, &f->err));
		for (size_t i = 0; i < group.count; i++)
			fixture_move(f, group.ids[i], "start", 9);
		OK(f, store_commit(f->store, &f->err));
		OK(f, store_begin(f->store, &f->err));
		for (size_t i = 0; i < group.count; i++) {
			fixture_move(f, group.ids[i], "accept", 9);
			OK(f, store_audit_add(f->store, 9, "gate", "delivery.sent", "x", &f->err,
				  "%s", "250 taken"));
		}
		OK(f, store_commit(f->store, &f->err));
	}
}

/* What one message to so many costs, from the first to the last step: milliseconds of the processor. */
static int64_t cost(struct fixture *f, const char *message_id, int first, int last)
{
	struct delivery_counts counts;
	const int64_t message = fixture_message(f, message_id);
	const int64_t start = processor_ms();
	add_many(f, message, first, last);
	const int64_t added = processor_ms();
	seal_all(f);
	const int64_t sealed = processor_ms();
	send_all(f);
	const int64_t sent = processor_ms();
	OK(f, store_delivery_count(f->store, message, &counts, &f->err));
	const int64_t counted = processor_ms();
	assert_int_equal(counts.sent, last - first + 1);
	print_message("%d: added %lld, sealed %lld, sent %lld, counted %lld ms\n", last - first + 1,
	    (long long)(added - start), (long long)(sealed - added), (long long)(sent - sealed),
	    (long long)(counted - sent));
	return counted - start;
}

/* Quadratic steps would cost a hundred times as much. */
static void ten_times_as_many_deliveries_cost_about_ten_times_as_much(void **state)
{
	enum { TIMES_MOST = 30 };
	struct fixture *f = *state;
	fixture_contact(f, 1);
	const int64_t few = cost(f, "1@x", 2, 1 + FEW);
	const int64_t many = cost(f, "2@x", 2 + FEW, 1 + FEW + MANY);
	assert_true(many < few * TIMES_MOST);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_step_walks_through_everything),
	    TEST(ten_times_as_many_deliveries_cost_about_ten_times_as_much),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_plans", tests, NULL, NULL);
}
