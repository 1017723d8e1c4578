#include "config.h"

#include "store/clear.h"
#include "store/sql.h"

int store_clear_add(
    struct store *store, const struct clear_answer *answer, bool *fresh, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO clear_answer (acknowledgment, revision, contact, arrival, received_at,"
	    " what, claimed, told) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3 IS NULL"
	    /* What the contact signed says more than what merely has the same address. */
	    " WHERE ?1 IS NOT NULL OR NOT EXISTS (SELECT 1 FROM clear_answer"
	    " WHERE revision = ?2 AND contact = ?3 AND acknowledgment IS NOT NULL)"
	    " ON CONFLICT DO NOTHING",
	    SQL_WITH(sql_id(answer->acknowledgment), sql_int(answer->revision),
		sql_id(answer->contact), sql_int(answer->arrival), sql_int(answer->received_at),
		sql_text(answer->what), sql_text(answer->claimed)),
	    &changes, err);
	*fresh = changes == 1;
	return result;
}

#define CLEAR_COLUMNS                                                                              \
	"SELECT c.id, c.revision, r.message, c.contact, c.arrival, a.signed_at, c.received_at,"    \
	" c.told, a.status, c.what, ifnull(p.address, c.claimed), p.member,"                       \
	" CASE WHEN c.notice IS NULL THEN 'the contact is no more'"                                \
	" WHEN d.state = 'failed' THEN d.reason ELSE '' END, c.acknowledgment, c.claimed"          \
	" FROM clear_answer AS c LEFT JOIN acknowledgment AS a ON a.id = c.acknowledgment"         \
	" JOIN revision AS r ON r.id = c.revision LEFT JOIN contact AS p ON p.id = c.contact"      \
	" LEFT JOIN delivery AS d ON d.message = c.notice "

static void read_clear(const struct sql_query *query, struct clear_answer *out)
{
	*out = (struct clear_answer){
	    .id = sql_column_int(query, 0),
	    .revision = sql_column_int(query, 1),
	    .message = sql_column_int(query, 2),
	    .contact = sql_column_int(query, 3),
	    .arrival = sql_column_int(query, 4),
	    .signed_at = sql_column_int(query, 5),
	    .received_at = sql_column_int(query, 6),
	    .told = sql_column_bool(query, 7),
	    .acknowledgment = sql_column_int(query, 13),
	};
	sql_column_text(query, 8, out->status, sizeof out->status);
	sql_column_text(query, 9, out->what, sizeof out->what);
	sql_column_text(query, 10, out->address, sizeof out->address);
	sql_column_text(query, 11, out->member, sizeof out->member);
	sql_column_text(query, 12, out->untold, sizeof out->untold);
	sql_column_text(query, 14, out->claimed, sizeof out->claimed);
}

int store_clear_next(struct store *store, struct clear_answer *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, CLEAR_COLUMNS "WHERE c.told = 0 ORDER BY c.id LIMIT 1",
		SQL_NOTHING, found, err) != 0)
		return -1;
	if (*found)
		read_clear(&query, out);
	sql_close(&query);
	return 0;
}

int store_clear_set_told(struct store *store, int64_t id, int64_t message, struct err *err)
{
	return sql_run(store, "UPDATE clear_answer SET told = 1, notice = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_id(message)), NULL, err);
}

static int each(struct store *store, const char *text, const struct sql_value *values, clear_fn *fn,
    void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct clear_answer answer;
		read_clear(&query, &answer);
		if (fn(context, &answer, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_clear_each_unreported(struct store *store, clear_fn *fn, void *context, struct err *err)
{
	return each(store, CLEAR_COLUMNS "WHERE c.reported = 0 AND c.told = 1 ORDER BY c.id",
	    SQL_NOTHING, fn, context, err);
}

int store_clear_set_reported(
    struct store *store, int64_t revision, bool counted, int64_t most_id, struct err *err)
{
	return sql_run(store,
	    "UPDATE clear_answer SET reported = 1 WHERE reported = 0 AND told = 1"
	    " AND revision = ?1 AND (acknowledgment IS NOT NULL) = ?2 AND id <= ?3",
	    SQL_WITH(sql_int(revision), sql_int(counted), sql_int(most_id)), NULL, err);
}

int store_clear_each(
    struct store *store, int64_t revision, clear_fn *fn, void *context, struct err *err)
{
	return each(store, CLEAR_COLUMNS "WHERE c.revision = ?1 ORDER BY c.id",
	    SQL_WITH(sql_int(revision)), fn, context, err);
}
