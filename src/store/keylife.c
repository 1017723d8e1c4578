#include "config.h"

#include "store/keylife.h"
#include "store/messages.h"
#include "store/sql.h"

/* Who is there with a certificate. */
#define OWNERS                                                                                     \
	"WITH owner AS (SELECT c.id AS contact, NULL AS publisher, c.address,"                     \
	" c.fingerprint FROM contact AS c JOIN member AS m ON m.id = c.member"                     \
	" WHERE c.removed = 0 AND m.state <> 'left' UNION ALL"                                     \
	" SELECT NULL, id, address, fingerprint FROM publisher WHERE removed = 0)"

static int each_owner(struct store *store, const char *text, const struct sql_value *values,
    key_owner_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct key_owner owner = {
		    .contact = sql_column_int(&query, 0),
		    .publisher = sql_column_int(&query, 1),
		    .expires = sql_column_int(&query, 4),
		    .told = sql_column_int(&query, 5),
		};
		sql_column_text(&query, 2, owner.address, sizeof owner.address);
		sql_column_text(&query, 3, owner.fingerprint, sizeof owner.fingerprint);
		if (fn(context, &owner, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_key_each_expiring(struct store *store, int64_t until, int64_t untold, key_owner_fn *fn,
    void *context, struct err *err)
{
	return each_owner(store,
	    OWNERS ", ending AS (SELECT fingerprint, CASE WHEN expires = 0 OR"
		   " (encryption_expires <> 0 AND encryption_expires < expires)"
		   " THEN encryption_expires ELSE expires END AS at"
		   " FROM certificate WHERE state = 'confirmed'),"
		   " due AS (SELECT o.contact, o.publisher, o.address, o.fingerprint, e.at, ifnull("
		   "(SELECT min(stage) FROM key_told AS t WHERE t.fingerprint = e.fingerprint"
		   " AND t.expires = e.at), ?2) AS told"
		   " FROM owner AS o JOIN ending AS e ON e.fingerprint = o.fingerprint"
		   " WHERE e.at > 0 AND e.at <= ?1)"
		   " SELECT contact, publisher, address, fingerprint, at, told FROM due"
		   " WHERE told <> 0 ORDER BY at, fingerprint",
	    SQL_WITH(sql_int(until), sql_int(untold)), fn, context, err);
}

int store_key_each_lost(struct store *store, key_owner_fn *fn, void *context, struct err *err)
{
	return each_owner(store,
	    OWNERS " SELECT o.contact, o.publisher, o.address, o.fingerprint, 0, 0"
		   " FROM certificate AS c JOIN owner AS o ON o.fingerprint = c.fingerprint"
		   " WHERE c.state = 'retired' AND NOT EXISTS (SELECT 1 FROM key_told AS t"
		   " WHERE t.fingerprint = c.fingerprint AND t.expires = 0 AND t.stage = 0)"
		   " ORDER BY o.fingerprint",
	    SQL_NOTHING, fn, context, err);
}

int store_key_told(struct store *store, const char *fingerprint, int64_t expires, int64_t stage,
    int64_t now, bool *fresh, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store,
	    "INSERT INTO key_told (fingerprint, expires, stage, told_at)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
	    SQL_WITH(sql_text(fingerprint), sql_int(expires), sql_int(stage), sql_int(now)),
	    &changes, err);
	*fresh = changes == 1;
	return result;
}

static int add_notice(
    struct store *store, const struct key_notice *notice, int64_t *message, struct err *err)
{
	const struct key_owner *owner = notice->owner;
	int64_t batch;
	if (sql_run(store,
		"INSERT INTO message (kind, message_id, created_at, clear, head, tail, stash)"
		" VALUES ('key-notice', ?1, ?2, 1, ?3, x'', x'')",
		SQL_WITH(sql_text(notice->message_id), sql_int(notice->created_at),
		    sql_bytes(notice->head)),
		NULL, err) != 0)
		return -1;
	*message = sql_last_id(store);
	if (store_batch_add(store, *message, notice->body, 0, &batch, err) != 0)
		return -1;
	return sql_run(store,
	    "INSERT INTO delivery (message, contact, publisher, address, fingerprint, key_id,"
	    " shard, state, batch) VALUES (?1, ?2, ?3, ?4, ?5, '',"
	    " (SELECT shard FROM certificate WHERE fingerprint = ?5), 'queued', ?6)",
	    SQL_WITH(sql_int(*message), sql_id(owner->contact), sql_id(owner->publisher),
		sql_text(owner->address), sql_text(owner->fingerprint), sql_int(batch)),
	    NULL, err);
}

int store_key_notice_add(
    struct store *store, const struct key_notice *notice, int64_t *message, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, add_notice(store, notice, message, err), err);
}

int store_key_close(
    struct store *store, const char *fingerprint, int64_t now, int64_t *closed, struct err *err)
{
	return sql_run(store,
	    "UPDATE certificate SET encryption_expires = ?2 WHERE fingerprint = ?1"
	    " AND (encryption_expires = 0 OR encryption_expires > ?2)",
	    SQL_WITH(sql_text(fingerprint), sql_int(now)), closed, err);
}

static int put_successor(
    struct store *store, const struct key_successor *successor, bool *added, struct err *err)
{
	int64_t changes = 0;
	if (sql_run(store, "DELETE FROM key_successor WHERE contact = ?1 OR publisher = ?2",
		SQL_WITH(sql_id(successor->contact), sql_id(successor->publisher)), NULL, err) != 0)
		return -1;
	const int result = sql_run(store,
	    "INSERT INTO key_successor (fingerprint, former, contact, publisher, arrival,"
	    " asked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
	    SQL_WITH(sql_text(successor->fingerprint), sql_text(successor->former),
		sql_id(successor->contact), sql_id(successor->publisher),
		sql_int(successor->arrival), sql_int(successor->asked_at)),
	    &changes, err);
	*added = changes == 1;
	return result;
}

int store_key_successor_put(
    struct store *store, const struct key_successor *successor, bool *added, struct err *err)
{
	bool mine;
	*added = false;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, put_successor(store, successor, added, err), err);
}

int store_key_successor_each(
    struct store *store, key_successor_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT s.fingerprint, s.former, s.contact, s.publisher,"
		" ifnull(c.address, p.address), s.arrival, s.asked_at FROM key_successor AS s"
		" LEFT JOIN contact AS c ON c.id = s.contact"
		" LEFT JOIN publisher AS p ON p.id = s.publisher"
		" WHERE ifnull(c.removed, p.removed) = 0 ORDER BY s.asked_at, s.fingerprint",
		SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct key_successor successor = {
		    .contact = sql_column_int(&query, 2),
		    .publisher = sql_column_int(&query, 3),
		    .arrival = sql_column_int(&query, 5),
		    .asked_at = sql_column_int(&query, 6),
		};
		sql_column_text(&query, 0, successor.fingerprint, sizeof successor.fingerprint);
		sql_column_text(&query, 1, successor.former, sizeof successor.former);
		sql_column_text(&query, 4, successor.address, sizeof successor.address);
		if (fn(context, &successor, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_key_successor_exists(
    struct store *store, const char *fingerprint, bool *found, struct err *err)
{
	int64_t count;
	const int result =
	    sql_number(store, "SELECT count(*) FROM key_successor WHERE fingerprint = ?1",
		SQL_WITH(sql_text(fingerprint)), &count, err);
	*found = result == 0 && count > 0;
	return result;
}

static int forget_successors(
    struct store *store, int64_t contact, int64_t publisher, struct err *err)
{
	return sql_run(store, "DELETE FROM key_successor WHERE contact = ?1 OR publisher = ?2",
	    SQL_WITH(sql_id(contact), sql_id(publisher)), NULL, err);
}

/* The new certificate has a place of its own, and what waits moves there. */
static int redirect(struct store *store, int64_t contact, int64_t publisher,
    const char *fingerprint, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET fingerprint = ?3,"
	    " key_id = (SELECT encryption_key_id FROM certificate WHERE fingerprint = ?3),"
	    " shard = (SELECT shard FROM certificate WHERE fingerprint = ?3)"
	    " WHERE state = 'queued' AND batch IS NULL AND (contact = ?1 OR publisher = ?2)",
	    SQL_WITH(sql_id(contact), sql_id(publisher), sql_text(fingerprint)), NULL, err);
}

static int rekey(struct store *store, const char *text, int64_t contact, int64_t publisher,
    const char *fingerprint, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result =
	    sql_run(store, text, SQL_WITH(sql_int(contact + publisher), sql_text(fingerprint)),
		NULL, err) != 0 ||
		    forget_successors(store, contact, publisher, err) != 0 ||
		    redirect(store, contact, publisher, fingerprint, err) != 0
		? -1
		: 0;
	return sql_leave(store, mine, result, err);
}

int store_contact_rekey(
    struct store *store, int64_t contact, const char *fingerprint, struct err *err)
{
	return rekey(store, "UPDATE contact SET fingerprint = ?2 WHERE id = ?1", contact, 0,
	    fingerprint, err);
}

int store_publisher_rekey(
    struct store *store, int64_t publisher, const char *fingerprint, struct err *err)
{
	return rekey(store, "UPDATE publisher SET fingerprint = ?2 WHERE id = ?1", 0, publisher,
	    fingerprint, err);
}
