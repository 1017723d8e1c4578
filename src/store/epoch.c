#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/advisories.h"
#include "store/audit.h"
#include "store/epoch.h"
#include "store/holds.h"
#include "store/sql.h"
#include "store/state.h"

/* Neither vowels, which make words, nor what looks like a digit. */
static const char consonants[] = "BCDFGHJKLMNPQRSTVWXZ";
enum {
	RANDOM_LETTERS = 2,
	LETTERS = 26,
	CONSONANTS = sizeof consonants - 1,
	NAMED_MOST = 40, /* of what is held back */
};

#define EPOCH_COLUMNS                                                                              \
	"SELECT number, tag, begun_at, backup_at, sequence, advisory, delivery, message, lost_to,"     \
	" noticed, told, reviewed_at FROM epoch"

static void read_epoch(const struct sql_query *query, struct epoch *out)
{
	*out = (struct epoch){
	    .number = sql_column_int(query, 0),
	    .begun_at = sql_column_int(query, 2),
	    .backup_at = sql_column_int(query, 3),
	    .sequence = sql_column_int(query, 4),
	    .advisory = sql_column_int(query, 5),
	    .delivery = sql_column_int(query, 6),
	    .message = sql_column_int(query, 7),
	    .lost_to = sql_column_int(query, 8),
	    .noticed = sql_column_bool(query, 9),
	    .told = sql_column_int(query, 10),
	    .reviewed_at = sql_column_int(query, 11),
	};
	sql_column_text(query, 1, out->tag, sizeof out->tag);
}

int store_epoch_get(struct store *store, struct epoch *out, struct err *err)
{
	struct sql_query query;
	bool found;
	*out = (struct epoch){.number = 1};
	if (sql_first(store, &query, EPOCH_COLUMNS " WHERE number > 1 ORDER BY number DESC LIMIT 1", SQL_NOTHING,
		&found, err) != 0)
		return -1;
	if (found)
		read_epoch(&query, out);
	sql_close(&query);
	return 0;
}

int store_epoch_each(struct store *store, epoch_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, EPOCH_COLUMNS " ORDER BY number", SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct epoch epoch;
		read_epoch(&query, &epoch);
		if (fn(context, &epoch, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_epoch_findings(struct store *store, struct buf *out, struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query, "SELECT findings FROM epoch WHERE number > 1 ORDER BY number DESC LIMIT 1",
		SQL_NOTHING, &found, err) != 0)
		return -1;
	if (found)
		buf_add_view(out, sql_column_view(&query, 0));
	sql_close(&query);
	return 0;
}

static int read_tag(struct store *store, const char *text, const struct sql_value *values,
    char tag[static EPOCH_TAG_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	tag[0] = '\0';
	if (sql_first(store, &query, text, values, &found, err) != 0)
		return -1;
	if (found)
		sql_column_text(&query, 0, tag, EPOCH_TAG_SIZE);
	sql_close(&query);
	return 0;
}

int store_epoch_of_delivery(
    struct store *store, int64_t delivery, char tag[static EPOCH_TAG_SIZE], struct err *err)
{
	return read_tag(store,
	    "SELECT tag FROM epoch WHERE number > 1 AND delivery < ?1 ORDER BY number DESC LIMIT 1",
	    SQL_WITH(sql_int(delivery)), tag, err);
}

int store_epoch_mark(
    struct store *store, int64_t message, char tag[static EPOCH_TAG_SIZE], struct err *err)
{
	return read_tag(store,
	    "SELECT iif(message >= ?1, tag, '') FROM epoch WHERE number > 1 ORDER BY number DESC LIMIT 1",
	    SQL_WITH(sql_int(message)), tag, err);
}

/* "BKT" for the second. */
static void make_tag(int64_t number, char tag[static EPOCH_TAG_SIZE])
{
	unsigned char bytes[RANDOM_LETTERS];
	char letters[EPOCH_TAG_SIZE];
	size_t count = 0;
	size_t at = 0;
	for (int64_t left = number; left > 0 && count < EPOCH_TAG_SIZE - 1 - RANDOM_LETTERS;
	     left = (left - 1) / LETTERS)
		letters[count++] = (char)('A' + (left - 1) % LETTERS);
	while (count > 0)
		tag[at++] = letters[--count];
	random_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < RANDOM_LETTERS; i++)
		tag[at++] = consonants[bytes[i] % CONSONANTS];
	tag[at] = '\0';
}

/* -- what a restore holds back -- */

/* Whatever was still to go may have gone out since, and may have been answered: an attempt of which
 * nobody knows the end. */
static int count_ambiguous(struct store *store, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET state = iif(state = 'sending', ?1, state),"
	    " ambiguous = ambiguous + 1, attempts = max(attempts, 1)"
	    " WHERE state IN ('queued', 'sending', 'deferred')",
	    SQL_WITH(sql_text(state_after(STATE_DELIVERY, "sending", "interrupted"))), NULL, err);
}

static int hold_deliveries(struct store *store, int64_t now, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET next_at = ?1, told = max(told, 1), reason ="
	    " 'held back since the restore, for the word of an admin'"
	    " WHERE state IN ('queued', 'sending', 'deferred')"
	    " AND message IN (SELECT id FROM message WHERE created_at < ?2)",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK), sql_int(now - EPOCH_FRESH_S)), NULL, err);
}

static int hold_drafts(struct store *store, int64_t now, struct err *err)
{
	return sql_run(store,
	    "UPDATE hold SET release_at = ?1 WHERE state = 'held' AND release_at <= ?2",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK), sql_int(now)), NULL, err);
}

/* Answers may have come since that are lost: nobody is reminded, and no alarm goes, for what was due
 * before the restore. */
static int end_deadlines(struct store *store, int64_t now, struct err *err)
{
	return sql_run(store,
	    "INSERT INTO deadline (revision, recorded_at, missing)"
	    " SELECT id, ?1, 0 FROM revision WHERE acknowledge_by BETWEEN 1 AND ?1"
	    " AND id NOT IN (SELECT revision FROM deadline)",
	    SQL_WITH(sql_int(now)), NULL, err);
}

static int add_lines(struct store *store, const char *text, const struct sql_value *values,
    const char *more, struct buf *out, struct err *err)
{
	struct sql_query query;
	int got;
	int64_t count = 0;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (count++ >= NAMED_MOST)
			continue;
		buf_add_view(out, sql_column_view(&query, 0));
		buf_add_char(out, '\n');
	}
	sql_close(&query);
	if (count > NAMED_MOST)
		buf_printf(out, "and %" PRId64 " more %s\n", count - NAMED_MOST, more);
	return got;
}

#define MESSAGE_NAME                                                                               \
	"ifnull((SELECT a.number || ' r' || r.number FROM revision AS r JOIN advisory AS a"        \
	" ON a.id = r.advisory WHERE r.message = m.id), 'a mail of the kind ' || m.kind)"

static int name_held(struct store *store, struct buf *out, struct err *err)
{
	if (add_lines(store,
		"SELECT " MESSAGE_NAME " || ', for ' || count(*) || ' of its recipients:"
		" held back' FROM delivery AS d JOIN message AS m ON m.id = d.message"
		" WHERE d.state IN ('queued', 'sending', 'deferred') AND d.next_at = ?1"
		" GROUP BY m.id ORDER BY m.id",
		SQL_WITH(sql_int(EPOCH_HELD_BACK)), "are held back", out, err) != 0)
		return -1;
	return add_lines(store,
	    "SELECT 'the draft of ' || a.number || ', whose hour has come: held back'"
	    " FROM hold AS h JOIN advisory AS a ON a.id = h.advisory"
	    " WHERE h.state = 'held' AND h.release_at = ?1 ORDER BY h.id",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK)), "drafts", out, err);
}

static int hold_back(struct store *store, int64_t now, struct buf *findings, struct err *err)
{
	return count_ambiguous(store, err) != 0 || hold_deliveries(store, now, err) != 0 ||
		       hold_drafts(store, now, err) != 0 || end_deadlines(store, now, err) != 0 ||
		       name_held(store, findings, err) != 0
		   ? -1
		   : 0;
}

/* -- beginning one -- */

static int add_epoch(struct store *store, const struct epoch *epoch, struct view findings,
    struct err *err)
{
	return sql_run(store,
	    "INSERT INTO epoch (number, tag, begun_at, backup_at, sequence, advisory, delivery,"
	    " message, lost_to, noticed, findings) SELECT ?1, ?2, ?3, ?4, ?5,"
	    " (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'advisory'),"
	    " (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'delivery'),"
	    " (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'),"
	    " ?6, ?7, ?8",
	    SQL_WITH(sql_int(epoch->number), sql_text(epoch->tag), sql_int(epoch->begun_at),
		sql_int(epoch->backup_at), sql_int(epoch->sequence), sql_int(epoch->lost_to),
		sql_int(epoch->noticed), sql_view(findings)),
	    NULL, err);
}

/* What the backup's log ends with. */
int store_epoch_read_end(struct store *store, struct epoch *epoch, struct err *err)
{
	struct sql_query query;
	bool found;
	*epoch = (struct epoch){.number = 0};
	if (sql_first(store, &query,
		"SELECT sequence, at FROM audit ORDER BY sequence DESC LIMIT 1", SQL_NOTHING,
		&found, err) != 0)
		return -1;
	if (found) {
		epoch->sequence = sql_column_int(&query, 0);
		epoch->backup_at = sql_column_int(&query, 1);
	}
	sql_close(&query);
	return 0;
}

static int audit_begin(
    struct store *store, const struct epoch *epoch, const char *actor, struct err *err)
{
	char of[TEXT_TIME_SIZE];
	char lost[64] = "";
	text_format_time(epoch->backup_at, of);
	if (epoch->lost_to > epoch->sequence)
		snprintf(lost, sizeof lost, ": %" PRId64 " to %" PRId64 " are lost",
		    epoch->sequence + 1, epoch->lost_to);
	return store_audit_add(store, epoch->begun_at, actor, "store.restored", epoch->tag, err,
	    "epoch %" PRId64 " begins, restored from a backup of %s, whose last entry is %" PRId64
	    "%s%s",
	    epoch->number, of, epoch->sequence, lost,
	    epoch->noticed ? "; the gate found it so, nobody ran dewctl restore" : "");
}

static int begin(struct store *store, struct epoch *epoch, const char *actor, struct view known,
    struct err *err)
{
	struct buf findings = BUF_EMPTY(EPOCH_FINDINGS_MAX);
	buf_add_view(&findings, known);
	int result = hold_back(store, epoch->begun_at, &findings, err);
	if (result == 0)
		result = add_epoch(store, epoch, buf_view(&findings), err);
	if (result == 0)
		result = audit_begin(store, epoch, actor, err);
	buf_release(&findings);
	return result;
}

int store_epoch_begin(struct store *store, int64_t now, int64_t least, int64_t lost_to,
    bool noticed, const char *actor, struct view findings, struct epoch *epoch, struct err *err)
{
	struct epoch last;
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = store_epoch_get(store, &last, err);
	*epoch = (struct epoch){.number = last.number + 1 > least ? last.number + 1 : least,
	    .begun_at = now,
	    .backup_at = epoch->backup_at,
	    .sequence = epoch->sequence,
	    .lost_to = lost_to,
	    .noticed = noticed};
	make_tag(epoch->number, epoch->tag);
	if (result == 0)
		result = begin(store, epoch, actor, findings, err);
	return sql_leave(store, mine, result, err);
}

int store_epoch_set_told(struct store *store, int64_t told, struct err *err)
{
	return sql_run(store,
	    "UPDATE epoch SET told = ?1 WHERE number = (SELECT max(number) FROM epoch)",
	    SQL_WITH(sql_int(told)), NULL, err);
}

int store_epoch_set_reviewed(struct store *store, int64_t now, struct err *err)
{
	return sql_run(store,
	    "UPDATE epoch SET reviewed_at = ?1 WHERE reviewed_at = 0", SQL_WITH(sql_int(now)),
	    NULL, err);
}

/* -- the admin's word -- */

int store_epoch_held_back(struct store *store, int64_t *deliveries, int64_t *holds, struct err *err)
{
	if (sql_number(store,
		"SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'deferred')"
		" AND next_at = ?1",
		SQL_WITH(sql_int(EPOCH_HELD_BACK)), deliveries, err) != 0)
		return -1;
	return sql_number(store,
	    "SELECT count(*) FROM hold WHERE state = 'held' AND release_at = ?1",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK)), holds, err);
}

int store_epoch_send_held(struct store *store, int64_t now, struct err *err)
{
	if (sql_run(store,
		"UPDATE delivery SET next_at = ?2, reason = '', attempts = 1, first_at = 0,"
		" told = 0"
		" WHERE state IN ('queued', 'sending', 'deferred') AND next_at = ?1",
		SQL_WITH(sql_int(EPOCH_HELD_BACK), sql_int(now)), NULL, err) != 0)
		return -1;
	return sql_run(store,
	    "UPDATE hold SET release_at = ?2 WHERE state = 'held' AND release_at = ?1",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK), sql_int(now)), NULL, err);
}

static int cancel_delivery(struct store *store, int64_t id, int64_t now, const char *reason,
    struct err *err)
{
	return store_delivery_move(store, id, "exclude", reason, now, now, false, err);
}

/* A new one is withdrawn as a whole; of one that is out already only the draft of its update ends. */
static int cancel_draft(struct store *store, int64_t id, int64_t now, struct err *err)
{
	struct advisory advisory;
	struct hold hold;
	bool found;
	bool done;
	if (store_hold_get(store, id, &hold, &found, err) != 0 ||
	    store_advisory_by_id(store, hold.advisory, &advisory, &found, err) != 0)
		return -1;
	return strcmp(advisory.state, "held") == 0
		   ? store_withdrawal_ask(store, hold.advisory, now, &done, err)
		   : store_hold_move(store, id, "fail", 0, now, &done, err);
}

/* Sorted, so that what is changed on the way is not what is walked along. */
struct cancelling {
	struct store *store;
	int64_t now;
	const char *reason; /* NULL: of a draft */
};

static int cancel_one(void *context, int64_t id, struct err *err)
{
	const struct cancelling *cancelling = context;
	return cancelling->reason != NULL
		   ? cancel_delivery(
			 cancelling->store, id, cancelling->now, cancelling->reason, err)
		   : cancel_draft(cancelling->store, id, cancelling->now, err);
}

static int cancel_all(struct store *store, int64_t now, const char *reason, struct err *err)
{
	struct cancelling deliveries = {store, now, reason};
	struct cancelling drafts = {store, now, NULL};
	if (sql_each_number(store,
		"SELECT id FROM delivery WHERE state IN ('queued', 'sending', 'deferred')"
		" AND next_at = ?1 ORDER BY id + 0",
		SQL_WITH(sql_int(EPOCH_HELD_BACK)), cancel_one, &deliveries, err) != 0)
		return -1;
	return sql_each_number(store,
	    "SELECT id FROM hold WHERE state = 'held' AND release_at = ?1 ORDER BY id + 0",
	    SQL_WITH(sql_int(EPOCH_HELD_BACK)), cancel_one, &drafts, err);
}

int store_epoch_cancel_held(struct store *store, int64_t now, const char *reason, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, cancel_all(store, now, reason, err), err);
}
