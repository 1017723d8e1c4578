#include "config.h"

#include "store/agreements.h"
#include "store/sql.h"

int store_join_request_add(
    struct store *store, struct join_request *request, int64_t most, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO join_request"
	    " (arrival, organisation, address, name, fingerprint, received_at, certificate)"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
	    " WHERE (SELECT count(*) FROM join_request WHERE state = 'open') < ?8"
	    " ON CONFLICT (fingerprint) WHERE state = 'open' DO NOTHING",
	    SQL_WITH(sql_int(request->arrival), sql_text(request->organisation),
		sql_text(request->address), sql_text(request->name), sql_text(request->fingerprint),
		sql_int(request->received_at), sql_bytes(request->certificate), sql_int(most)),
	    &changes, err);
	*added = changes == 1;
	if (*added)
		request->id = sql_last_id(store);
	return result;
}

int store_join_request_each(
    struct store *store, bool all, join_request_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT id, arrival, organisation, address, name, fingerprint, received_at, state,"
		" certificate FROM join_request WHERE ?1 OR state = 'open' ORDER BY id",
		SQL_WITH(sql_int(all)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct join_request request = {
		    .id = sql_column_int(&query, 0),
		    .arrival = sql_column_int(&query, 1),
		    .received_at = sql_column_int(&query, 6),
		    .certificate = sql_column_view(&query, 8),
		};
		sql_column_text(&query, 2, request.organisation, sizeof request.organisation);
		sql_column_text(&query, 3, request.address, sizeof request.address);
		sql_column_text(&query, 4, request.name, sizeof request.name);
		sql_column_text(&query, 5, request.fingerprint, sizeof request.fingerprint);
		sql_column_text(&query, 7, request.state, sizeof request.state);
		if (fn(context, &request, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_join_request_dismiss(struct store *store, int64_t id, bool *dismissed, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "UPDATE join_request SET state = 'dismissed' WHERE id = ?1 AND state = 'open'",
	    SQL_WITH(sql_int(id)), &changes, err);
	*dismissed = changes == 1;
	return result;
}
