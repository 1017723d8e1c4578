#include "config.h"

#include <inttypes.h>

#include "store/migrate.h"
#include "store/sql.h"

/* "DEWL" in the file's header: an SQLite file of somebody else's is never taken for a store. */
#define APPLICATION_ID "1145395020"
enum { APPLICATION_NUMBER = 0x4445574c };

const int64_t migrate_version = 3;

/* One row for each version that was ever released, oldest first. Version 1 is the first. */
static const struct migration steps[] = {
    {1, /* what travelled in the open need not be an answer that counts; and what the smarthost
	     refused a delivery for, and when a batch was sealed */
	"CREATE TABLE clear_answer_2 (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" acknowledgment INTEGER UNIQUE REFERENCES acknowledgment (id),"
	" revision INTEGER NOT NULL REFERENCES revision (id),"
	" contact INTEGER REFERENCES contact (id),"
	" arrival INTEGER NOT NULL REFERENCES arrival (id),"
	" received_at INTEGER NOT NULL,"
	" what TEXT NOT NULL CHECK (what IN ('text', 'subject')),"
	" claimed TEXT NOT NULL,"
	" told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),"
	" reported INTEGER NOT NULL DEFAULT 0 CHECK (reported IN (0, 1)),"
	" notice INTEGER REFERENCES message (id),"
	" CHECK (acknowledgment IS NULL OR contact IS NOT NULL)) STRICT;"
	"INSERT INTO clear_answer_2 SELECT c.id, a.id, c.revision, c.contact, a.arrival,"
	" a.received_at, a.clear, '', c.told, c.reported, c.notice"
	" FROM clear_answer AS c JOIN acknowledgment AS a ON a.id = c.acknowledgment;"
	"DROP TABLE clear_answer;"
	"ALTER TABLE clear_answer_2 RENAME TO clear_answer;"
	"CREATE UNIQUE INDEX clear_answer_of_contact ON clear_answer"
	" (revision, ifnull(contact, 0), acknowledgment IS NULL);"
	"CREATE INDEX clear_answer_untold ON clear_answer (id) WHERE told = 0;"
	"CREATE INDEX clear_answer_unreported ON clear_answer (id) WHERE reported = 0;"
	"ALTER TABLE revision ADD COLUMN own_left_out INTEGER NOT NULL DEFAULT 0"
	" CHECK (own_left_out IN (0, 1));"
	"ALTER TABLE batch ADD COLUMN sealed_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE delivery ADD COLUMN about TEXT NOT NULL DEFAULT ''"
	" CHECK (about IN ('', 'recipient', 'message', 'gateway'));"
	"ALTER TABLE delivery ADD COLUMN told INTEGER NOT NULL DEFAULT 0"
	" CHECK (told IN (0, 1, 2));"
	"CREATE INDEX delivery_failed ON delivery (message, id)"
	" WHERE state = 'failed' AND batch IS NOT NULL;"
	/* more verdicts on what came back, and its first lines */
	"CREATE TABLE bounce_2 (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" delivery INTEGER NOT NULL REFERENCES delivery (id),"
	" arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),"
	" received_at INTEGER NOT NULL,"
	" verdict TEXT NOT NULL CHECK (verdict IN"
	" ('bounced', 'given up', 'unreadable', 'auto-reply', 'written', 'noted')),"
	" action TEXT NOT NULL,"
	" status TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" diagnostic TEXT NOT NULL,"
	" first_lines TEXT NOT NULL DEFAULT '',"
	" instead INTEGER REFERENCES delivery (id),"
	" told INTEGER NOT NULL CHECK (told IN (0, 1))) STRICT;"
	"INSERT INTO bounce_2 SELECT id, delivery, arrival, received_at, verdict, action, status,"
	" recipient, diagnostic, '', instead, told FROM bounce;"
	"DROP TABLE bounce;"
	"ALTER TABLE bounce_2 RENAME TO bounce;"
	"CREATE INDEX bounce_delivery ON bounce (delivery);"
	"CREATE INDEX bounce_untold ON bounce (id) WHERE told = 0;"
	/* answers that do not count, and such whose time has not come */
	"CREATE TABLE uncounted_answer (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" revision INTEGER NOT NULL REFERENCES revision (id),"
	" contact INTEGER NOT NULL REFERENCES contact (id),"
	" reason TEXT NOT NULL CHECK (reason <> ''),"
	" arrival INTEGER NOT NULL REFERENCES arrival (id),"
	" signed_at INTEGER NOT NULL,"
	" received_at INTEGER NOT NULL,"
	" told INTEGER NOT NULL CHECK (told IN (0, 1)),"
	" notice INTEGER REFERENCES message (id),"
	" UNIQUE (revision, contact, reason)) STRICT;"
	"CREATE INDEX uncounted_answer_untold ON uncounted_answer (id) WHERE told = 0;"
	"ALTER TABLE arrival ADD COLUMN wait_until INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE arrival ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0"
	" CHECK (claimed IN (0, 1));"
	"CREATE INDEX arrival_claimed ON arrival (received_at) WHERE claimed = 1;"},
    {2, /* what restores, clocks and workers leave on record */
	"CREATE TABLE clock_witness (fingerprint TEXT PRIMARY KEY CHECK (fingerprint <> ''),"
	" ahead INTEGER NOT NULL, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"ALTER TABLE batch ADD COLUMN tag TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE epoch ( number INTEGER PRIMARY KEY CHECK (number >= 2),"
	" tag TEXT NOT NULL UNIQUE CHECK (length(tag) >= 3),"
	" begun_at INTEGER NOT NULL, backup_at INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL, advisory INTEGER NOT NULL,"
	" delivery INTEGER NOT NULL, message INTEGER NOT NULL, lost_to INTEGER NOT NULL,"
	" noticed INTEGER NOT NULL CHECK (noticed IN (0, 1)),"
	" told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1, 2)),"
	" reviewed_at INTEGER NOT NULL DEFAULT 0, findings TEXT NOT NULL ) STRICT;"
	"CREATE TABLE lost_trace ( id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL CHECK (kind IN ('answer', 'number', 'return path')),"
	" subject TEXT NOT NULL, arrival INTEGER NOT NULL REFERENCES arrival (id),"
	" contact INTEGER REFERENCES contact (id),"
	" publisher INTEGER REFERENCES publisher (id), received_at INTEGER NOT NULL,"
	" told INTEGER NOT NULL CHECK (told IN (0, 1, 2)), UNIQUE (kind, subject,"
	" arrival) ) STRICT;"
	"CREATE INDEX lost_trace_untold ON lost_trace (id) WHERE told < 2;"
	/* how often a mail ended its worker, and what of that the admins know */
	"ALTER TABLE arrival ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE arrival ADD COLUMN told INTEGER NOT NULL DEFAULT 0"
	" CHECK (told IN (0, 1, 2));"
	"UPDATE arrival SET tries = 2, told = 2 * (id <= ifnull((SELECT"
	" CAST(CAST(value AS TEXT) AS INTEGER) FROM value WHERE name = 'fatal-told'), 0))"
	" WHERE meaning = 'fatal';"
	"CREATE INDEX arrival_fatal_untold ON arrival (id) WHERE meaning = 'fatal' AND told < 2;"
	/* the last mails to a person, and those that did not arrive */
	"CREATE INDEX delivery_unwell ON delivery (id) WHERE state IN ('failed', 'bounced');"
	"CREATE INDEX delivery_of_contact ON delivery (contact, id) WHERE contact IS NOT NULL;"
	"CREATE INDEX delivery_of_publisher ON delivery (publisher, id)"
	" WHERE publisher IS NOT NULL;"},
};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

static int set_version(struct store *store, int64_t version, struct err *err)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_printf(&text, "PRAGMA user_version = %" PRId64, version);
	const int result = sql_script(store, buf_text(&text), err);
	buf_release(&text);
	return result;
}

int migrate_create(struct store *store, struct err *err)
{
	if (store_begin(store, err) != 0)
		return -1;
	if (sql_script(store, "PRAGMA application_id = " APPLICATION_ID, err) != 0 ||
	    sql_script(store, migrate_schema, err) != 0 ||
	    set_version(store, migrate_version, err) != 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err);
}

static int read_version(struct store *store, int64_t *version, struct err *err)
{
	return sql_number(store, "PRAGMA user_version", SQL_NOTHING, version, err);
}

static int refuse_newer(int64_t version, int64_t target, struct err *err)
{
	return version <= target
		   ? 0
		   : err_set(err, ERR_DAEMON, ERR_NEVER,
			 "the store has version %" PRId64 " and this program knows only %" PRId64
			 ": nothing was changed; use the dewline that it was last used with, or a "
			 "newer one",
			 version, target);
}

static int run_step(struct store *store, const struct migration *table, size_t count,
    int64_t version, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].from != version || table[i].sql == NULL)
			continue;
		if (sql_script(store, table[i].sql, err) == 0)
			return 0;
		return err_prefix(err, "migration from version %" PRId64, version);
	}
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "there is no way from version %" PRId64 " of the store to the present one", version);
}

static int run_steps(struct store *store, const struct migration *table, size_t count,
    int64_t target, struct err *err)
{
	int64_t version;
	int64_t broken;
	/* Read again inside the transaction: another process may have been faster. */
	if (read_version(store, &version, err) != 0 || refuse_newer(version, target, err) != 0)
		return -1;
	for (; version < target; version++) {
		if (run_step(store, table, count, version, err) != 0)
			return -1;
	}
	if (sql_number(store, "SELECT count(*) FROM pragma_foreign_key_check", SQL_NOTHING, &broken,
		err) != 0)
		return -1;
	if (broken != 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "after the migration %" PRId64 " references lead nowhere", broken);
	return set_version(store, target, err);
}

int migrate_with(struct store *store, const struct migration *table, size_t count, int64_t target,
    struct err *err)
{
	int64_t version;
	if (read_version(store, &version, err) != 0 || refuse_newer(version, target, err) != 0)
		return -1;
	if (version == target)
		return 0;
	/* A step may rebuild a table that others refer to; what counts is the check at its end. */
	if (sql_script(store, "PRAGMA foreign_keys = OFF", err) != 0 ||
	    store_begin(store, err) != 0)
		return -1;
	if (run_steps(store, table, count, target, err) != 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, err) != 0)
		return -1;
	return sql_script(store, "PRAGMA foreign_keys = ON", err);
}

int migrate_recognise(struct store *store, struct err *err)
{
	int64_t application;
	int64_t version;
	if (sql_number(store, "PRAGMA application_id", SQL_NOTHING, &application, err) != 0)
		return -1;
	if (application != APPLICATION_NUMBER)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "this file is not a store of dewline");
	return read_version(store, &version, err) == 0 ? refuse_newer(version, migrate_version, err)
						       : -1;
}

int migrate_forward(struct store *store, struct err *err)
{
	return migrate_with(store, steps, STEP_COUNT, migrate_version, err);
}
