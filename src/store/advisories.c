#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/advisories.h"
#include "store/epoch.h"
#include "store/sql.h"
#include "store/state.h"

int store_advisory_next_number(struct store *store, const char *prefix, int year,
    char out[static STORE_NUMBER_SIZE], struct err *err)
{
	struct sql_query query;
	struct epoch epoch;
	int got;
	int64_t last = 0;
	if (store_epoch_get(store, &epoch, err) != 0)
		return -1;
	if (sql_open(store, &query,
		"INSERT INTO advisory_number (prefix, year, last) VALUES (?1, ?2, 1)"
		" ON CONFLICT (prefix, year) DO UPDATE SET last = last + 1 RETURNING last",
		SQL_WITH(sql_text(prefix), sql_int(year)), err) != 0)
		return -1;
	/* To the end: only then is the statement's work committed. */
	while ((got = sql_next(&query, err)) > 0)
		last = sql_column_int(&query, 0);
	if (got != 0)
		return -1;
	const int len = snprintf(
	    out, STORE_NUMBER_SIZE, "%s-%d-%s%04" PRId64, prefix, year, epoch.tag, last);
	if (len < 0 || len >= STORE_NUMBER_SIZE)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the prefix %s is too long", prefix);
	return 0;
}

#define ADVISORY_COLUMNS                                                                           \
	"SELECT a.id, a.number, a.state, a.tlp, a.severity, a.exercise, a.publisher, "             \
	"a.created_at, a.kind = 'bulletin',"                                                       \
	" (SELECT ifnull(max(r.number), 0) FROM revision AS r WHERE r.advisory = a.id),"           \
	" ifnull((SELECT (e.number - 1) * 100 FROM epoch AS e WHERE e.advisory >= a.id"            \
	" AND e.number = (SELECT max(number) FROM epoch)), 0) FROM advisory AS a "

static void read_advisory(const struct sql_query *query, struct advisory *out)
{
	*out = (struct advisory){
	    .id = sql_column_int(query, 0),
	    .exercise = sql_column_bool(query, 5),
	    .publisher = sql_column_int(query, 6),
	    .created_at = sql_column_int(query, 7),
	    .bulletin = sql_column_bool(query, 8),
	    .revisions = sql_column_int(query, 9),
	};
	const int64_t given_out = sql_column_int(query, 10);
	out->next_revision = (out->revisions > given_out ? out->revisions : given_out) + 1;
	sql_column_text(query, 1, out->number, sizeof out->number);
	sql_column_text(query, 2, out->state, sizeof out->state);
	sql_column_text(query, 3, out->tlp, sizeof out->tlp);
	sql_column_text(query, 4, out->severity, sizeof out->severity);
}

int store_advisory_add(struct store *store, struct advisory *advisory, struct err *err)
{
	const char *first = strcmp(advisory->state, "held") == 0 ? "held" : "released";
	if (sql_run(store,
		"INSERT INTO advisory (number, state, tlp, severity, exercise, publisher,"
		" created_at, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		SQL_WITH(sql_text(advisory->number), sql_text(first), sql_text(advisory->tlp),
		    sql_text(advisory->severity), sql_int(advisory->exercise),
		    sql_int(advisory->publisher), sql_int(advisory->created_at),
		    sql_text(advisory->bulletin ? "bulletin" : "advisory")),
		NULL, err) != 0)
		return -1;
	advisory->id = sql_last_id(store);
	advisory->revisions = 0;
	advisory->next_revision = 1;
	view_copy(view_of(first), advisory->state, sizeof advisory->state);
	return 0;
}

static int find_advisory(struct store *store, const char *text, const struct sql_value *values,
    struct advisory *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_advisory(&query, out);
	sql_close(&query);
	return 0;
}

int store_advisory_get(
    struct store *store, const char *number, struct advisory *out, bool *found, struct err *err)
{
	return find_advisory(store, ADVISORY_COLUMNS "WHERE a.number = ?1",
	    SQL_WITH(sql_text(number)), out, found, err);
}

int store_advisory_by_id(
    struct store *store, int64_t id, struct advisory *out, bool *found, struct err *err)
{
	return find_advisory(
	    store, ADVISORY_COLUMNS "WHERE a.id = ?1", SQL_WITH(sql_int(id)), out, found, err);
}

int store_advisory_each_of(struct store *store, enum advisory_choice choice, int64_t most,
    advisory_fn *fn, void *context, struct err *err)
{
	const int64_t least = choice == ADVISORY_EXERCISE ? 1 : 0;
	const int64_t greatest = choice == ADVISORY_EARNEST ? 0 : 1;
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		ADVISORY_COLUMNS "WHERE a.exercise BETWEEN ?2 AND ?3 ORDER BY a.id DESC LIMIT ?1",
		SQL_WITH(sql_int(most), sql_int(least), sql_int(greatest)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct advisory advisory;
		read_advisory(&query, &advisory);
		if (fn(context, &advisory, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_advisory_each(
    struct store *store, int64_t most, advisory_fn *fn, void *context, struct err *err)
{
	return store_advisory_each_of(store, ADVISORY_ANY, most, fn, context, err);
}

static int move(struct store *store, int64_t id, const char *event, struct err *err)
{
	struct advisory advisory;
	bool found;
	if (store_advisory_by_id(store, id, &advisory, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "there is no advisory %" PRId64, id);
	const char *to = state_after(STATE_ADVISORY, advisory.state, event);
	if (to == NULL)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s is %s: no \"%s\" then",
		    advisory.number, advisory.state, event);
	return sql_run(store, "UPDATE advisory SET state = ?3 WHERE id = ?1 AND state = ?2",
	    SQL_WITH(sql_int(id), sql_text(advisory.state), sql_text(to)), NULL, err);
}

int store_advisory_move(struct store *store, int64_t id, const char *event, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, move(store, id, event, err), err);
}

int store_advisory_reached(struct store *store, int64_t advisory,
    int (*fn)(void *context, int64_t contact, struct err *err), void *context, struct err *err)
{
	/* One that failed after an attempt of unknown outcome may well have arrived. */
	return sql_each_number(store,
	    "SELECT DISTINCT d.contact FROM revision AS r"
	    " JOIN delivery AS d ON d.message = r.message WHERE r.advisory = ?1"
	    " AND d.contact IS NOT NULL AND (d.state <> 'failed' OR d.ambiguous > 0)"
	    " ORDER BY d.contact",
	    SQL_WITH(sql_int(advisory)), fn, context, err);
}

int store_withdrawal_ask(
    struct store *store, int64_t advisory, int64_t now, bool *fresh, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO withdrawal (advisory, asked_at) VALUES (?1, ?2)"
	    " ON CONFLICT (advisory) DO NOTHING",
	    SQL_WITH(sql_int(advisory), sql_int(now)), &changes, err);
	*fresh = changes == 1;
	return result;
}

int store_withdrawal_next(struct store *store, int64_t *advisory, bool *found, struct err *err)
{
	const int result = sql_number(store,
	    "SELECT advisory FROM withdrawal WHERE done = 0 ORDER BY asked_at, advisory LIMIT 1",
	    SQL_NOTHING, advisory, err);
	*found = result == 0 && *advisory != 0;
	return result;
}

int store_withdrawal_done(struct store *store, int64_t advisory, struct err *err)
{
	return sql_run(store, "UPDATE withdrawal SET done = 1 WHERE advisory = ?1",
	    SQL_WITH(sql_int(advisory)), NULL, err);
}
