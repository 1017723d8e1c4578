#include "config.h"

#include "store/lost.h"
#include "store/sql.h"

/* As the schema has them. */
static const char *const kinds[LOST_KINDS] = {
    [LOST_ANSWER] = "answer",
    [LOST_NUMBER] = "number",
    [LOST_RETURN_PATH] = "return path",
};

int store_lost_add(struct store *store, const struct lost_trace *trace, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO lost_trace (kind, subject, arrival, contact, publisher, received_at, told)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, subject, arrival) DO NOTHING",
	    SQL_WITH(sql_text(kinds[trace->kind]), sql_cut(trace->subject, sizeof trace->subject),
		sql_int(trace->arrival), sql_id(trace->contact), sql_id(trace->publisher),
		sql_int(trace->received_at), sql_int((int64_t)trace->told)),
	    NULL, err);
}

static void read_trace(const struct sql_query *query, struct lost_trace *out)
{
	*out = (struct lost_trace){
	    .id = sql_column_int(query, 0),
	    .arrival = sql_column_int(query, 3),
	    .contact = sql_column_int(query, 4),
	    .publisher = sql_column_int(query, 5),
	    .received_at = sql_column_int(query, 6),
	    .told = (enum lost_told)sql_column_int(query, 7),
	};
	for (size_t i = 0; i < LOST_KINDS; i++) {
		if (view_is(sql_column_view(query, 1), kinds[i]))
			out->kind = (enum lost_kind)i;
	}
	sql_column_text(query, 2, out->subject, sizeof out->subject);
	sql_column_text(query, 8, out->address, sizeof out->address);
}

int store_lost_each(
    struct store *store, enum lost_told told, lost_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT t.id, t.kind, t.subject, t.arrival, t.contact, t.publisher, t.received_at,"
		" t.told, ifnull(c.address, ifnull(p.address, '')) FROM lost_trace AS t"
		" LEFT JOIN contact AS c ON c.id = t.contact"
		" LEFT JOIN publisher AS p ON p.id = t.publisher"
		" WHERE t.told < 2 AND t.told = ?1 ORDER BY t.id",
		SQL_WITH(sql_int((int64_t)told)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct lost_trace trace;
		read_trace(&query, &trace);
		if (fn(context, &trace, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_lost_set_told(struct store *store, int64_t id, enum lost_told told, struct err *err)
{
	return sql_run(store, "UPDATE lost_trace SET told = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_int((int64_t)told)), NULL, err);
}

int store_lost_set_admins_told(struct store *store, int64_t most_id, struct err *err)
{
	return sql_run(store, "UPDATE lost_trace SET told = 2 WHERE told = 1 AND id <= ?1",
	    SQL_WITH(sql_int(most_id)), NULL, err);
}

int store_lost_count(struct store *store, int64_t since, int64_t *count, struct err *err)
{
	return sql_number(store, "SELECT count(*) FROM lost_trace WHERE received_at >= ?1",
	    SQL_WITH(sql_int(since)), count, err);
}
