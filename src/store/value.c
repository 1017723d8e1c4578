#include "config.h"

#include "store/sql.h"
#include "store/store.h"

int store_value_get(
    struct store *store, const char *name, struct buf *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, "SELECT value FROM value WHERE name = ?1",
		SQL_WITH(sql_text(name)), found, err) != 0)
		return -1;
	if (!*found)
		return 0;
	buf_add_view(out, sql_column_view(&query, 0));
	sql_close(&query);
	if (out->overflow)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the value %s is too large", name);
	return 0;
}

int store_value_set(struct store *store, const char *name, struct view value, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO value (name, value) VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	    SQL_WITH(sql_text(name), sql_bytes(value)), NULL, err);
}

/* Counters are decimal text, so that store_value_get shows them as they are. */
int store_counter_add(struct store *store, const char *name, int64_t count, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO value (name, value) VALUES (?1, CAST(CAST(?2 AS TEXT) AS BLOB))"
	    " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST("
	    "CAST(CAST(value AS TEXT) AS INTEGER) + ?2 AS TEXT) AS BLOB)",
	    SQL_WITH(sql_text(name), sql_int(count)), NULL, err);
}
