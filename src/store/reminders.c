#include "config.h"

#include "store/reminders.h"
#include "store/sql.h"

int store_reminder_each_open(
    struct store *store, int64_t now, revision_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT r.message FROM revision AS r"
		" WHERE r.acknowledge_by > 0 AND r.kind <> 'withdraw'"
		" AND r.released_at BETWEEN 1 AND ?1"
		" AND NOT EXISTS (SELECT 1 FROM deadline AS d WHERE d.revision = r.id)"
		" AND NOT EXISTS (SELECT 1 FROM revision AS n WHERE n.advisory = r.advisory"
		" AND n.number > r.number) ORDER BY r.id",
		SQL_WITH(sql_int(now)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct revision revision;
		bool found;
		if (store_revision_by_message(
			store, sql_column_int(&query, 0), &revision, &found, err) != 0 ||
		    (found && fn(context, &revision, err) != 0)) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

static void read_state(const struct sql_query *query, struct reminder_state *out)
{
	*out = (struct reminder_state){
	    .contact = sql_column_int(query, 0),
	    .delivery = sql_column_int(query, 1),
	    .sent_at = sql_column_int(query, 6),
	    .answered = sql_column_bool(query, 7),
	    .reminded = sql_column_int(query, 8),
	};
	sql_column_text(query, 2, out->member, sizeof out->member);
	sql_column_text(query, 3, out->address, sizeof out->address);
	sql_column_text(query, 4, out->state, sizeof out->state);
	sql_column_text(query, 5, out->reason, sizeof out->reason);
	sql_column_text(query, 9, out->unreached, sizeof out->unreached);
	sql_column_text(query, 10, out->uncounted, sizeof out->uncounted);
}

int store_reminder_each_state(struct store *store, const struct revision *revision,
    reminder_state_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	/* An attempt that nobody knows the end of may have arrived: that one is reminded too. */
	if (sql_open(store, &query,
		"SELECT d.contact, d.id, c.member, d.address, d.state, d.reason,"
		" CASE WHEN d.sent_at > 0 THEN d.sent_at WHEN d.ambiguous > 0 THEN d.first_at"
		" ELSE 0 END,"
		" EXISTS (SELECT 1 FROM acknowledgment AS a"
		" WHERE a.revision = ?1 AND a.contact = d.contact),"
		" ifnull((SELECT max(r.stage) FROM reminder AS r"
		" WHERE r.revision = ?1 AND r.contact = d.contact), 0),"
		" (SELECT x.reason FROM reminder AS r JOIN delivery AS x"
		" ON x.message = r.message AND x.contact = r.contact"
		" WHERE r.revision = ?1 AND r.contact = d.contact AND x.state = 'failed'"
		" ORDER BY r.stage DESC LIMIT 1),"
		" (SELECT u.reason FROM uncounted_answer AS u"
		" WHERE u.revision = ?1 AND u.contact = d.contact ORDER BY u.id DESC LIMIT 1)"
		" FROM delivery AS d JOIN contact AS c ON c.id = d.contact"
		" WHERE d.message = ?2 ORDER BY c.member, c.rank, c.id",
		SQL_WITH(sql_int(revision->id), sql_int(revision->message)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct reminder_state state;
		read_state(&query, &state);
		if (fn(context, &state, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_reminder_add(struct store *store, int64_t revision, int64_t contact, int64_t stage,
    int64_t message, int64_t now, bool *fresh, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store,
	    "INSERT INTO reminder (revision, contact, stage, message, recorded_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (revision, contact, stage) DO NOTHING",
	    SQL_WITH(sql_int(revision), sql_int(contact), sql_int(stage), sql_int(message),
		sql_int(now)),
	    &changes, err);
	*fresh = changes == 1;
	return result;
}

int store_deadline_add(struct store *store, int64_t revision, int64_t message, int64_t missing,
    int64_t now, bool *fresh, struct err *err)
{
	int64_t changes = 0;
	const int result = sql_run(store,
	    "INSERT INTO deadline (revision, message, recorded_at, missing)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (revision) DO NOTHING",
	    SQL_WITH(sql_int(revision), sql_id(message), sql_int(now), sql_int(missing)), &changes,
	    err);
	*fresh = changes == 1;
	return result;
}

static void read_reminder(const struct sql_query *query, struct reminder *out)
{
	*out = (struct reminder){
	    .revision = sql_column_int(query, 1),
	    .stage = sql_column_int(query, 4),
	    .recorded_at = sql_column_int(query, 5),
	    .sent_at = sql_column_int(query, 8),
	};
	sql_column_text(query, 0, out->advisory, sizeof out->advisory);
	sql_column_text(query, 2, out->member, sizeof out->member);
	sql_column_text(query, 3, out->address, sizeof out->address);
	sql_column_text(query, 6, out->state, sizeof out->state);
	sql_column_text(query, 7, out->reason, sizeof out->reason);
}

int store_reminder_each(
    struct store *store, int64_t advisory, reminder_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT a.number, v.number, c.member, d.address, r.stage, r.recorded_at, d.state,"
		" d.reason, d.sent_at, r.id AS sequence FROM reminder AS r"
		" JOIN revision AS v ON v.id = r.revision JOIN advisory AS a ON a.id = v.advisory"
		" JOIN contact AS c ON c.id = r.contact"
		" JOIN delivery AS d ON d.message = r.message AND d.contact = r.contact"
		" WHERE ?1 = 0 OR a.id = ?1"
		" UNION ALL"
		" SELECT a.number, v.number, '', ifnull(d.address, ''), 100, e.recorded_at,"
		" ifnull(d.state, 'failed'), ifnull(d.reason, 'there is nobody to tell'),"
		" ifnull(d.sent_at, 0), 9223372036854775807 FROM deadline AS e"
		" JOIN revision AS v ON v.id = e.revision JOIN advisory AS a ON a.id = v.advisory"
		" LEFT JOIN delivery AS d ON d.message = e.message"
		" WHERE e.missing > 0 AND (?1 = 0 OR a.id = ?1)"
		" ORDER BY 1, 2, 6, 5, 10, 4",
		SQL_WITH(sql_int(advisory)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct reminder reminder;
		read_reminder(&query, &reminder);
		if (fn(context, &reminder, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
