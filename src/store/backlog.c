#include "config.h"

#include "store/backlog.h"
#include "store/sql.h"

/* `text` gives a number and the oldest time. */
static int add(struct store *store, const char *text, int64_t before, int64_t *count,
    struct backlog *out, struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query, text, SQL_WITH(sql_int(before)), &found, err) != 0)
		return -1;
	*count = sql_column_int(&query, 0);
	const int64_t oldest = sql_column_int(&query, 1);
	if (*count > 0 && (out->since == 0 || oldest < out->since))
		out->since = oldest;
	sql_close(&query);
	return 0;
}

int store_backlog(struct store *store, int64_t before, struct backlog *out, struct err *err)
{
	*out = (struct backlog){0};
	if (add(store,
		"SELECT count(*), min(received_at) FROM arrival"
		" WHERE state IN ('received', 'judged') AND received_at < ?1"
		" AND wait_until < ?1",
		before, &out->mails, out, err) != 0 ||
	    add(store,
		"SELECT count(*), min(m.created_at) FROM delivery AS d"
		" JOIN message AS m ON m.id = d.message"
		" WHERE d.state = 'queued' AND d.batch IS NULL AND m.created_at < ?1",
		before, &out->unsealed, out, err) != 0 ||
	    add(store,
		"SELECT count(*), min(m.created_at) FROM delivery AS d"
		" JOIN message AS m ON m.id = d.message"
		" WHERE d.state IN ('queued', 'deferred') AND d.batch IS NOT NULL"
		" AND d.next_at < ?1 AND d.attempts = 0 AND m.created_at < ?1",
		before, &out->untried, out, err) != 0 ||
	    add(store,
		"SELECT count(*), min(since) FROM (SELECT CASE state WHEN 'held'"
		" THEN max(release_at, created_at) ELSE created_at END AS since FROM hold"
		" WHERE state = 'held' OR (state = 'waiting' AND asked = 0)) WHERE since < ?1",
		before, &out->drafts, out, err) != 0)
		return -1;
	return add(store,
	    "SELECT count(*), min(asked_at) FROM withdrawal WHERE done = 0 AND asked_at < ?1", before,
	    &out->withdrawals, out, err);
}
