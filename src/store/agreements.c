#include "config.h"

#include "store/agreements.h"
#include "store/sql.h"

#define AGREEMENT_COLUMNS                                                                          \
	"SELECT version, published_at, required_from, expires, text FROM agreement "

static void read_agreement(const struct sql_query *query, struct agreement *out)
{
	*out = (struct agreement){
	    .version = sql_column_int(query, 0),
	    .published_at = sql_column_int(query, 1),
	    .required_from = sql_column_int(query, 2),
	    .expires = sql_column_int(query, 3),
	    .text = sql_column_view(query, 4),
	};
}

int store_agreement_add(struct store *store, struct agreement *agreement, struct err *err)
{
	const int result = sql_run(store,
	    "INSERT INTO agreement (published_at, required_from, expires, text)"
	    " VALUES (?1, ?2, ?3, ?4)",
	    SQL_WITH(sql_int(agreement->published_at), sql_int(agreement->required_from),
		sql_int(agreement->expires), sql_view(agreement->text)),
	    NULL, err);
	if (result == 0)
		agreement->version = sql_last_id(store);
	return result;
}

int store_agreement_get(struct store *store, int64_t version, struct agreement *out,
    struct buf *text, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query,
		AGREEMENT_COLUMNS "WHERE ?1 IN (0, version) ORDER BY version DESC LIMIT 1",
		SQL_WITH(sql_int(version)), found, err) != 0)
		return -1;
	if (*found) {
		read_agreement(&query, out);
		buf_add_view(text, out->text);
		out->text = VIEW("");
	}
	sql_close(&query);
	return 0;
}

int store_agreement_each(struct store *store, agreement_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, AGREEMENT_COLUMNS "ORDER BY version", SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct agreement agreement;
		read_agreement(&query, &agreement);
		if (fn(context, &agreement, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_agreement_standing(
    struct store *store, int64_t contact, struct agreement_standing *out, struct err *err)
{
	struct sql_query query;
	int got;
	out->count = 0;
	if (sql_open(store, &query,
		"SELECT a.version, a.required_from, a.expires, n.signed_at, n.answer"
		" FROM (SELECT version, required_from, expires FROM agreement"
		"  ORDER BY version DESC LIMIT ?2) AS a"
		" LEFT JOIN agreement_answer AS n ON n.id ="
		"  (SELECT id FROM agreement_answer WHERE contact = ?1 AND version = a.version"
		"   ORDER BY signed_at DESC, id DESC LIMIT 1)"
		" ORDER BY a.version DESC",
		SQL_WITH(sql_int(contact), sql_int(AGREEMENT_STANDING_MAX)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct agreement_row *row = &out->rows[out->count++];
		*row = (struct agreement_row){
		    .version = sql_column_int(&query, 0),
		    .required_from = sql_column_int(&query, 1),
		    .expires = sql_column_int(&query, 2),
		    .signed_at = sql_column_int(&query, 3),
		};
		sql_column_text(&query, 4, row->answer, sizeof row->answer);
	}
	sql_close(&query);
	return got;
}

#define REQUEST_COLUMNS                                                                            \
	"SELECT r.id, r.version, r.contact, r.token, r.asked_at, r.mailed_at, r.reminders,"        \
	" r.message FROM agreement_request AS r "

static void read_request(const struct sql_query *query, struct agreement_request *out)
{
	*out = (struct agreement_request){
	    .id = sql_column_int(query, 0),
	    .version = sql_column_int(query, 1),
	    .contact = sql_column_int(query, 2),
	    .asked_at = sql_column_int(query, 4),
	    .mailed_at = sql_column_int(query, 5),
	    .reminders = sql_column_int(query, 6),
	    .message = sql_column_int(query, 7),
	};
	sql_column_text(query, 3, out->token, sizeof out->token);
}

int store_agreement_request_add(
    struct store *store, struct agreement_request *request, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO agreement_request"
	    " (version, contact, token, asked_at, mailed_at, reminders, message)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (contact, version) DO NOTHING",
	    SQL_WITH(sql_int(request->version), sql_int(request->contact), sql_text(request->token),
		sql_int(request->asked_at), sql_int(request->mailed_at),
		sql_int(request->reminders), sql_int(request->message)),
	    &changes, err);
	*added = changes == 1;
	if (*added)
		request->id = sql_last_id(store);
	return result;
}

int store_agreement_request_again(struct store *store, const struct agreement_request *before,
    const struct agreement_request *after, bool *updated, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "UPDATE agreement_request SET mailed_at = ?3, reminders = ?4, message = ?5"
	    " WHERE id = ?1 AND message = ?2",
	    SQL_WITH(sql_int(before->id), sql_int(before->message), sql_int(after->mailed_at),
		sql_int(after->reminders), sql_int(after->message)),
	    &changes, err);
	*updated = changes == 1;
	return result;
}

static int find_request(struct store *store, const char *text, const struct sql_value *values,
    struct agreement_request *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_request(&query, out);
	sql_close(&query);
	return 0;
}

int store_agreement_request_by_token(struct store *store, const char *token,
    struct agreement_request *out, bool *found, struct err *err)
{
	return find_request(store, REQUEST_COLUMNS "WHERE r.token = ?1", SQL_WITH(sql_text(token)),
	    out, found, err);
}

int store_agreement_request_get(struct store *store, int64_t version, int64_t contact,
    struct agreement_request *out, bool *found, struct err *err)
{
	return find_request(store, REQUEST_COLUMNS "WHERE r.contact = ?1 AND r.version = ?2",
	    SQL_WITH(sql_int(contact), sql_int(version)), out, found, err);
}

int store_agreement_each_unasked(struct store *store, int64_t version,
    int (*fn)(void *context, int64_t contact, struct err *err), void *context, struct err *err)
{
	return sql_each_number(store,
	    "SELECT c.id FROM member AS m JOIN contact AS c ON c.member = m.id"
	    " WHERE c.removed = 0 AND m.state IN ('invited', 'active', 'lapsed')"
	    " AND NOT EXISTS (SELECT 1 FROM agreement_request AS r"
	    "  WHERE r.contact = c.id AND r.version = ?1)",
	    SQL_WITH(sql_int(version)), fn, context, err);
}

int store_agreement_each_unanswered(
    struct store *store, int64_t version, agreement_request_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		REQUEST_COLUMNS
		"JOIN contact AS c ON c.id = r.contact JOIN member AS m ON m.id = c.member"
		" WHERE r.version = ?1 AND c.removed = 0"
		" AND m.state IN ('invited', 'active', 'lapsed')"
		" AND NOT EXISTS (SELECT 1 FROM agreement_answer AS n"
		"  WHERE n.contact = r.contact AND n.version = r.version) ORDER BY r.id",
		SQL_WITH(sql_int(version)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct agreement_request request;
		read_request(&query, &request);
		if (fn(context, &request, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_agreement_answer_add(
    struct store *store, struct agreement_answer *answer, struct err *err)
{
	const int result = sql_run(store,
	    "INSERT INTO agreement_answer"
	    " (version, contact, arrival, answer, signed_at, received_at, fingerprint)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_WITH(sql_int(answer->version), sql_int(answer->contact), sql_int(answer->arrival),
		sql_text(answer->answer), sql_int(answer->signed_at), sql_int(answer->received_at),
		sql_text(answer->fingerprint)),
	    NULL, err);
	if (result == 0)
		answer->id = sql_last_id(store);
	return result;
}

int store_agreement_answer_each(struct store *store, const char *address, agreement_answer_fn *fn,
    void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT n.id, n.version, n.contact, n.arrival, n.answer, n.signed_at,"
		" n.received_at, n.fingerprint FROM agreement_answer AS n"
		" JOIN contact AS c ON c.id = n.contact WHERE c.address = ?1"
		" ORDER BY n.signed_at, n.id",
		SQL_WITH(sql_text(address)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct agreement_answer answer = {
		    .id = sql_column_int(&query, 0),
		    .version = sql_column_int(&query, 1),
		    .contact = sql_column_int(&query, 2),
		    .arrival = sql_column_int(&query, 3),
		    .signed_at = sql_column_int(&query, 5),
		    .received_at = sql_column_int(&query, 6),
		};
		sql_column_text(&query, 4, answer.answer, sizeof answer.answer);
		sql_column_text(&query, 7, answer.fingerprint, sizeof answer.fingerprint);
		if (fn(context, &answer, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
