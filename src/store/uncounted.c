#include "config.h"

#include "store/sql.h"
#include "store/uncounted.h"

int store_uncounted_add(
    struct store *store, const struct uncounted_answer *answer, bool *fresh, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO uncounted_answer (revision, contact, reason, arrival, signed_at,"
	    " received_at, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (revision, contact, reason) DO NOTHING",
	    SQL_WITH(sql_int(answer->revision), sql_int(answer->contact), sql_text(answer->reason),
		sql_int(answer->arrival), sql_int(answer->signed_at),
		sql_int(answer->received_at), sql_int(answer->told)),
	    &changes, err);
	*fresh = changes == 1;
	return result;
}

int store_uncounted_next(
    struct store *store, struct uncounted_answer *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query,
		"SELECT u.id, u.revision, r.message, u.contact, u.arrival, u.signed_at,"
		" u.received_at, u.reason FROM uncounted_answer AS u"
		" JOIN revision AS r ON r.id = u.revision WHERE u.told = 0 ORDER BY u.id LIMIT 1",
		SQL_NOTHING, found, err) != 0)
		return -1;
	if (!*found)
		return 0;
	*out = (struct uncounted_answer){
	    .id = sql_column_int(&query, 0),
	    .revision = sql_column_int(&query, 1),
	    .message = sql_column_int(&query, 2),
	    .contact = sql_column_int(&query, 3),
	    .arrival = sql_column_int(&query, 4),
	    .signed_at = sql_column_int(&query, 5),
	    .received_at = sql_column_int(&query, 6),
	};
	sql_column_text(&query, 7, out->reason, sizeof out->reason);
	sql_close(&query);
	return 0;
}

int store_uncounted_set_told(struct store *store, int64_t id, int64_t message, struct err *err)
{
	return sql_run(store, "UPDATE uncounted_answer SET told = 1, notice = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(id), sql_id(message)), NULL, err);
}

int store_uncounted_set_told_by(
    struct store *store, int64_t revision, int64_t arrival, int64_t message, struct err *err)
{
	return sql_run(store,
	    "UPDATE uncounted_answer SET told = 1, notice = ?3"
	    " WHERE told = 0 AND revision = ?1 AND arrival = ?2",
	    SQL_WITH(sql_int(revision), sql_int(arrival), sql_id(message)), NULL, err);
}

int store_uncounted_count_untold(struct store *store, int64_t *count, struct err *err)
{
	return sql_number(store,
	    "SELECT count(*) FROM uncounted_answer AS u JOIN delivery AS d ON d.message = u.notice"
	    " WHERE d.state = 'failed' AND NOT EXISTS (SELECT 1 FROM acknowledgment AS a"
	    " WHERE a.revision = u.revision AND a.contact = u.contact)",
	    SQL_NOTHING, count, err);
}

int store_uncounted_reason(struct store *store, int64_t revision, int64_t arrival,
    char reason[static STORE_ID_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	reason[0] = '\0';
	if (sql_first(store, &query,
		"SELECT reason FROM uncounted_answer WHERE revision = ?1 AND arrival = ?2"
		" ORDER BY id LIMIT 1",
		SQL_WITH(sql_int(revision), sql_int(arrival)), &found, err) != 0)
		return -1;
	if (found)
		sql_column_text(&query, 0, reason, STORE_ID_SIZE);
	sql_close(&query);
	return 0;
}
