#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "store/advisories.h"
#include "store/delivery_row.h"
#include "store/epoch.h"
#include "store/messages.h"
#include "store/sql.h"
#include "store/state.h"

/* As the schema has them. */
static const char *const about_names[] = {
    [DELIVERY_ABOUT_NOTHING] = "",
    [DELIVERY_ABOUT_RECIPIENT] = "recipient",
    [DELIVERY_ABOUT_MESSAGE] = "message",
    [DELIVERY_ABOUT_GATEWAY] = "gateway",
};
enum { ABOUTS = sizeof about_names / sizeof about_names[0] };

static enum delivery_about about_from(struct view name)
{
	for (size_t i = 0; i < ABOUTS; i++) {
		if (view_is(name, about_names[i]))
			return (enum delivery_about)i;
	}
	return DELIVERY_ABOUT_NOTHING;
}

void delivery_read(const struct sql_query *query, struct delivery *out)
{
	*out = (struct delivery){
	    .id = sql_column_int(query, 0),
	    .message = sql_column_int(query, 1),
	    .contact = sql_column_int(query, 2),
	    .publisher = sql_column_int(query, 3),
	    .batch = sql_column_int(query, 9),
	    .attempts = sql_column_int(query, 10),
	    .ambiguous = sql_column_int(query, 11),
	    .next_at = sql_column_int(query, 12),
	    .first_at = sql_column_int(query, 13),
	    .sent_at = sql_column_int(query, 14),
	    .about = about_from(sql_column_view(query, 15)),
	    .told = (enum delivery_told)sql_column_int(query, 16),
	};
	sql_column_text(query, 4, out->address, sizeof out->address);
	sql_column_text(query, 5, out->fingerprint, sizeof out->fingerprint);
	sql_column_text(query, 6, out->key_id, sizeof out->key_id);
	sql_column_text(query, 7, out->state, sizeof out->state);
	sql_column_text(query, 8, out->reason, sizeof out->reason);
}

/* A delivery that nobody could ever seal must not wait in the queue without a word. */
static int check_new(const struct delivery *delivery, int64_t shard, struct err *err)
{
	const bool failed = strcmp(delivery->state, "failed") == 0;
	if (!failed && strcmp(delivery->state, "queued") != 0)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "a delivery does not begin as \"%s\"",
		    delivery->state);
	if (failed && delivery->reason[0] == '\0')
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "a failed delivery needs its reason");
	if (!failed && (shard == 0 || delivery->key_id[0] == '\0'))
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "no certificate \"%s\" to seal for %s with", delivery->fingerprint,
		    delivery->address);
	return 0;
}

static int add(struct store *store, struct delivery *delivery, struct err *err)
{
	int64_t shard;
	if (sql_number(store, "SELECT shard FROM certificate WHERE fingerprint = ?1",
		SQL_WITH(sql_text(delivery->fingerprint)), &shard, err) != 0 ||
	    check_new(delivery, shard, err) != 0 ||
	    sql_run(store,
		"INSERT INTO delivery (message, contact, publisher, address, fingerprint,"
		" key_id, shard, state, reason, next_at, priority)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		" (SELECT ifnull(max(priority), 0) FROM message WHERE id = ?1))",
		SQL_WITH(sql_int(delivery->message), sql_id(delivery->contact),
		    sql_id(delivery->publisher), sql_text(delivery->address),
		    sql_text(delivery->fingerprint), sql_text(delivery->key_id), sql_id(shard),
		    sql_text(delivery->state), sql_text(delivery->reason),
		    sql_int(delivery->next_at)),
		NULL, err) != 0)
		return -1;
	delivery->id = sql_last_id(store);
	return 0;
}

int store_delivery_add(struct store *store, struct delivery *delivery, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, add(store, delivery, err), err);
}

static int find_delivery(struct store *store, const char *text, const struct sql_value *values,
    struct delivery *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		delivery_read(&query, out);
	sql_close(&query);
	return 0;
}

int store_delivery_get(
    struct store *store, int64_t id, struct delivery *out, bool *found, struct err *err)
{
	return find_delivery(store,
	    "SELECT " DELIVERY_COLUMNS " FROM delivery AS d WHERE d.id = ?1", SQL_WITH(sql_int(id)),
	    out, found, err);
}

int store_delivery_of_contact(struct store *store, int64_t message, int64_t contact,
    struct delivery *out, bool *found, struct err *err)
{
	return find_delivery(store,
	    "SELECT " DELIVERY_COLUMNS " FROM delivery AS d"
	    " WHERE d.message = ?1 AND d.contact = ?2",
	    SQL_WITH(sql_int(message), sql_int(contact)), out, found, err);
}

static int each_delivery(struct store *store, const char *text, const struct sql_value *values,
    delivery_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct delivery delivery;
		delivery_read(&query, &delivery);
		if (fn(context, &delivery, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_delivery_each(
    struct store *store, int64_t message, delivery_fn *fn, void *context, struct err *err)
{
	return each_delivery(store,
	    "SELECT " DELIVERY_COLUMNS " FROM delivery AS d WHERE d.message = ?1"
	    " ORDER BY d.address, d.id",
	    SQL_WITH(sql_int(message)), fn, context, err);
}

int store_delivery_each_queued(struct store *store, delivery_fn *fn, void *context, struct err *err)
{
	return each_delivery(store,
	    "SELECT " DELIVERY_COLUMNS " FROM delivery AS d"
	    " WHERE d.state IN ('queued', 'sending', 'deferred') ORDER BY d.next_at, d.id",
	    SQL_NOTHING, fn, context, err);
}

/* What an event changes besides the state. */
static const struct effect {
	const char *event;
	bool attempt; /* one attempt more, and the first sets first_at */
	bool uncertain; /* always ambiguous */
	bool may_be_uncertain;
	bool sent;
	bool forgets; /* what the smarthost said against it */
} effects[] = {
    {.event = "start", .attempt = true},
    {.event = "interrupted", .uncertain = true},
    {.event = "postpone", .may_be_uncertain = true},
    {.event = "accept", .sent = true, .forgets = true},
    {.event = "acknowledge", .forgets = true},
    {.event = "exclude", .forgets = true},
};

static struct effect effect_of(const char *event)
{
	for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
		if (strcmp(effects[i].event, event) == 0)
			return effects[i];
	}
	return (struct effect){.event = event};
}

/* A delivery that comes back from `failed`: its revision is not complete after all. */
static int reopen_revision(struct store *store, int64_t message, struct err *err)
{
	return sql_run(store,
	    "UPDATE revision SET reported = 1 WHERE message = ?1 AND reported = 2",
	    SQL_WITH(sql_int(message)), NULL, err);
}

static int move(struct store *store, int64_t id, const char *event, const char *reason,
    int64_t next_at, int64_t now, bool ambiguous, struct err *err)
{
	const struct effect effect = effect_of(event);
	struct delivery old;
	bool found;
	if (store_delivery_get(store, id, &old, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "there is no delivery %" PRId64, id);
	const char *to = state_after(STATE_DELIVERY, old.state, event);
	if (to == NULL)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "delivery %" PRId64 " is %s: no \"%s\" then", id, old.state, event);
	if (strcmp(to, "failed") == 0 && old.reason[0] == '\0' &&
	    (reason == NULL || *reason == '\0'))
		reason = "no reason was given";
	if (strcmp(old.state, "failed") == 0 && strcmp(to, "failed") != 0 &&
	    reopen_revision(store, old.message, err) != 0)
		return -1;
	return sql_run(store,
	    "UPDATE delivery SET state = ?3, reason = ifnull(?4, reason),"
	    " next_at = ifnull(?5, next_at), attempts = attempts + ?6,"
	    " first_at = iif(?6 AND first_at = 0, ?9, first_at), ambiguous = ambiguous + ?7,"
	    " sent_at = iif(?8 AND sent_at = 0, ?9, sent_at), about = iif(?10, '', about)"
	    " WHERE id = ?1 AND state = ?2",
	    SQL_WITH(sql_int(id), sql_text(old.state), sql_text(to),
		sql_cut(reason, sizeof old.reason), sql_id(next_at), sql_int(effect.attempt),
		sql_int(effect.uncertain || (effect.may_be_uncertain && ambiguous)),
		sql_int(effect.sent), sql_int(now), sql_int(effect.forgets)),
	    NULL, err);
}

int store_delivery_move(struct store *store, int64_t id, const char *event, const char *reason,
    int64_t next_at, int64_t now, bool ambiguous, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = move(store, id, event, reason, next_at, now, ambiguous, err);
	return sql_leave(store, mine, result, err);
}

int store_delivery_set_about(
    struct store *store, int64_t id, enum delivery_about about, struct err *err)
{
	return sql_run(store, "UPDATE delivery SET about = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_text(about_names[about])), NULL, err);
}

int store_delivery_set_told(
    struct store *store, int64_t id, enum delivery_told told, struct err *err)
{
	return sql_run(store, "UPDATE delivery SET told = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_int((int64_t)told)), NULL, err);
}

int store_delivery_recover(struct store *store, int64_t now, int64_t *count, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET state = ?1, ambiguous = ambiguous + 1, next_at = ?2"
	    " WHERE state = 'sending'",
	    SQL_WITH(sql_text(state_after(STATE_DELIVERY, "sending", "interrupted")), sql_int(now)),
	    count, err);
}

int store_delivery_retry_now(struct store *store, int64_t now, int64_t *count, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET state = ?1, next_at = ?2"
	    " WHERE state IN ('queued', 'sending', 'deferred') AND state <> 'sending'"
	    " AND next_at > ?2 AND next_at < ?3",
	    SQL_WITH(sql_text(state_after(STATE_DELIVERY, "deferred", "retry")), sql_int(now),
		sql_int(EPOCH_HELD_BACK)),
	    count, err);
}

int store_delivery_retry_ours(struct store *store, int64_t now, int64_t *count, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET state = ?1, next_at = ?2"
	    " WHERE state IN ('queued', 'sending', 'deferred') AND state = 'deferred'"
	    " AND about = 'gateway' AND next_at > ?2 AND next_at < ?3",
	    SQL_WITH(sql_text(state_after(STATE_DELIVERY, "deferred", "retry")), sql_int(now),
		sql_int(EPOCH_HELD_BACK)),
	    count, err);
}

/* Behind "FROM delivery AS d": failed, and sealed before. */
#define FAILED_ONES " WHERE d.state = 'failed' AND d.batch IS NOT NULL"
#define STILL_MATTER                                                                               \
	" AND NOT EXISTS (SELECT 1 FROM revision AS r JOIN revision AS n"                          \
	" ON n.advisory = r.advisory AND n.number > r.number WHERE r.message = d.message)"         \
	" AND (EXISTS (SELECT 1 FROM contact AS c WHERE c.id = d.contact AND c.removed = 0"        \
	" AND c.address = d.address) OR EXISTS (SELECT 1 FROM publisher AS p"                      \
	" WHERE p.id = d.publisher AND p.removed = 0 AND p.address = d.address))"

int store_delivery_each_refused(
    struct store *store, delivery_fn *fn, void *context, struct err *err)
{
	return each_delivery(store,
	    "SELECT " DELIVERY_COLUMNS " FROM delivery AS d" FAILED_ONES
	    " AND d.about <> ''" STILL_MATTER " ORDER BY d.message, d.id",
	    SQL_NOTHING, fn, context, err);
}

/* ?1: advisory, ?2: delivery, 0 for any. What is asked for by its own number is taken in any case. */
#define WANTED_ONES                                                                                \
	"SELECT d.id FROM delivery AS d" FAILED_ONES " AND iif(?2 <> 0, d.id = ?2, 1" STILL_MATTER \
	" AND (?1 = 0 OR d.message IN (SELECT message FROM revision WHERE advisory = ?1)))"

static int retry_failed(struct store *store, int64_t advisory, int64_t delivery, int64_t now,
    int64_t *count, struct err *err)
{
	const char *to = state_after(STATE_DELIVERY, "failed", "retry");
	if (sql_run(store,
		"UPDATE revision SET reported = 1 WHERE reported = 2 AND message IN"
		" (SELECT message FROM delivery WHERE id IN (" WANTED_ONES "))",
		SQL_WITH(sql_int(advisory), sql_int(delivery)), NULL, err) != 0)
		return -1;
	return sql_run(store,
	    "UPDATE delivery SET state = ?3, next_at = ?4, attempts = 0, first_at = 0, about = '',"
	    " told = 0 WHERE id IN (" WANTED_ONES ")",
	    SQL_WITH(sql_int(advisory), sql_int(delivery), sql_text(to), sql_int(now)), count, err);
}

int store_delivery_retry_failed(struct store *store, int64_t advisory, int64_t delivery,
    int64_t now, int64_t *count, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = retry_failed(store, advisory, delivery, now, count, err);
	return sql_leave(store, mine, result, err);
}

int store_delivery_bind(
    struct store *store, int64_t delivery, int64_t batch, struct view pkesk, struct err *err)
{
	int64_t changes;
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = sql_run(store,
	    "UPDATE delivery SET batch = ?2 WHERE id = ?1 AND state = 'queued' AND batch IS NULL"
	    " AND message = (SELECT message FROM batch WHERE id = ?2)",
	    SQL_WITH(sql_int(delivery), sql_int(batch)), &changes, err);
	if (result == 0 && changes != 1)
		result = err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "delivery %" PRId64 " does not wait for batch %" PRId64, delivery, batch);
	if (result == 0)
		result =
		    sql_run(store, "INSERT INTO delivery_key (delivery, pkesk) VALUES (?1, ?2)",
			SQL_WITH(sql_int(delivery), sql_bytes(pkesk)), NULL, err);
	return sql_leave(store, mine, result, err);
}

static int64_t *count_of(struct delivery_counts *counts, const char *state)
{
	const struct {
		const char *state;
		int64_t *count;
	} fields[] = {
	    {"queued", &counts->queued},
	    {"sending", &counts->sending},
	    {"deferred", &counts->deferred},
	    {"sent", &counts->sent},
	    {"acknowledged", &counts->acknowledged},
	    {"failed", &counts->failed},
	    {"bounced", &counts->bounced},
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (strcmp(fields[i].state, state) == 0)
			return fields[i].count;
	}
	return NULL;
}

int store_delivery_count(
    struct store *store, int64_t message, struct delivery_counts *out, struct err *err)
{
	struct sql_query query;
	int got;
	*out = (struct delivery_counts){.total = 0};
	if (sql_open(store, &query,
		"SELECT state, count(*), sum(state = 'queued' AND batch IS NULL) FROM delivery"
		" WHERE message = ?1 GROUP BY state",
		SQL_WITH(sql_int(message)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		char state[STORE_ID_SIZE];
		sql_column_text(&query, 0, state, sizeof state);
		int64_t *count = count_of(out, state);
		if (count != NULL)
			*count = sql_column_int(&query, 1);
		out->total += sql_column_int(&query, 1);
		out->unsealed += sql_column_int(&query, 2);
	}
	sql_close(&query);
	return got;
}
