#include "config.h"

#include <string.h>

#include "store/holds.h"
#include "store/sql.h"
#include "store/state.h"

#define HOLD_COLUMNS                                                                               \
	"SELECT id, advisory, state, arrival, publisher, fingerprint, created_at, release_at,"     \
	" token, asked, decided_by, ended_at, reading"
enum { HOLD_TITLE_COLUMN = 13 };

/* Without the title. */
static void read_hold(const struct sql_query *query, struct hold *out)
{
	*out = (struct hold){
	    .id = sql_column_int(query, 0),
	    .advisory = sql_column_int(query, 1),
	    .arrival = sql_column_int(query, 3),
	    .publisher = sql_column_int(query, 4),
	    .created_at = sql_column_int(query, 6),
	    .release_at = sql_column_int(query, 7),
	    .asked = sql_column_bool(query, 9),
	    .decided_by = sql_column_int(query, 10),
	    .ended_at = sql_column_int(query, 11),
	    .title = {"", 0},
	};
	sql_column_text(query, 2, out->state, sizeof out->state);
	sql_column_text(query, 5, out->fingerprint, sizeof out->fingerprint);
	sql_column_text(query, 8, out->token, sizeof out->token);
	sql_column_text(query, 12, out->reading, sizeof out->reading);
}

int store_hold_add(struct store *store, struct hold *hold, struct err *err)
{
	const char *state = hold->token[0] == '\0' ? "held" : "waiting";
	if (sql_run(store,
		"INSERT INTO hold (advisory, state, arrival, publisher, fingerprint, created_at,"
		" release_at, token, title, reading)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		SQL_WITH(sql_int(hold->advisory), sql_text(state), sql_int(hold->arrival),
		    sql_int(hold->publisher), sql_text(hold->fingerprint),
		    sql_int(hold->created_at), sql_int(hold->release_at), sql_name(hold->token),
		    sql_bytes(hold->title), sql_text(hold->reading)),
		NULL, err) != 0)
		return -1;
	hold->id = sql_last_id(store);
	view_copy(view_of(state), hold->state, sizeof hold->state);
	return 0;
}

static int find_hold(struct store *store, const char *text, const struct sql_value *values,
    struct hold *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_hold(&query, out);
	sql_close(&query);
	return 0;
}

int store_hold_get(struct store *store, int64_t id, struct hold *out, bool *found, struct err *err)
{
	return find_hold(
	    store, HOLD_COLUMNS " FROM hold WHERE id = ?1", SQL_WITH(sql_int(id)), out, found, err);
}

int store_hold_by_token(
    struct store *store, const char *token, struct hold *out, bool *found, struct err *err)
{
	return find_hold(store, HOLD_COLUMNS " FROM hold WHERE token = ?1",
	    SQL_WITH(sql_text(token)), out, found, err);
}

int store_hold_open(
    struct store *store, int64_t advisory, struct hold *out, bool *found, struct err *err)
{
	return find_hold(store,
	    HOLD_COLUMNS " FROM hold WHERE advisory = ?1 AND state IN ('waiting', 'held')",
	    SQL_WITH(sql_int(advisory)), out, found, err);
}

int store_hold_each(
    struct store *store, int64_t advisory, hold_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		HOLD_COLUMNS ", title FROM hold WHERE advisory = ?1 ORDER BY id",
		SQL_WITH(sql_int(advisory)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct hold hold;
		read_hold(&query, &hold);
		hold.title = sql_column_view(&query, HOLD_TITLE_COLUMN);
		if (fn(context, &hold, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_hold_unasked(
    struct store *store, int64_t after, struct hold *out, bool *found, struct err *err)
{
	return find_hold(store,
	    HOLD_COLUMNS " FROM hold WHERE state = 'waiting' AND asked = 0"
			 " ORDER BY id <= ?1, id LIMIT 1",
	    SQL_WITH(sql_int(after)), out, found, err);
}

/* What an admin wants to withdraw does not go any more, even if that is carried out a moment later.
 */
int store_hold_due(struct store *store, int64_t now, int64_t after, struct hold *out, bool *found,
    struct err *err)
{
	return find_hold(store,
	    HOLD_COLUMNS
	    " FROM hold AS h WHERE state = 'held' AND release_at <= ?1 AND NOT EXISTS (SELECT 1"
	    " FROM withdrawal AS w WHERE w.advisory = h.advisory AND w.done = 0)"
	    " ORDER BY id <= ?2, id LIMIT 1",
	    SQL_WITH(sql_int(now), sql_int(after)), out, found, err);
}

int store_hold_next_time(struct store *store, int64_t now, int64_t *at, struct err *err)
{
	return sql_number(store,
	    "SELECT release_at FROM hold WHERE state = 'held' AND release_at > ?1"
	    " ORDER BY release_at LIMIT 1",
	    SQL_WITH(sql_int(now)), at, err);
}

static int may_move(
    struct store *store, const struct hold *hold, const char *event, bool *may, struct err *err)
{
	int64_t wishes = 0;
	if (strcmp(event, "release") == 0 &&
	    sql_number(store, "SELECT count(*) FROM withdrawal WHERE advisory = ?1 AND done = 0",
		SQL_WITH(sql_int(hold->advisory)), &wishes, err) != 0)
		return -1;
	*may = wishes == 0 && state_after(STATE_HOLD, hold->state, event) != NULL;
	return 0;
}

static int move(struct store *store, int64_t id, const char *event, int64_t decided_by, int64_t now,
    bool *moved, struct err *err)
{
	struct hold hold;
	bool found;
	*moved = false;
	if (store_hold_get(store, id, &hold, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "there is no such hold");
	if (may_move(store, &hold, event, moved, err) != 0)
		return -1;
	if (!*moved)
		return 0;
	const char *to = state_after(STATE_HOLD, hold.state, event);
	return sql_run(store,
	    "UPDATE hold SET state = ?2, decided_by = ifnull(?3, decided_by), ended_at = ?4"
	    " WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_text(to), sql_id(decided_by),
		sql_int(state_is_final(STATE_HOLD, to) ? now : 0)),
	    NULL, err);
}

int store_hold_move(struct store *store, int64_t id, const char *event, int64_t decided_by,
    int64_t now, bool *moved, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, move(store, id, event, decided_by, now, moved, err), err);
}

int store_hold_set_asked(struct store *store, int64_t id, bool *fresh, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store, "UPDATE hold SET asked = 1 WHERE id = ?1 AND asked = 0",
	    SQL_WITH(sql_int(id)), &changes, err);
	*fresh = changes == 1;
	return result;
}
