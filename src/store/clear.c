#include "config.h"

#include "store/clear.h"
#include "store/sql.h"

int store_clear_add(
    struct store *store, const struct acknowledgment *acknowledgment, bool *fresh, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO clear_answer (acknowledgment, revision, contact) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (revision, contact) DO NOTHING",
	    SQL_WITH(sql_int(acknowledgment->id), sql_int(acknowledgment->revision),
		sql_int(acknowledgment->contact)),
	    &changes, err);
	*fresh = changes == 1;
	return result;
}

#define CLEAR_COLUMNS                                                                              \
	"SELECT c.id, c.revision, r.message, c.contact, a.arrival, a.signed_at, a.received_at,"    \
	" c.told, a.status, a.clear, p.address, p.member,"                                         \
	" CASE WHEN c.notice IS NULL THEN 'the contact is no more'"                                \
	" WHEN d.state = 'failed' THEN d.reason ELSE '' END"                                       \
	" FROM clear_answer AS c JOIN acknowledgment AS a ON a.id = c.acknowledgment"              \
	" JOIN revision AS r ON r.id = c.revision JOIN contact AS p ON p.id = c.contact"           \
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
	};
	sql_column_text(query, 8, out->status, sizeof out->status);
	sql_column_text(query, 9, out->what, sizeof out->what);
	sql_column_text(query, 10, out->address, sizeof out->address);
	sql_column_text(query, 11, out->member, sizeof out->member);
	sql_column_text(query, 12, out->untold, sizeof out->untold);
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
    struct store *store, int64_t revision, int64_t most_id, struct err *err)
{
	return sql_run(store,
	    "UPDATE clear_answer SET reported = 1"
	    " WHERE reported = 0 AND told = 1 AND revision = ?1 AND id <= ?2",
	    SQL_WITH(sql_int(revision), sql_int(most_id)), NULL, err);
}

int store_clear_each(
    struct store *store, int64_t revision, clear_fn *fn, void *context, struct err *err)
{
	return each(store, CLEAR_COLUMNS "WHERE c.revision = ?1 ORDER BY c.id",
	    SQL_WITH(sql_int(revision)), fn, context, err);
}
