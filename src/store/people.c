#include "config.h"

#include "store/people.h"
#include "store/sql.h"
#include "store/state.h"

#define MEMBER_COLUMNS "SELECT id, name, kind, parent, state, added_at FROM member "

static void read_member(const struct sql_query *query, struct member *out)
{
	*out = (struct member){.added_at = sql_column_int(query, 5)};
	sql_column_text(query, 0, out->id, sizeof out->id);
	sql_column_text(query, 1, out->name, sizeof out->name);
	sql_column_text(query, 2, out->kind, sizeof out->kind);
	sql_column_text(query, 3, out->parent, sizeof out->parent);
	sql_column_text(query, 4, out->state, sizeof out->state);
}

int store_member_add(struct store *store, const struct member *member, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO member (id, name, kind, parent, state, added_at)"
	    " VALUES (?1, ?2, ?3, ?4, 'active', ?5) ON CONFLICT (id) DO NOTHING",
	    SQL_WITH(sql_text(member->id), sql_text(member->name), sql_text(member->kind),
		sql_name(member->parent), sql_int(member->added_at)),
	    &changes, err);
	*added = changes == 1;
	return result;
}

int store_member_invite(
    struct store *store, const struct member *member, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO member (id, name, kind, parent, state, added_at)"
	    " VALUES (?1, ?2, ?3, ?4, 'invited', ?5)"
	    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
	    " parent = excluded.parent, state = 'invited' WHERE state = 'left'",
	    SQL_WITH(sql_text(member->id), sql_text(member->name), sql_text(member->kind),
		sql_name(member->parent), sql_int(member->added_at)),
	    &changes, err);
	*added = changes == 1;
	return result;
}

int store_member_get(
    struct store *store, const char *id, struct member *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, MEMBER_COLUMNS "WHERE id = ?1", SQL_WITH(sql_text(id)), found,
		err) != 0)
		return -1;
	if (*found)
		read_member(&query, out);
	sql_close(&query);
	return 0;
}

int store_member_each(struct store *store, member_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, MEMBER_COLUMNS "ORDER BY id", SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct member member;
		read_member(&query, &member);
		if (fn(context, &member, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_member_move(
    struct store *store, const char *id, const char *event, bool *moved, struct err *err)
{
	struct member member;
	bool found;
	bool mine;
	int64_t changes = 0;
	*moved = false;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = store_member_get(store, id, &member, &found, err);
	const char *to =
	    result == 0 && found ? state_after(STATE_MEMBER, member.state, event) : NULL;
	if (to != NULL)
		result = sql_run(store, "UPDATE member SET state = ?2 WHERE id = ?1 AND state = ?3",
		    SQL_WITH(sql_text(id), sql_text(to), sql_text(member.state)), &changes, err);
	result = sql_leave(store, mine, result, err);
	*moved = result == 0 && changes == 1;
	return result;
}

#define CONTACT_COLUMNS                                                                            \
	"SELECT id, member, address, name, fingerprint, clearance, rank, removed, added_at"        \
	" FROM contact "

static void read_contact(const struct sql_query *query, struct contact *out)
{
	*out = (struct contact){
	    .id = sql_column_int(query, 0),
	    .rank = sql_column_int(query, 6),
	    .removed = sql_column_bool(query, 7),
	    .added_at = sql_column_int(query, 8),
	};
	sql_column_text(query, 1, out->member, sizeof out->member);
	sql_column_text(query, 2, out->address, sizeof out->address);
	sql_column_text(query, 3, out->name, sizeof out->name);
	sql_column_text(query, 4, out->fingerprint, sizeof out->fingerprint);
	sql_column_text(query, 5, out->clearance, sizeof out->clearance);
}

/* Only the two unique indexes give way; any other constraint is an error. */
int store_contact_add(struct store *store, struct contact *contact, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO contact (member, address, name, fingerprint, clearance, rank, added_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (address) WHERE removed = 0 DO NOTHING"
	    " ON CONFLICT (fingerprint) WHERE removed = 0 AND fingerprint <> '' DO NOTHING",
	    SQL_WITH(sql_text(contact->member), sql_text(contact->address), sql_text(contact->name),
		sql_text(contact->fingerprint), sql_text(contact->clearance),
		sql_int(contact->rank), sql_int(contact->added_at)),
	    &changes, err);
	*added = changes == 1;
	if (*added) {
		contact->id = sql_last_id(store);
		contact->removed = false;
	}
	return result;
}

static int find_contact(struct store *store, const char *text, const struct sql_value *values,
    struct contact *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_contact(&query, out);
	sql_close(&query);
	return 0;
}

int store_contact_get(
    struct store *store, int64_t id, struct contact *out, bool *found, struct err *err)
{
	return find_contact(
	    store, CONTACT_COLUMNS "WHERE id = ?1", SQL_WITH(sql_int(id)), out, found, err);
}

int store_contact_by_address(
    struct store *store, const char *address, struct contact *out, bool *found, struct err *err)
{
	return find_contact(store, CONTACT_COLUMNS "WHERE address = ?1 AND removed = 0",
	    SQL_WITH(sql_text(address)), out, found, err);
}

int store_contact_by_fingerprint(
    struct store *store, const char *fingerprint, struct contact *out, bool *found, struct err *err)
{
	return find_contact(store,
	    CONTACT_COLUMNS "WHERE fingerprint = ?1 AND fingerprint <> '' AND removed = 0",
	    SQL_WITH(sql_text(fingerprint)), out, found, err);
}

static int each_contact(struct store *store, const char *text, const struct sql_value *values,
    contact_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct contact contact;
		read_contact(&query, &contact);
		if (fn(context, &contact, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_contact_each(
    struct store *store, const char *member, contact_fn *fn, void *context, struct err *err)
{
	if (member == NULL)
		return each_contact(store,
		    CONTACT_COLUMNS "WHERE removed = 0 ORDER BY member, rank, id", SQL_NOTHING, fn,
		    context, err);
	return each_contact(store,
	    CONTACT_COLUMNS "WHERE member = ?1 AND removed = 0 ORDER BY rank, id",
	    SQL_WITH(sql_text(member)), fn, context, err);
}

int store_contact_remove(struct store *store, int64_t id, struct err *err)
{
	return sql_run(store, "UPDATE contact SET removed = 1 WHERE id = ?1", SQL_WITH(sql_int(id)),
	    NULL, err);
}

#define PUBLISHER_COLUMNS                                                                          \
	"SELECT id, address, name, fingerprint, removed, added_at, admin FROM publisher "

static void read_publisher(const struct sql_query *query, struct publisher *out)
{
	*out = (struct publisher){
	    .id = sql_column_int(query, 0),
	    .removed = sql_column_bool(query, 4),
	    .added_at = sql_column_int(query, 5),
	    .admin = sql_column_bool(query, 6),
	};
	sql_column_text(query, 1, out->address, sizeof out->address);
	sql_column_text(query, 2, out->name, sizeof out->name);
	sql_column_text(query, 3, out->fingerprint, sizeof out->fingerprint);
}

int store_publisher_add(
    struct store *store, struct publisher *publisher, bool *added, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store,
	    "INSERT INTO publisher (address, name, fingerprint, added_at, admin)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT (address) WHERE removed = 0 DO NOTHING"
	    " ON CONFLICT (fingerprint) WHERE removed = 0 AND fingerprint <> '' DO NOTHING",
	    SQL_WITH(sql_text(publisher->address), sql_text(publisher->name),
		sql_text(publisher->fingerprint), sql_int(publisher->added_at),
		sql_int(publisher->admin)),
	    &changes, err);
	*added = changes == 1;
	if (*added) {
		publisher->id = sql_last_id(store);
		publisher->removed = false;
	}
	return result;
}

static int find_publisher(struct store *store, const char *text, const struct sql_value *values,
    struct publisher *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_publisher(&query, out);
	sql_close(&query);
	return 0;
}

int store_publisher_get(
    struct store *store, int64_t id, struct publisher *out, bool *found, struct err *err)
{
	return find_publisher(
	    store, PUBLISHER_COLUMNS "WHERE id = ?1", SQL_WITH(sql_int(id)), out, found, err);
}

static int find_by_address(struct store *store, const char *address, bool admin,
    struct publisher *out, bool *found, struct err *err)
{
	return find_publisher(store,
	    PUBLISHER_COLUMNS "WHERE address = ?1 AND admin = ?2 AND removed = 0",
	    SQL_WITH(sql_text(address), sql_int(admin)), out, found, err);
}

static int find_by_fingerprint(struct store *store, const char *fingerprint, bool admin,
    struct publisher *out, bool *found, struct err *err)
{
	return find_publisher(store,
	    PUBLISHER_COLUMNS
	    "WHERE fingerprint = ?1 AND fingerprint <> '' AND admin = ?2 AND removed = 0",
	    SQL_WITH(sql_text(fingerprint), sql_int(admin)), out, found, err);
}

int store_publisher_by_address(
    struct store *store, const char *address, struct publisher *out, bool *found, struct err *err)
{
	return find_by_address(store, address, false, out, found, err);
}

int store_publisher_by_fingerprint(struct store *store, const char *fingerprint,
    struct publisher *out, bool *found, struct err *err)
{
	return find_by_fingerprint(store, fingerprint, false, out, found, err);
}

int store_admin_by_address(
    struct store *store, const char *address, struct publisher *out, bool *found, struct err *err)
{
	return find_by_address(store, address, true, out, found, err);
}

int store_admin_by_fingerprint(struct store *store, const char *fingerprint, struct publisher *out,
    bool *found, struct err *err)
{
	return find_by_fingerprint(store, fingerprint, true, out, found, err);
}

static int each_publisher(
    struct store *store, bool admin, publisher_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		PUBLISHER_COLUMNS "WHERE admin = ?1 AND removed = 0 ORDER BY address",
		SQL_WITH(sql_int(admin)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct publisher publisher;
		read_publisher(&query, &publisher);
		if (fn(context, &publisher, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_publisher_each(struct store *store, publisher_fn *fn, void *context, struct err *err)
{
	return each_publisher(store, false, fn, context, err);
}

int store_admin_each(struct store *store, publisher_fn *fn, void *context, struct err *err)
{
	return each_publisher(store, true, fn, context, err);
}

int store_publisher_remove(struct store *store, int64_t id, struct err *err)
{
	return sql_run(store, "UPDATE publisher SET removed = 1 WHERE id = ?1",
	    SQL_WITH(sql_int(id)), NULL, err);
}
