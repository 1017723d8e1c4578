#include "config.h"

#include "store/approvals.h"
#include "store/sql.h"

#define APPROVAL_COLUMNS                                                                           \
	"SELECT id, kind, address, name, fingerprint, state, asked_by, asked_uid, asked_at,"       \
	" decided_by, decided_uid, decided_at FROM approval "

static void read_approval(const struct sql_query *query, struct approval *out)
{
	*out = (struct approval){
	    .id = sql_column_int(query, 0),
	    .asked_uid = sql_column_int(query, 7),
	    .asked_at = sql_column_int(query, 8),
	    .decided_uid = sql_column_int(query, 10),
	    .decided_at = sql_column_int(query, 11),
	};
	sql_column_text(query, 1, out->kind, sizeof out->kind);
	sql_column_text(query, 2, out->address, sizeof out->address);
	sql_column_text(query, 3, out->name, sizeof out->name);
	sql_column_text(query, 4, out->fingerprint, sizeof out->fingerprint);
	sql_column_text(query, 5, out->state, sizeof out->state);
	sql_column_text(query, 6, out->asked_by, sizeof out->asked_by);
	sql_column_text(query, 9, out->decided_by, sizeof out->decided_by);
}

int store_approval_add(struct store *store, struct approval *approval, bool *added, struct err *err)
{
	int64_t changes = 0;
	if (sql_run(store,
		"INSERT INTO approval (kind, address, name, fingerprint, asked_by, asked_uid,"
		" asked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		" ON CONFLICT (kind, address, fingerprint) WHERE state = 'open' DO NOTHING",
		SQL_WITH(sql_text(approval->kind), sql_text(approval->address),
		    sql_text(approval->name), sql_text(approval->fingerprint),
		    sql_text(approval->asked_by), sql_int(approval->asked_uid),
		    sql_int(approval->asked_at)),
		&changes, err) != 0)
		return -1;
	*added = changes == 1;
	return sql_number(store,
	    "SELECT id FROM approval WHERE kind = ?1 AND address = ?2 AND fingerprint = ?3"
	    " AND state = 'open'",
	    SQL_WITH(sql_text(approval->kind), sql_text(approval->address),
		sql_text(approval->fingerprint)),
	    &approval->id, err);
}

int store_approval_get(
    struct store *store, int64_t id, struct approval *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, APPROVAL_COLUMNS "WHERE id = ?1", SQL_WITH(sql_int(id)), found,
		err) != 0)
		return -1;
	if (*found)
		read_approval(&query, out);
	sql_close(&query);
	return 0;
}

int store_approval_each(
    struct store *store, bool all, approval_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, APPROVAL_COLUMNS "WHERE ?1 = 1 OR state = 'open' ORDER BY id",
		SQL_WITH(sql_int(all)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct approval approval;
		read_approval(&query, &approval);
		if (fn(context, &approval, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_approval_close(struct store *store, int64_t id, const char *state, const char *by,
    int64_t uid, int64_t now, bool *closed, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store,
	    "UPDATE approval SET state = ?2, decided_by = ?3, decided_uid = ?4, decided_at = ?5"
	    " WHERE id = ?1 AND state = 'open'",
	    SQL_WITH(sql_int(id), sql_text(state), sql_text(by), sql_int(uid), sql_int(now)),
	    &changes, err);
	*closed = changes == 1;
	return result;
}
