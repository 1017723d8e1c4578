#include "config.h"

#include <string.h>

#include "store/copies.h"
#include "store/sql.h"

int store_copy_add(struct store *store, const struct traced_copy *copy, struct err *err)
{
	const struct view mark = {(const char *)copy->mark, sizeof copy->mark};
	return sql_run(store,
	    "INSERT INTO traced_copy (delivery, message, number, mark, stash)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_WITH(sql_int(copy->delivery), sql_int(copy->message), sql_int(copy->number),
		sql_bytes(mark), sql_bytes(copy->stash)),
	    NULL, err);
}

int store_copy_each(
    struct store *store, int64_t message, traced_copy_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT c.delivery, c.message, c.number, c.mark, d.contact, d.address"
		" FROM traced_copy AS c JOIN delivery AS d ON d.id = c.delivery"
		" WHERE c.message = ?1 ORDER BY c.number",
		SQL_WITH(sql_int(message)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct traced_copy copy = {
		    .delivery = sql_column_int(&query, 0),
		    .message = sql_column_int(&query, 1),
		    .number = sql_column_int(&query, 2),
		    .contact = sql_column_int(&query, 4),
		    .stash = VIEW(""),
		};
		const struct view mark = sql_column_view(&query, 3);
		sql_column_text(&query, 5, copy.address, sizeof copy.address);
		if (mark.len == sizeof copy.mark)
			memcpy(copy.mark, mark.data, sizeof copy.mark);
		if (fn(context, &copy, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_copy_count(struct store *store, int64_t message, int64_t *count, struct err *err)
{
	return sql_number(store, "SELECT count(*) FROM traced_copy WHERE message = ?1",
	    SQL_WITH(sql_int(message)), count, err);
}

int store_copy_stash(struct store *store, int64_t delivery, struct buf *out, struct err *err)
{
	return sql_read_blob(store, "traced_copy", "stash", delivery, out, err);
}
