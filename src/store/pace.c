#include "config.h"

#include <inttypes.h>

#include "store/lines.h"
#include "store/pace.h"
#include "store/sql.h"

static const char name[] = "clock";

static void take(struct pace_state *state, struct view rest)
{
	char boot[STORE_REASON_SIZE];
	state->mark.now = lines_next_number(&rest);
	state->mark.running = lines_next_number(&rest);
	lines_next_text(&rest, boot);
	view_copy(view_of(boot), state->mark.boot, sizeof state->mark.boot);
	state->since = lines_next_number(&rest);
	state->ahead = lines_next_number(&rest);
	state->behind = lines_next_number(&rest);
	state->started = lines_next_number(&rest) != 0;
	state->told = lines_next_number(&rest) != 0;
	state->slow_told = lines_next_number(&rest) != 0;
}

int store_pace_get(struct store *store, struct pace_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*state = (struct pace_state){.since = 0};
	const int result = store_value_get(store, name, &value, &found, err);
	if (result == 0 && found)
		take(state, buf_view(&value));
	buf_release(&value);
	return result;
}

int store_pace_set(struct store *store, const struct pace_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(&value, "%" PRId64 "\n%" PRId64 "\n", state->mark.now, state->mark.running);
	lines_add_text(&value, state->mark.boot);
	buf_printf(&value, "%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%d\n%d\n%d\n", state->since,
	    state->ahead, state->behind, state->started, state->told, state->slow_told);
	const int result = store_value_set(store, name, buf_view(&value), err);
	buf_release(&value);
	return result;
}

int store_witness_set(struct store *store, const struct witness *witness, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO clock_witness (fingerprint, ahead, seen_at) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (fingerprint) DO UPDATE SET ahead = ?2, seen_at = ?3",
	    SQL_WITH(sql_text(witness->fingerprint), sql_int(witness->ahead),
		sql_int(witness->seen_at)),
	    NULL, err);
}

int store_witness_each(
    struct store *store, int64_t since, witness_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int result;
	if (sql_open(store, &query,
		"SELECT w.fingerprint, w.ahead, w.seen_at, coalesce("
		" (SELECT address FROM contact WHERE fingerprint = w.fingerprint AND removed = 0),"
		" (SELECT address FROM publisher WHERE fingerprint = w.fingerprint"
		" AND removed = 0), '')"
		" FROM clock_witness AS w WHERE w.seen_at >= ?1 ORDER BY w.ahead DESC, w.fingerprint",
		SQL_WITH(sql_int(since)), err) != 0)
		return -1;
	while ((result = sql_next(&query, err)) == 1) {
		struct witness witness = {
		    .ahead = sql_column_int(&query, 1),
		    .seen_at = sql_column_int(&query, 2),
		};
		sql_column_text(&query, 0, witness.fingerprint, sizeof witness.fingerprint);
		sql_column_text(&query, 3, witness.address, sizeof witness.address);
		if (fn(context, &witness, err) != 0) {
			sql_close(&query);
			return -1;
		}
	}
	return result;
}

int store_witness_forget(struct store *store, struct err *err)
{
	return sql_run(store, "DELETE FROM clock_witness", SQL_NOTHING, NULL, err);
}
