#include "config.h"

#include <limits.h>

#include "store/delivery_row.h"
#include "store/copies.h"
#include "store/epoch.h"
#include "store/messages.h"
#include "store/sql.h"

enum { PRIORITIES = 2 }; /* as the schema has them */

/* The next (message, shard) with something to seal, behind the given one: a step in an index,
 * however many deliveries a group has. The message is 0 behind the last. */
static int next_group(struct store *store, struct seal_group *group, struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query,
		"SELECT priority, message, shard FROM delivery"
		" WHERE state = 'queued' AND batch IS NULL"
		" AND (priority, message, shard) > (?1, ?2, ?3)"
		" ORDER BY priority, message, shard LIMIT 1",
		SQL_WITH(sql_int(group->priority), sql_int(group->message), sql_int(group->shard)),
		&found, err) != 0)
		return -1;
	group->priority = found ? sql_column_int(&query, 0) : 0;
	group->message = found ? sql_column_int(&query, 1) : 0;
	group->shard = found ? sql_column_int(&query, 2) : -1;
	sql_close(&query);
	return 0;
}

static int read_stash(struct store *store, int64_t message, struct buf *stash, struct err *err)
{
	*stash = BUF_EMPTY((size_t)INT_MAX);
	return sql_read_blob(store, "message", "stash", message, stash, err);
}

/* The generation comes with the deliveries, so that both are of the same moment. */
static int each_of_group(struct store *store, size_t most, struct seal_group *group,
    delivery_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT " DELIVERY_COLUMNS ", s.generation FROM delivery AS d"
		" JOIN shard AS s ON s.id = d.shard"
		" WHERE d.state = 'queued' AND d.batch IS NULL"
		" AND d.priority = ?4 AND d.message = ?1 AND d.shard = ?2 ORDER BY d.id LIMIT ?3",
		SQL_WITH(sql_int(group->message), sql_int(group->shard), sql_int((int64_t)most),
		    sql_int(group->priority)),
		err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct delivery delivery;
		delivery_read(&query, &delivery);
		group->generation = sql_column_int(&query, DELIVERY_COLUMN_COUNT);
		if (fn(context, &delivery, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

/* The one delivery of a group whose text is its own. */
struct single {
	int64_t delivery;
	delivery_fn *fn;
	void *context;
};

static int note_single(void *context, const struct delivery *delivery, struct err *err)
{
	struct single *single = context;
	single->delivery = delivery->id;
	return single->fn(single->context, delivery, err);
}

static int read_group(struct store *store, size_t most, struct seal_group *group, delivery_fn *fn,
    void *context, struct err *err)
{
	struct single single = {.fn = fn, .context = context};
	int64_t copies;
	if (store_copy_count(store, group->message, &copies, err) != 0)
		return -1;
	if (copies == 0)
		return read_stash(store, group->message, &group->stash, err) != 0
			   ? -1
			   : each_of_group(store, most, group, fn, context, err);
	group->stash = BUF_EMPTY((size_t)INT_MAX);
	return each_of_group(store, 1, group, note_single, &single, err) != 0
		   ? -1
		   : store_copy_stash(store, single.delivery, &group->stash, err);
}

int store_seal_next(struct store *store, size_t most,
    bool (*skip)(void *context, int64_t message, int64_t shard), struct seal_group *group,
    delivery_fn *fn, void *context, struct err *err)
{
	*group = (struct seal_group){.shard = -1, .stash = BUF_EMPTY(0)};
	do {
		if (next_group(store, group, err) != 0)
			return -1;
	} while (
	    group->message != 0 && skip != NULL && skip(context, group->message, group->shard));
	if (group->message == 0)
		return 0;
	if (read_group(store, most, group, fn, context, err) != 0) {
		buf_release(&group->stash);
		return -1;
	}
	return 0;
}

/* One statement chooses the batch and gives its deliveries, so that nothing comes between. */
static int each_due(struct store *store, int64_t priority, int64_t now, size_t most, int64_t *batch,
    due_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT " DELIVERY_COLUMNS ", k.pkesk FROM delivery AS d"
		" LEFT JOIN delivery_key AS k ON k.delivery = d.id"
		" WHERE d.state IN ('queued', 'deferred') AND d.batch IS NOT NULL"
		" AND d.next_at <= ?1 AND d.batch = (SELECT batch FROM delivery"
		" WHERE state IN ('queued', 'deferred') AND batch IS NOT NULL AND next_at <= ?1"
		" AND priority = ?3 ORDER BY next_at, id LIMIT 1)"
		" ORDER BY d.next_at, d.id LIMIT ?2",
		SQL_WITH(sql_int(now), sql_int((int64_t)most), sql_int(priority)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct delivery delivery;
		delivery_read(&query, &delivery);
		*batch = delivery.batch;
		if (fn(context, &delivery, sql_column_view(&query, DELIVERY_COLUMN_COUNT), err) !=
		    0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_due_next(struct store *store, int64_t now, size_t most, int64_t *batch, int64_t *next_at,
    due_fn *fn, void *context, struct err *err)
{
	*batch = 0;
	*next_at = 0;
	for (int64_t priority = 0; priority < PRIORITIES && *batch == 0; priority++) {
		if (each_due(store, priority, now, most, batch, fn, context, err) != 0)
			return -1;
	}
	for (int64_t priority = 0; priority < PRIORITIES && *batch == 0; priority++) {
		int64_t at = 0;
		if (sql_number(store,
			"SELECT next_at FROM delivery WHERE state IN ('queued', 'deferred')"
			" AND batch IS NOT NULL AND priority = ?1 AND next_at < ?2"
			" ORDER BY next_at, id LIMIT 1",
			SQL_WITH(sql_int(priority), sql_int(EPOCH_HELD_BACK)), &at, err) != 0)
			return -1;
		if (at != 0 && (*next_at == 0 || at < *next_at))
			*next_at = at;
	}
	return 0;
}
