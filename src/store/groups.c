#include "config.h"

#include "store/people.h"
#include "store/sql.h"

/* Which of the two an entry is. A member's id has no "@", so no name can be both. */
static int resolve(
    struct store *store, const char *entry, const char **member, int64_t *contact, struct err *err)
{
	struct member as_member;
	struct contact as_contact;
	bool found;
	*member = NULL;
	*contact = 0;
	if (store_member_get(store, entry, &as_member, &found, err) != 0)
		return -1;
	if (found) {
		*member = entry;
		return 0;
	}
	if (store_contact_by_address(store, entry, &as_contact, &found, err) != 0)
		return -1;
	if (found)
		*contact = as_contact.id;
	return 0;
}

int store_group_add(
    struct store *store, const char *group, const char *entry, bool *known, bool *added,
    struct err *err)
{
	const char *member;
	int64_t contact;
	int64_t changes = 0;
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = resolve(store, entry, &member, &contact, err);
	*known = result == 0 && (member != NULL || contact != 0);
	if (*known)
		result = sql_run(store,
		    "INSERT INTO group_entry (name, member, contact) VALUES (?1, ?2, ?3)"
		    " ON CONFLICT (name, member) WHERE member IS NOT NULL DO NOTHING"
		    " ON CONFLICT (name, contact) WHERE contact IS NOT NULL DO NOTHING",
		    SQL_WITH(sql_text(group), sql_text(member), sql_id(contact)), &changes, err);
	result = sql_leave(store, mine, result, err);
	*added = result == 0 && changes > 0;
	return result;
}

int store_group_remove(struct store *store, const char *group, bool *found, struct err *err)
{
	int64_t changes;
	const int result = sql_run(store, "DELETE FROM group_entry WHERE name = ?1",
	    SQL_WITH(sql_text(group)), &changes, err);
	*found = changes > 0;
	return result;
}

int store_group_each(
    struct store *store, const char *group, group_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT g.name, ifnull(g.member, c.address) AS entry, g.contact IS NOT NULL"
		" FROM group_entry AS g LEFT JOIN contact AS c ON c.id = g.contact"
		" WHERE (?1 IS NULL OR g.name = ?1) AND ifnull(c.removed, 0) = 0"
		" ORDER BY g.name, entry",
		SQL_WITH(sql_text(group)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		char name[STORE_NAME_SIZE];
		char entry[STORE_ADDRESS_SIZE];
		sql_column_text(&query, 0, name, sizeof name);
		sql_column_text(&query, 1, entry, sizeof entry);
		if (fn(context, name, entry, sql_column_bool(&query, 2), err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
