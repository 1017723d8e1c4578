#include "config.h"

#include <string.h>

#include "base/digest.h"
#include "store/arrivals.h"
#include "store/sql.h"
#include "store/state.h"

#define ARRIVAL_COLUMNS                                                                            \
	"SELECT id, received_at, size, state, meaning, reason, signer, shape, refusal, kept,"       \
	" wait_until, claimed, tries FROM "                                                        \
	"arrival "

/* As the index arrival_strangers says it. */
#define OF_STRANGERS                                                                               \
	" kept = 1 AND signer = '' AND state IN ('done', 'refused', 'unreadable')"                 \
	" AND meaning IN ('unknown', 'report', 'join', 'duplicate', 'fatal') "

static void read_arrival(const struct sql_query *query, struct arrival *out)
{
	*out = (struct arrival){
	    .id = sql_column_int(query, 0),
	    .received_at = sql_column_int(query, 1),
	    .size = sql_column_int(query, 2),
	};
	sql_column_text(query, 3, out->state, sizeof out->state);
	sql_column_text(query, 4, out->meaning, sizeof out->meaning);
	sql_column_text(query, 5, out->reason, sizeof out->reason);
	sql_column_text(query, 6, out->signer, sizeof out->signer);
	sql_column_text(query, 7, out->shape, sizeof out->shape);
	sql_column_text(query, 8, out->refusal, sizeof out->refusal);
	out->kept = sql_column_bool(query, 9);
	out->wait_until = sql_column_int(query, 10);
	out->claimed = sql_column_bool(query, 11);
	out->tries = sql_column_int(query, 12);
}

static int receive(
    struct store *store, struct view raw, int64_t now, int64_t *id, bool *fresh, struct err *err)
{
	char digest[DIGEST_HEX_SIZE];
	int64_t changes;
	digest_sha256_hex(raw, digest);
	if (sql_run(store,
		"INSERT INTO arrival (digest, received_at, size, state)"
		" VALUES (?1, ?2, ?3, 'received') ON CONFLICT (digest) DO NOTHING",
		SQL_WITH(sql_text(digest), sql_int(now), sql_int((int64_t)raw.len)), &changes,
		err) != 0)
		return -1;
	*fresh = changes == 1;
	if (!*fresh)
		return sql_number(store, "SELECT id FROM arrival WHERE digest = ?1",
		    SQL_WITH(sql_text(digest)), id, err);
	*id = sql_last_id(store);
	return sql_run(store, "INSERT INTO arrival_raw (arrival, raw) VALUES (?1, ?2)",
	    SQL_WITH(sql_int(*id), sql_bytes(raw)), NULL, err);
}

int store_arrival_receive(
    struct store *store, struct view raw, int64_t now, int64_t *id, bool *fresh, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = receive(store, raw, now, id, fresh, err);
	return sql_leave(store, mine, result, err);
}

int store_arrival_aside(struct store *store, const char *name, int64_t size, const char *reason,
    int64_t now, struct err *err)
{
	char digest[DIGEST_HEX_SIZE];
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_printf(&text, "aside %s", name);
	digest_sha256_hex(buf_view(&text), digest);
	buf_release(&text);
	return sql_run(store,
	    "INSERT INTO arrival (digest, received_at, size, state, meaning, reason, kept)"
	    " VALUES (?1, ?2, ?3, 'refused', 'aside', ?4, 0)"
	    " ON CONFLICT (digest) DO UPDATE SET received_at = excluded.received_at,"
	    " size = excluded.size, reason = excluded.reason",
	    SQL_WITH(sql_text(digest), sql_int(now), sql_int(size), sql_text(reason)), NULL, err);
}

int store_arrival_get(
    struct store *store, int64_t id, struct arrival *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, ARRIVAL_COLUMNS "WHERE id = ?1", SQL_WITH(sql_int(id)), found,
		err) != 0)
		return -1;
	if (*found)
		read_arrival(&query, out);
	sql_close(&query);
	return 0;
}

int store_arrival_digest(
    struct store *store, int64_t id, char digest[static DIGEST_HEX_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	digest[0] = '\0';
	if (sql_first(store, &query, "SELECT digest FROM arrival WHERE id = ?1",
		SQL_WITH(sql_int(id)), &found, err) != 0)
		return -1;
	if (found) {
		sql_column_text(&query, 0, digest, DIGEST_HEX_SIZE);
		sql_close(&query);
	}
	return 0;
}

int store_arrival_raw(struct store *store, int64_t id, struct buf *out, struct err *err)
{
	struct arrival arrival;
	bool found;
	if (store_arrival_get(store, id, &arrival, &found, err) != 0)
		return -1;
	if (found && !arrival.kept)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "arrival %lld is not kept here", (long long)id);
	return sql_read_blob(store, "arrival_raw", "raw", id, out, err);
}

int store_arrival_head(
    struct store *store, int64_t id, size_t most, struct buf *out, struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query,
		"SELECT substr(raw, 1, ?2) FROM arrival_raw WHERE arrival = ?1",
		SQL_WITH(sql_int(id), sql_int((int64_t)most)), &found, err) != 0)
		return -1;
	if (found)
		buf_add_view(out, sql_column_view(&query, 0));
	sql_close(&query);
	return 0;
}

static int each_arrival(struct store *store, const char *text, const struct sql_value *values,
    arrival_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct arrival arrival;
		read_arrival(&query, &arrival);
		if (fn(context, &arrival, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_arrival_each_open(struct store *store, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store,
	    ARRIVAL_COLUMNS "WHERE state IN ('received', 'judged') ORDER BY id", SQL_NOTHING, fn,
	    context, err);
}

int store_arrival_set_claimed(struct store *store, int64_t id, bool claimed, struct err *err)
{
	return sql_run(store, "UPDATE arrival SET claimed = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_int(claimed)), NULL, err);
}

int store_arrival_count_claimed(struct store *store, int64_t since, int64_t *count, struct err *err)
{
	return sql_number(store,
	    "SELECT count(*) FROM arrival WHERE claimed = 1 AND received_at >= ?1"
	    " AND meaning <> 'fatal'",
	    SQL_WITH(sql_int(since)), count, err);
}

/* What is to be tried again waits a day at most: its time was set while the clock was ahead. */
#define IS_DUE                                                                                     \
	" state IN ('received', 'judged') AND (wait_until BETWEEN 1 AND ?1"                        \
	" OR (wait_until > ?1 + 86400 AND tries > 0)) "

int store_arrival_each_due(
    struct store *store, int64_t now, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store, ARRIVAL_COLUMNS "WHERE" IS_DUE "ORDER BY wait_until, id",
	    SQL_WITH(sql_int(now)), fn, context, err);
}

int store_arrival_end_wait(struct store *store, int64_t now, struct err *err)
{
	return sql_run(store, "UPDATE arrival SET wait_until = 0 WHERE" IS_DUE,
	    SQL_WITH(sql_int(now)), NULL, err);
}

int store_arrival_wait(struct store *store, int64_t id, int64_t until, const char *meaning,
    const char *reason, const char *signer, struct err *err)
{
	return sql_run(store,
	    "UPDATE arrival SET wait_until = ?2, meaning = ?3, reason = ?4, signer = ?5, tries = 0"
	    " WHERE id = ?1 AND state IN ('received', 'judged')",
	    SQL_WITH(sql_int(id), sql_int(until), sql_text(meaning),
		sql_cut(reason, STORE_REASON_SIZE), sql_text(signer)),
	    NULL, err);
}

int store_arrival_count_waiting(
    struct store *store, const char *signer, int64_t after, int64_t *count, struct err *err)
{
	return sql_number(store,
	    "SELECT count(*) FROM arrival WHERE state IN ('received', 'judged')"
	    " AND wait_until > ?2 AND meaning <> 'fatal' AND (?1 = '' OR signer = ?1)",
	    SQL_WITH(sql_text(signer), sql_int(after)), count, err);
}

int store_arrival_each(
    struct store *store, int64_t most, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store, ARRIVAL_COLUMNS "ORDER BY id DESC LIMIT ?1",
	    SQL_WITH(sql_int(most)), fn, context, err);
}

int store_arrival_failed(struct store *store, const struct arrival *arrival, struct err *err)
{
	return sql_run(store,
	    "UPDATE arrival SET tries = ?2, claimed = ?3, wait_until = ?4, meaning = 'fatal',"
	    " reason = ?5 WHERE id = ?1 AND state IN ('received', 'judged')",
	    SQL_WITH(sql_int(arrival->id), sql_int(arrival->tries), sql_int(arrival->claimed),
		sql_int(arrival->wait_until), sql_text(arrival->reason)),
	    NULL, err);
}

int store_arrival_each_untold(struct store *store, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store,
	    ARRIVAL_COLUMNS "WHERE meaning = 'fatal' AND told < 2 AND tries > 0"
			    " AND (told = 0 OR state = 'unreadable') ORDER BY id",
	    SQL_NOTHING, fn, context, err);
}

int store_arrival_set_told(struct store *store, int64_t id, bool again, struct err *err)
{
	return sql_run(store, "UPDATE arrival SET told = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_int(again ? 1 : 2)), NULL, err);
}

int store_arrival_each_fatal(
    struct store *store, int64_t since, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store,
	    ARRIVAL_COLUMNS "WHERE meaning = 'fatal' AND tries > 0 AND"
			    " (state IN ('received', 'judged') OR received_at >= ?1) ORDER BY id",
	    SQL_WITH(sql_int(since)), fn, context, err);
}

int store_arrival_each_unreadable(
    struct store *store, arrival_fn *fn, void *context, struct err *err)
{
	return each_arrival(store,
	    ARRIVAL_COLUMNS "WHERE state = 'unreadable' AND kept = 1 ORDER BY id", SQL_NOTHING, fn,
	    context, err);
}

int store_strangers_kept(struct store *store, struct strangers *out, struct err *err)
{
	struct sql_query query;
	bool found;
	*out = (struct strangers){.count = 0};
	if (sql_first(store, &query,
		"SELECT count(*), ifnull(sum(size), 0), ifnull(min(id), 0), ifnull(max(id), 0)"
		" FROM arrival WHERE" OF_STRANGERS,
		SQL_NOTHING, &found, err) != 0)
		return -1;
	if (found)
		*out = (struct strangers){sql_column_int(&query, 0), sql_column_int(&query, 1),
		    sql_column_int(&query, 2), sql_column_int(&query, 3)};
	sql_close(&query);
	return 0;
}

/* The oldest ones up to which there is too much: *out without having changed anything. */
static int choose_strangers(struct store *store, int64_t before, int64_t excess, int64_t most,
    struct strangers *out, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT id, received_at, size FROM arrival WHERE" OF_STRANGERS
		"ORDER BY id LIMIT ?1",
		SQL_WITH(sql_int(most)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (sql_column_int(&query, 1) >= before && out->bytes >= excess)
			break;
		out->last = sql_column_int(&query, 0);
		if (out->count++ == 0)
			out->first = out->last;
		out->bytes += sql_column_int(&query, 2);
	}
	sql_close(&query);
	return got < 0 ? -1 : 0;
}

static int remove_strangers(struct store *store, const struct strangers *chosen, struct err *err)
{
	return sql_run(store,
		   "DELETE FROM arrival_raw WHERE arrival IN (SELECT id FROM arrival"
		   " WHERE id <= ?1 AND" OF_STRANGERS ")",
		   SQL_WITH(sql_int(chosen->last)), NULL, err) != 0 ||
		       sql_run(store, "UPDATE arrival SET kept = 0 WHERE id <= ?1 AND" OF_STRANGERS,
			   SQL_WITH(sql_int(chosen->last)), NULL, err) != 0
		   ? -1
		   : 0;
}

int store_strangers_remove(struct store *store, int64_t before, int64_t bytes, int64_t most,
    struct strangers *out, struct err *err)
{
	struct strangers kept;
	bool mine;
	*out = (struct strangers){.count = 0};
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = store_strangers_kept(store, &kept, err);
	if (result == 0)
		result = choose_strangers(store, before, kept.bytes - bytes, most, out, err);
	if (result == 0 && out->count > 0)
		result = remove_strangers(store, out, err);
	return sql_leave(store, mine, result, err);
}

static int move(struct store *store, int64_t id, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *err)
{
	struct arrival arrival;
	bool found;
	if (store_arrival_get(store, id, &arrival, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "there is no arrival %lld", (long long)id);
	const char *to = state_after(STATE_ARRIVAL, arrival.state, event);
	if (to == NULL)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "arrival %lld is %s: no \"%s\" then",
		    (long long)id, arrival.state, event);
	return sql_run(store,
	    "UPDATE arrival SET state = ?3, meaning = ifnull(?4, meaning),"
	    " reason = ifnull(?5, reason), signer = ifnull(?6, signer)"
	    " WHERE id = ?1 AND state = ?2",
	    SQL_WITH(sql_int(id), sql_text(arrival.state), sql_text(to),
		sql_cut(meaning, sizeof arrival.meaning), sql_cut(reason, sizeof arrival.reason),
		sql_cut(signer, sizeof arrival.signer)),
	    NULL, err);
}

int store_arrival_move(struct store *store, int64_t id, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = move(store, id, event, meaning, reason, signer, err);
	return sql_leave(store, mine, result, err);
}

static int retry(struct store *store, int64_t id, int64_t now, bool *taken, struct err *err)
{
	struct arrival arrival;
	bool found;
	*taken = false;
	if (store_arrival_get(store, id, &arrival, &found, err) != 0)
		return -1;
	if (!found || !arrival.kept)
		return 0;
	const bool unreadable = strcmp(arrival.state, "unreadable") == 0;
	if (!unreadable &&
	    (arrival.wait_until == 0 || state_is_final(STATE_ARRIVAL, arrival.state)))
		return 0;
	if (unreadable && move(store, id, "retry", NULL, NULL, NULL, err) != 0)
		return -1;
	*taken = true;
	return sql_run(store,
	    "UPDATE arrival SET wait_until = max(?2, 1), tries = 0, told = 0 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_int(now)), NULL, err);
}

int store_arrival_retry(
    struct store *store, int64_t id, int64_t now, bool *taken, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = retry(store, id, now, taken, err);
	return sql_leave(store, mine, result, err);
}

int store_arrival_set_shape(
    struct store *store, int64_t id, const char *shape, const char *refusal, struct err *err)
{
	return sql_run(store, "UPDATE arrival SET shape = ?2, refusal = ?3 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_text(shape), sql_text(refusal)), NULL, err);
}

int store_signed_seen(
    struct store *store, const char *digest, int64_t arrival, bool *fresh, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO signed_seen (digest, arrival) VALUES (?1, ?2)"
	    " ON CONFLICT (digest) DO NOTHING",
	    SQL_WITH(sql_text(digest), sql_int(arrival)), &changes, err);
	*fresh = changes == 1;
	return result;
}

int store_signed_first(struct store *store, const char *digest, int64_t *arrival, struct err *err)
{
	return sql_number(store, "SELECT arrival FROM signed_seen WHERE digest = ?1",
	    SQL_WITH(sql_text(digest)), arrival, err);
}
