#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"
#include "store/certificates.h"
#include "store/epoch.h"
#include "store/former.h"
#include "store/migrate.h"
#include "store/sql.h"

enum { NAMED_MOST = 40 /* of one kind */ };

/* -- looking -- */

/* Read in a connection of its own, none of whose errors may end the other's work. */
static int64_t number_of(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static void text_of(sqlite3 *db, const char *text, char *out, size_t size)
{
	sqlite3_stmt *statement = NULL;
	out[0] = '\0';
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
		snprintf(out, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
}

static bool is_sound(sqlite3 *db, struct former *out)
{
	const int64_t version = number_of(db, "PRAGMA user_version");
	char verdict[STORE_REASON_SIZE - 32];
	text_of(db, "PRAGMA integrity_check(1)", verdict, sizeof verdict);
	if (strcmp(verdict, "ok") != 0)
		snprintf(out->why, sizeof out->why, "it is damaged%s%s",
		    verdict[0] == '\0' ? "" : ": ", verdict);
	else if (version < 1 || number_of(db, "SELECT count(*) FROM audit") < 0)
		snprintf(out->why, sizeof out->why, "it is no store of dewline");
	else if (version > migrate_version)
		snprintf(out->why, sizeof out->why, "it is of a newer dewline");
	return out->why[0] == '\0';
}

/* The tag stands with it, since a store that is put back by hand brings the value of an epoch before. */
static void read_backup(sqlite3 *db, struct former *out)
{
	text_of(db,
	    "SELECT substr(v.value, instr(v.value, ' ') + 1) FROM (SELECT CAST(value AS TEXT) AS value"
	    " FROM value WHERE name = 'restored_from') AS v"
	    " JOIN (SELECT tag FROM epoch ORDER BY number DESC LIMIT 1) AS e"
	    " ON v.value LIKE e.tag || ' %'"
	    " JOIN (SELECT event FROM audit ORDER BY sequence DESC LIMIT 1) AS a"
	    " ON a.event = 'store.restored'",
	    out->backup, sizeof out->backup);
}

int former_set_backup(struct store *store, const char *tag, const char *digest, struct err *err)
{
	char value[EPOCH_TAG_SIZE + DIGEST_HEX_SIZE];
	snprintf(value, sizeof value, "%s %s", tag, digest);
	return store_value_set(store, "restored_from", view_of(value), err);
}

void former_look(const char *path, struct former *out)
{
	sqlite3 *db = NULL;
	*out = (struct former){.readable = false};
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, SQL_BUSY_MS) != SQLITE_OK) {
		snprintf(out->why, sizeof out->why, "%s",
		    db == NULL ? "no memory" : sqlite3_errmsg(db));
	} else if (is_sound(db, out)) {
		out->readable = true;
		out->epoch = number_of(db, "SELECT ifnull(max(number), 1) FROM epoch");
		if (out->epoch < 1) /* a version that knows of none */
			out->epoch = 1;
		out->sequence = number_of(db, "SELECT ifnull(max(sequence), 0) FROM audit");
		text_of(db, "SELECT CAST(value AS TEXT) FROM value WHERE name = 'gateway'",
		    out->gateway, sizeof out->gateway);
		read_backup(db, out);
	}
	if (!out->readable && db != NULL) /* it stays as it is, with what is still in its log */
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db);
}

/* -- taking -- */

int former_attach(struct store *store, const char *path, struct err *err)
{
	return sql_run(
	    store, "ATTACH DATABASE ?1 AS former", SQL_WITH(sql_text(path)), NULL, err);
}

void former_detach(struct store *store)
{
	struct err err;
	sql_run(store, "DETACH DATABASE former", SQL_NOTHING, NULL, &err);
}

/* Lines "TEXT", the first NAMED_MOST of what a statement gives. */
static int name(struct store *store, const char *sql, struct buf *findings, struct err *err)
{
	struct sql_query query;
	int64_t count = 0;
	int got;
	if (sql_open(store, &query, sql, SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (count++ < NAMED_MOST) {
			buf_add_view(findings, sql_column_view(&query, 0));
			buf_add_char(findings, '\n');
		}
	}
	sql_close(&query);
	if (count > NAMED_MOST)
		buf_printf(findings, "and %" PRId64 " more of this kind\n", count - NAMED_MOST);
	return got;
}

static const char *const highest[] = {
    "INSERT INTO advisory_number (prefix, year, last)"
    " SELECT prefix, year, last FROM former.advisory_number WHERE true"
    " ON CONFLICT (prefix, year) DO UPDATE SET last = max(last, excluded.last)",
    "UPDATE sqlite_sequence SET seq = max(seq, ifnull((SELECT f.seq FROM former.sqlite_sequence"
    " AS f WHERE f.name = sqlite_sequence.name), 0))",
    "INSERT INTO sqlite_sequence (name, seq) SELECT f.name, f.seq FROM former.sqlite_sequence AS f"
    " WHERE f.name NOT IN (SELECT name FROM sqlite_sequence)"
    " AND f.name IN (SELECT name FROM sqlite_schema WHERE type = 'table')",
};

/* Who was taken out since: what names them, then what takes them out here as well. */
static const struct {
	const char *name;
	const char *take;
} taken_out[] = {
    {"SELECT 'contact ' || c.address || ': removed since the backup, and so here' FROM contact AS c"
     " JOIN former.contact AS f ON f.id = c.id AND f.address = c.address"
     " WHERE c.removed = 0 AND f.removed = 1",
	"UPDATE contact SET removed = 1 WHERE removed = 0 AND EXISTS (SELECT 1 FROM former.contact"
	" AS f WHERE f.id = contact.id AND f.address = contact.address AND f.removed = 1)"},
    {"SELECT iif(c.admin, 'admin ', 'publisher ') || c.address || ': removed since the backup, and"
     " so here' FROM publisher AS c JOIN former.publisher AS f ON f.id = c.id"
     " AND f.address = c.address WHERE c.removed = 0 AND f.removed = 1",
	"UPDATE publisher SET removed = 1 WHERE removed = 0 AND EXISTS (SELECT 1 FROM"
	" former.publisher AS f WHERE f.id = publisher.id AND f.address = publisher.address"
	" AND f.removed = 1)"},
    {"SELECT 'member ' || m.id || ': ' || f.state || ' since the backup, and so here' FROM member"
     " AS m JOIN former.member AS f ON f.id = m.id WHERE f.state IN ('suspended', 'left')"
     " AND f.state <> m.state",
	"UPDATE member SET state = (SELECT f.state FROM former.member AS f WHERE f.id = member.id)"
	" WHERE EXISTS (SELECT 1 FROM former.member AS f WHERE f.id = member.id"
	" AND f.state IN ('suspended', 'left') AND f.state <> member.state)"},
};

/* What it has besides, and this one has not. */
static const char *const lost[] = {
    "SELECT f.number || ': lost' FROM former.advisory AS f WHERE f.number NOT IN (SELECT number FROM advisory) ORDER BY f.id",
    "SELECT a.number || ' r' || r.number || ': lost' FROM former.revision AS r JOIN former.advisory"
    " AS a ON a.id = r.advisory WHERE a.number IN (SELECT number FROM advisory)"
    " AND r.token NOT IN (SELECT token FROM revision) ORDER BY r.id",
    "SELECT a.number || ' r' || r.number || ': ' || count(*) || ' answers lost' FROM"
    " former.acknowledgment AS k JOIN former.revision AS r ON r.id = k.revision JOIN"
    " former.advisory AS a ON a.id = r.advisory WHERE r.token IN (SELECT token FROM revision)"
    " AND k.id > (SELECT ifnull(max(id), 0) FROM acknowledgment) GROUP BY r.id ORDER BY r.id",
    "SELECT 'report ' || f.number || ': lost' FROM former.report AS f WHERE f.number NOT IN"
    " (SELECT number FROM report) ORDER BY f.id",
    "SELECT 'contact ' || f.address || ': added since the backup, lost' FROM former.contact AS f"
    " WHERE f.removed = 0 AND f.address NOT IN (SELECT address FROM contact) ORDER BY f.id",
    "SELECT 'contact ' || c.address || ': cleared for TLP:' || f.clearance || ' since the backup,"
    " lost' FROM contact AS c JOIN former.contact AS f ON f.id = c.id WHERE c.removed = 0"
    " AND f.removed = 0 AND f.clearance <> c.clearance ORDER BY c.id",
    "SELECT 'contact ' || c.address || ': has the key ' || f.fingerprint || ' since the backup,"
    " lost: that of before is retired here' FROM contact AS c JOIN former.contact AS f"
    " ON f.id = c.id WHERE c.removed = 0 AND f.removed = 0 AND f.fingerprint <> c.fingerprint"
    " ORDER BY c.id",
    "SELECT iif(c.admin, 'admin ', 'publisher ') || c.address || ': has the key ' || f.fingerprint"
    " || ' since the backup, lost: that of before is retired here' FROM publisher AS c JOIN"
    " former.publisher AS f ON f.id = c.id WHERE c.removed = 0 AND f.removed = 0"
    " AND f.fingerprint <> c.fingerprint ORDER BY c.id",
    "SELECT iif(f.admin, 'admin ', 'publisher ') || f.address || ': added since the backup, lost'"
    " FROM former.publisher AS f WHERE f.removed = 0 AND f.address NOT IN"
    " (SELECT address FROM publisher) ORDER BY f.id",
};

static int take_people(struct store *store, struct buf *findings, struct err *err)
{
	for (size_t i = 0; i < sizeof highest / sizeof highest[0]; i++) {
		if (sql_run(store, highest[i], SQL_NOTHING, NULL, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
		if (name(store, lost[i], findings, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof taken_out / sizeof taken_out[0]; i++) {
		if (name(store, taken_out[i].name, findings, err) != 0 ||
		    sql_run(store, taken_out[i].take, SQL_NOTHING, NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* Fingerprints, one a line. */
static int collect(struct store *store, const char *sql, struct buf *out, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, sql, SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		buf_add_view(out, sql_column_view(&query, 0));
		buf_add_char(out, '\n');
	}
	sql_close(&query);
	return got;
}

static int retire(struct store *store, int64_t now, const char *actor, const char *fingerprint,
    struct buf *findings, struct err *err)
{
	bool moved;
	if (store_certificate_move(store, fingerprint, "retire", &moved, err) != 0)
		return -1;
	if (!moved)
		return 0;
	buf_printf(findings, "key %s: retired since the backup, and so here\n", fingerprint);
	return store_audit_add(store, now, actor, "key.retire", fingerprint, err,
	    "it was retired in the store whose place the backup took");
}

static int read_facts(struct store *store, const char *fingerprint,
    struct certificate_facts *facts, struct buf *minimal, struct err *err)
{
	struct sql_query query;
	bool found;
	int got;
	*facts = (struct certificate_facts){.created = 0};
	if (sql_first(store, &query,
		"SELECT c.fingerprint, c.user_id, c.algorithm, c.created, c.expires,"
		" c.encryption_key_id, c.encryption_fingerprint, c.encryption_expires, b.minimal"
		" FROM former.certificate AS c JOIN former.certificate_bytes AS b"
		" ON b.fingerprint = c.fingerprint WHERE c.fingerprint = ?1",
		SQL_WITH(sql_text(fingerprint)), &found, err) != 0)
		return -1;
	sql_column_text(&query, 0, facts->fingerprint, sizeof facts->fingerprint);
	sql_column_text(&query, 1, facts->user_id, sizeof facts->user_id);
	sql_column_text(&query, 2, facts->algorithm, sizeof facts->algorithm);
	facts->created = sql_column_int(&query, 3);
	facts->expires = sql_column_int(&query, 4);
	sql_column_text(&query, 5, facts->encryption_key_id, sizeof facts->encryption_key_id);
	sql_column_text(
	    &query, 6, facts->encryption_fingerprint, sizeof facts->encryption_fingerprint);
	facts->encryption_expires = sql_column_int(&query, 7);
	buf_add_view(minimal, sql_column_view(&query, 8));
	sql_close(&query);
	if (sql_open(store, &query,
		"SELECT key_id FROM former.certificate_key WHERE fingerprint = ?1 AND signs = 1"
		" ORDER BY position",
		SQL_WITH(sql_text(fingerprint)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0 && facts->key_count < CERTIFICATE_KEYS_MAX)
		sql_column_text(&query, 0, facts->key_ids[facts->key_count++], KEY_ID_SIZE);
	sql_close(&query);
	return got < 0 ? -1 : 0;
}

/* What its owner has changed since, and above all revoked. */
static int renew(
    struct store *store, const char *fingerprint, struct buf *findings, struct err *err)
{
	struct certificate_facts *facts = malloc(sizeof *facts);
	struct buf minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	char clash[FINGERPRINT_SIZE] = "";
	bool is_new;
	if (facts == NULL)
		abort();
	int result = read_facts(store, fingerprint, facts, &minimal, err);
	if (result == 0 && !minimal.overflow && facts->fingerprint[0] != '\0')
		result = store_certificate_put(
		    store, facts, buf_view(&minimal), 1, &is_new, clash, err);
	if (result == 0)
		buf_printf(findings, "key %s: changed by its owner since the backup, %s\n",
		    fingerprint, clash[0] == '\0' ? "and so here" : "which cannot be taken over");
	buf_release(&minimal);
	free(facts);
	return result;
}

/* Only where its log goes on from ours it is the newer of the two. */
static int descends(struct store *store, bool *out, struct err *err)
{
	int64_t count = 0;
	if (sql_number(store,
		"SELECT count(*) FROM former.audit AS f JOIN (SELECT sequence, hash FROM main.audit"
		" ORDER BY sequence DESC LIMIT 1) AS a ON a.sequence = f.sequence"
		" AND a.hash = f.hash",
		SQL_NOTHING, &count, err) != 0)
		return -1;
	*out = count == 1;
	return 0;
}

/* Whoever has another key since is not sealed for by the one of before, which may have been stolen: they
 * stand as not reached, by name, until an admin has seen to it. */
static int take_keys(
    struct store *store, int64_t now, const char *actor, struct buf *findings, struct err *err)
{
	struct buf retired = BUF_EMPTY(SIZE_MAX / 4);
	struct buf changed = BUF_EMPTY(SIZE_MAX / 4);
	struct view line;
	bool newer;
	int result = descends(store, &newer, err);
	if (result == 0 && newer)
		result = collect(store,
		    "SELECT f.fingerprint FROM former.certificate_bytes AS f JOIN certificate_bytes"
		    " AS b ON b.fingerprint = f.fingerprint WHERE b.minimal <> f.minimal",
		    &changed, err);
	if (result == 0)
		result = collect(store,
		    "SELECT f.fingerprint FROM former.certificate AS f WHERE f.state = 'retired'"
		    " UNION SELECT c.fingerprint FROM contact AS c JOIN former.contact AS f"
		    " ON f.id = c.id AND f.address = c.address WHERE c.removed = 0"
		    " AND f.fingerprint <> c.fingerprint"
		    " UNION SELECT c.fingerprint FROM publisher AS c JOIN former.publisher AS f"
		    " ON f.id = c.id AND f.address = c.address WHERE c.removed = 0"
		    " AND f.fingerprint <> c.fingerprint",
		    &retired, err);
	for (struct view rest = buf_view(&changed); result == 0 && view_next_line(&rest, &line);) {
		char fingerprint[FINGERPRINT_SIZE];
		if (view_copy(line, fingerprint, sizeof fingerprint))
			result = renew(store, fingerprint, findings, err);
	}
	for (struct view rest = buf_view(&retired); result == 0 && view_next_line(&rest, &line);) {
		char fingerprint[FINGERPRINT_SIZE];
		if (view_copy(line, fingerprint, sizeof fingerprint))
			result = retire(store, now, actor, fingerprint, findings, err);
	}
	buf_release(&retired);
	buf_release(&changed);
	return result;
}

int former_take(
    struct store *store, int64_t now, const char *actor, struct buf *findings, struct err *err)
{
	return take_people(store, findings, err) != 0
		   ? -1
		   : take_keys(store, now, actor, findings, err);
}
