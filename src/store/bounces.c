#include "config.h"

#include "store/bounces.h"
#include "store/sql.h"

int store_bounce_add(struct store *store, const struct bounce *bounce, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO bounce (delivery, arrival, received_at, verdict, action, status,"
	    " recipient, diagnostic, first_lines, instead, told)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	    SQL_WITH(sql_int(bounce->delivery), sql_int(bounce->arrival),
		sql_int(bounce->received_at), sql_text(bounce->verdict), sql_text(bounce->action),
		sql_text(bounce->status), sql_text(bounce->recipient), sql_text(bounce->diagnostic),
		sql_text(bounce->lines), sql_id(bounce->instead), sql_int(bounce->told)),
	    NULL, err);
}

#define FAILURES " verdict IN ('bounced', 'given up', 'unreadable') "
#define REPLIES " verdict IN ('auto-reply', 'written') "

int store_bounce_count(
    struct store *store, int64_t delivery, bool replies, int64_t *count, struct err *err)
{
	return sql_number(store,
	    replies ? "SELECT count(*) FROM bounce WHERE delivery = ?1 AND" REPLIES
		    : "SELECT count(*) FROM bounce WHERE delivery = ?1 AND" FAILURES,
	    SQL_WITH(sql_int(delivery)), count, err);
}

int store_bounce_open(struct store *store, int64_t since, int64_t *count,
    char address[static STORE_ADDRESS_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	*count = 0;
	address[0] = '\0';
	if (sql_first(store, &query,
		"SELECT count(DISTINCT d.id), d.address, max(b.id) FROM bounce AS b"
		" JOIN delivery AS d ON d.id = b.delivery"
		" WHERE b.received_at >= ?1 AND d.state <> 'acknowledged' AND" FAILURES,
		SQL_WITH(sql_int(since)), &found, err) != 0)
		return -1;
	if (found && (*count = sql_column_int(&query, 0)) > 0)
		sql_column_text(&query, 1, address, STORE_ADDRESS_SIZE);
	sql_close(&query);
	return 0;
}

#define BOUNCE_COLUMNS                                                                             \
	"SELECT b.id, b.delivery, b.arrival, b.received_at, b.verdict, b.action, b.status,"        \
	" b.recipient, b.diagnostic, b.instead, b.told, d.message, d.contact, d.address,"          \
	" i.address, b.first_lines FROM bounce AS b JOIN delivery AS d ON d.id = b.delivery"       \
	" LEFT JOIN delivery AS i ON i.id = b.instead "

static void read_bounce(const struct sql_query *query, struct bounce *out)
{
	*out = (struct bounce){
	    .id = sql_column_int(query, 0),
	    .delivery = sql_column_int(query, 1),
	    .arrival = sql_column_int(query, 2),
	    .received_at = sql_column_int(query, 3),
	    .instead = sql_column_int(query, 9),
	    .told = sql_column_bool(query, 10),
	    .message = sql_column_int(query, 11),
	    .contact = sql_column_int(query, 12),
	};
	sql_column_text(query, 4, out->verdict, sizeof out->verdict);
	sql_column_text(query, 5, out->action, sizeof out->action);
	sql_column_text(query, 6, out->status, sizeof out->status);
	sql_column_text(query, 7, out->recipient, sizeof out->recipient);
	sql_column_text(query, 8, out->diagnostic, sizeof out->diagnostic);
	sql_column_text(query, 13, out->address, sizeof out->address);
	sql_column_text(query, 14, out->instead_address, sizeof out->instead_address);
	sql_column_text(query, 15, out->lines, sizeof out->lines);
}

static int each(struct store *store, const char *text, const struct sql_value *values,
    bounce_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct bounce bounce;
		read_bounce(&query, &bounce);
		if (fn(context, &bounce, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_bounce_each_untold(struct store *store, bounce_fn *fn, void *context, struct err *err)
{
	return each(
	    store, BOUNCE_COLUMNS "WHERE b.told = 0 ORDER BY b.id", SQL_NOTHING, fn, context, err);
}

int store_bounce_set_told(struct store *store, int64_t message, int64_t most_id, struct err *err)
{
	return sql_run(store,
	    "UPDATE bounce SET told = 1 WHERE told = 0 AND id <= ?2"
	    " AND delivery IN (SELECT id FROM delivery WHERE message = ?1)",
	    SQL_WITH(sql_int(message), sql_int(most_id)), NULL, err);
}

int store_bounce_each(
    struct store *store, int64_t advisory, bounce_fn *fn, void *context, struct err *err)
{
	return each(store,
	    BOUNCE_COLUMNS "WHERE ?1 = 0 OR d.message IN"
			   " (SELECT message FROM revision WHERE advisory = ?1) ORDER BY b.id",
	    SQL_WITH(sql_int(advisory)), fn, context, err);
}
