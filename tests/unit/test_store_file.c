/* The file itself: settings, transactions, versions, copies, and what happens when power or disk
 * go. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/audit.h"
#include "store/migrate.h"
#include "store/sql.h"
#include "store_fixture.h"

enum { FILE_MOST = 8 * 1024 * 1024 };

static int64_t pragma(struct fixture *f, const char *text)
{
	int64_t number;
	OK(f, sql_number(f->store, text, SQL_NOTHING, &number, &f->err));
	return number;
}

static void a_store_is_durable_and_strict(void **state)
{
	struct fixture *f = *state;
	struct sql_query query;
	bool found;
	assert_int_equal(pragma(f, "PRAGMA synchronous"), 2); /* FULL */
	assert_int_equal(pragma(f, "PRAGMA foreign_keys"), 1);
	assert_int_equal(pragma(f, "PRAGMA trusted_schema"), 0);
	assert_int_equal(pragma(f, "PRAGMA cell_size_check"), 1);
	assert_int_equal(pragma(f, "PRAGMA secure_delete"), 1);
	assert_int_equal(pragma(f, "PRAGMA user_version"), migrate_version);
	OK(f, sql_first(f->store, &query, "PRAGMA journal_mode", SQL_NOTHING, &found, &f->err));
	assert_true(view_is(sql_column_view(&query, 0), "wal"));
	sql_close(&query);
	assert_int_equal(
	    pragma(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
		      " AND type = 'table' AND strict = 0 AND name NOT GLOB 'sqlite_*'"),
	    0);
	OK(f, store_verify(f->store, &f->err));
}

static void expect_private(const char *path)
{
	struct stat found;
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
}

static void nobody_else_can_read_it(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	fixture_arrival(f, "mail");
	expect_private(f->path);
	snprintf(path, sizeof path, "%s-wal", f->path);
	expect_private(path);
	snprintf(path, sizeof path, "%s-shm", f->path);
	expect_private(path);
}

static void a_wide_umask_opens_nothing(void **state)
{
	struct fixture *f = *state;
	char path[FIXTURE_PATH_SIZE + 8];
	snprintf(path, sizeof path, "%s2", f->path);
	const mode_t old = umask(0);
	OK(f, store_create(path, &f->err));
	umask(old);
	expect_private(path);
}

static void an_existing_file_is_not_made_a_store(void **state)
{
	struct fixture *f = *state;
	REFUSED(store_create(f->path, &f->err));
	assert_int_equal(f->err.whom, ERR_MESSAGE);
	fixture_arrival(f, "still works");
}

static void a_store_that_is_not_there_is_not_made_by_opening(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	char path[FIXTURE_PATH_SIZE + 8];
	snprintf(path, sizeof path, "%s2", f->path);
	REFUSED(store_open(path, &store, &f->err));
	assert_null(store);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_of_another_kind_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	char path[FIXTURE_PATH_SIZE + 8];
	fixture_raw(f, "PRAGMA application_id = 7");
	REFUSED(store_open(f->path, &store, &f->err));
	snprintf(path, sizeof path, "%s2", f->path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%04096d", 7);
	fclose(file);
	REFUSED(store_open(path, &store, &f->err));
	assert_non_null(strstr(f->err.text, "not a store"));
}

/* I22. */
static void a_newer_store_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	fixture_raw(f, "PRAGMA user_version = 99");
	REFUSED(store_open(f->path, &store, &f->err));
	assert_non_null(strstr(f->err.text, "newer"));
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 99);
}

/* As another program keeps its own: not in write-ahead mode. I22. */
static void what_is_refused_keeps_every_byte(void **state)
{
	static const char *const strange[] = {"PRAGMA application_id = 7",
	    "PRAGMA application_id = 1145395020; PRAGMA user_version = 99"};
	struct fixture *f = *state;
	struct store *store;
	store_close(f->store);
	f->store = NULL;
	fixture_raw(f, "PRAGMA journal_mode = DELETE");
	for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
		struct buf before = BUF_EMPTY(FILE_MOST);
		struct buf after = BUF_EMPTY(FILE_MOST);
		fixture_raw(f, strange[i]);
		OK(f, file_read(f->path, &before, &f->err));
		REFUSED(store_open(f->path, &store, &f->err));
		OK(f, file_read(f->path, &after, &f->err));
		assert_true(view_equals(buf_view(&before), buf_view(&after)));
		buf_release(&before);
		buf_release(&after);
	}
}

static void a_version_that_nothing_leads_from_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	fixture_raw(f, "PRAGMA user_version = 0");
	REFUSED(store_open(f->path, &store, &f->err));
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 0);
}

/* Steps of versions to come, the second of which rebuilds a table that others refer to. */
static const struct migration steps[] = {
    {1, "ALTER TABLE member ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'"},
    {2, "CREATE TABLE other (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,"
	" parent TEXT REFERENCES member (id), state TEXT NOT NULL, added_at INTEGER NOT NULL,"
	" colour TEXT NOT NULL) STRICT;"
	"INSERT INTO other SELECT * FROM member; DROP TABLE member;"
	"ALTER TABLE other RENAME TO member; UPDATE member SET colour = 'green'"},
};

static void an_older_store_goes_forward_step_by_step(void **state)
{
	struct fixture *f = *state;
	struct contact contact;
	bool found;
	const int64_t id = fixture_contact(f, 1);
	fixture_raw(f, "PRAGMA user_version = 1");
	OK(f, migrate_with(f->store, steps, 2, 3, &f->err));
	assert_int_equal(pragma(f, "PRAGMA user_version"), 3);
	assert_int_equal(pragma(f, "PRAGMA foreign_keys"), 1);
	assert_int_equal(
	    pragma(f, "SELECT count(*) FROM member WHERE id = 'm' AND colour = 'green'"), 1);
	OK(f, store_contact_get(f->store, id, &contact, &found, &f->err));
	assert_true(found);
	OK(f, store_verify(f->store, &f->err));
	OK(f, migrate_with(f->store, steps, 2, 3, &f->err)); /* nothing left to do */
}

/* I22. */
static void a_step_that_fails_undoes_all_steps(void **state)
{
	struct fixture *f = *state;
	static const struct migration failing[] = {
	    {1, "ALTER TABLE member ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'"},
	    {2, "UPDATE nothing_there SET x = 1"},
	};
	fixture_raw(f, "PRAGMA user_version = 1");
	REFUSED(migrate_with(f->store, failing, 2, 3, &f->err));
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM pragma_table_info('member')"
					   " WHERE name = 'colour'"),
	    0);
}

/* In place of waiting: whom the store waits for is done. */
static int let_it_go_on(void *other, int tries)
{
	(void)tries;
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	return 1;
}

/* Between a first look at the version and the transaction another process, of a newer program, was
 * faster. I22. */
static void a_store_that_becomes_newer_meanwhile_is_left_alone(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;
	fixture_raw(f, "PRAGMA user_version = 1");
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE; PRAGMA user_version = 4", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_busy_handler(f->store->db, let_it_go_on, other);
	REFUSED(migrate_with(f->store, steps, 2, 3, &f->err));
	assert_non_null(strstr(f->err.text, "newer"));
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 4);
	sqlite3_close(other);
}

static void a_step_that_leaves_loose_ends_is_undone(void **state)
{
	struct fixture *f = *state;
	static const struct migration loose[] = {{1, "DELETE FROM member"}};
	fixture_contact(f, 1);
	fixture_raw(f, "PRAGMA user_version = 1");
	REFUSED(migrate_with(f->store, loose, 1, 2, &f->err));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM member"), 1);
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 1);
}

/* What makes up the schema, whatever the order of columns and however it is written down. */
static void read_shape(struct fixture *f, struct buf *out)
{
	static const char *const queries[] = {
	    "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '"
	    " || ifnull(c.dflt_value, '-') || ' ' || c.pk FROM pragma_table_list AS t"
	    " JOIN pragma_table_info(t.name) AS c WHERE t.schema = 'main' ORDER BY 1",
	    "SELECT t.name || '.' || k.\"from\" || ' to ' || k.\"table\" FROM pragma_table_list AS t"
	    " JOIN pragma_foreign_key_list(t.name) AS k WHERE t.schema = 'main' ORDER BY 1",
	    "SELECT replace(replace(replace(sql, char(10), ''), char(9), ''), ' ', '')"
	    " FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY 1",
	};
	struct sql_query query;
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		OK(f, sql_open(f->store, &query, queries[i], SQL_NOTHING, &f->err));
		while (sql_next(&query, &f->err) > 0) {
			buf_add_view(out, sql_column_view(&query, 0));
			buf_add_char(out, '\n');
		}
	}
}

/* A store as an older version made it. */
static void open_version(struct fixture *f, int version)
{
	struct buf schema = BUF_EMPTY(1024 * 1024);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	store_close(f->store);
	assert_int_equal(unlink(f->path), 0);
	buf_printf(&text, TEST_SRCDIR "/tests/unit/store_version_%d.sql", version);
	OK(f, file_read(buf_text(&text), &schema, &f->err));
	buf_clear(&text);
	buf_printf(&text, "PRAGMA application_id = 1145395020; PRAGMA user_version = %d", version);
	fixture_raw(f, buf_text(&text));
	fixture_raw(f, buf_text(&schema));
	buf_release(&text);
	buf_release(&schema);
}

/* With a row in what a later step rebuilds. */
static void open_version_1(struct fixture *f)
{
	open_version(f, 1);
	fixture_raw(f,
	    "INSERT INTO member VALUES ('m', 'M', 'other', NULL, 'active', 1);"
	    "INSERT INTO contact VALUES (4, 'm', 'c@m.example', 'C', 'F', 'RED', 1, 0, 1);"
	    "INSERT INTO publisher VALUES (2, 'p@v.example', 'P', 'G', 0, 0, 1);"
	    "INSERT INTO arrival (id, digest, received_at, size, state)"
	    " VALUES (5, 'd', 1, 1, 'done');"
	    "INSERT INTO message (id, kind, message_id, created_at, head, tail, stash)"
	    " VALUES (6, 'advisory', 'i', 1, x'00', x'00', x'00');"
	    "INSERT INTO advisory VALUES (8, 'D-1', 'complete', 'advisory', 'AMBER', '', 0, 2, 1);"
	    "INSERT INTO revision VALUES (3, 8, 1, 'new', 'AMBER', 'all', 'T', 0, 1, 2, 5, 6, 2,"
	    " x'00');"
	    "INSERT INTO acknowledgment VALUES (7, 3, 4, 5, 'acting', 100, 101, 'F', 'subject', "
	    "x'');"
	    "INSERT INTO clear_answer VALUES (1, 7, 3, 4, 1, 0, NULL);"
	    "INSERT INTO delivery (id, message, publisher, address, fingerprint, key_id, state,"
	    " reason) VALUES (9, 6, 2, 'p@v.example', '', '', 'failed', 'x');"
	    "INSERT INTO bounce VALUES (7, 9, 5, 1, 'given up', 'failed', '4.4.7', '', 'd', NULL,"
	    " 1)");
}

static void what_a_store_of_the_first_version_holds_is_kept(void **state)
{
	struct fixture *f = *state;
	open_version_1(f);
	OK(f, store_open(f->path, &f->store, &f->err));
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM clear_answer WHERE acknowledgment = 7"
			      " AND contact = 4 AND arrival = 5 AND received_at = 101"
			      " AND what = 'subject' AND told = 1 AND reported = 0"),
	    1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM bounce WHERE id = 7 AND told = 1"
					   " AND status = '4.4.7' AND first_lines = ''"),
	    1);
}

/* I22. */
static void a_store_of_each_version_comes_to_the_present_shape(void **state)
{
	struct fixture *f = *state;
	struct buf present = BUF_EMPTY(1024 * 1024);
	read_shape(f, &present);
	for (int version = 1; version < migrate_version; version++) {
		struct buf migrated = BUF_EMPTY(1024 * 1024);
		open_version(f, version);
		OK(f, store_open(f->path, &f->store, &f->err));
		read_shape(f, &migrated);
		assert_string_equal(buf_text(&migrated), buf_text(&present));
		OK(f, store_verify(f->store, &f->err));
		assert_int_equal(pragma(f, "PRAGMA user_version"), migrate_version);
		buf_release(&migrated);
	}
	buf_release(&present);
}

/* For each table of a version a query that gives all its rows as text, one in a line. With these,
 * what a store holds can be compared whatever columns and tables come to it. */
static void read_queries(struct fixture *f, struct buf *out)
{
	sqlite3 *db;
	sqlite3_stmt *rows;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "SELECT 'SELECT ''' || t.name || ' '' || ' ||"
			     " group_concat('quote(\"' || c.name || '\")', ' || '','' || ') ||"
			     " ' FROM \"' || t.name || '\" ORDER BY 1'"
			     " FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c"
			     " WHERE t.schema = 'main' AND t.type = 'table'"
			     " AND t.name NOT GLOB 'sqlite_*' GROUP BY t.name",
			     -1, &rows, NULL),
	    SQLITE_OK);
	while (sqlite3_step(rows) == SQLITE_ROW)
		buf_printf(out, "%s\n", (const char *)sqlite3_column_text(rows, 0));
	sqlite3_finalize(rows);
	sqlite3_close(db);
	assert_true(out->len > 0 && !out->overflow);
}

static void read_rows(sqlite3 *db, struct view query, struct buf *out)
{
	sqlite3_stmt *rows;
	const size_t before = out->len;
	if (sqlite3_prepare_v2(db, query.data, (int)query.len, &rows, NULL) != SQLITE_OK)
		fail_msg("%.*s: %s", (int)query.len, query.data, sqlite3_errmsg(db));
	while (sqlite3_step(rows) == SQLITE_ROW)
		buf_printf(out, "%s\n", (const char *)sqlite3_column_text(rows, 0));
	sqlite3_finalize(rows);
	if (out->len == before)
		fail_msg("no row: %.*s", (int)query.len, query.data);
}

/* All that the queries give; each must give something. */
static void read_content(struct fixture *f, const struct buf *queries, struct buf *out)
{
	struct view rest = buf_view(queries);
	struct view query;
	sqlite3 *db;
	buf_clear(out);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	while (view_next_line(&rest, &query))
		read_rows(db, query, out);
	sqlite3_close(db);
	assert_false(out->overflow);
}

/* Of a store of version 2: what tells its shape, what reads all that it holds, and what they gave.
 */
struct content {
	struct buf shape;
	struct buf queries;
	struct buf before;
	struct buf after;
};

static void read_master(struct fixture *f, struct buf *out)
{
	struct buf query = BUF_EMPTY(BUF_SMALL);
	buf_add_text(
	    &query, "SELECT type || name || ifnull(sql, '') FROM sqlite_master ORDER BY 1");
	read_content(f, &query, out);
	buf_release(&query);
}

static void run_file(struct fixture *f, const char *path)
{
	struct buf sql = BUF_EMPTY(FILE_MOST);
	OK(f, file_read(path, &sql, &f->err));
	fixture_raw(f, buf_text(&sql));
	buf_release(&sql);
}

/* A store of version 2 with something in every table. */
static struct content open_populated(struct fixture *f)
{
	struct content content = {.shape = BUF_EMPTY(FILE_MOST),
	    .queries = BUF_EMPTY(FILE_MOST),
	    .before = BUF_EMPTY(FILE_MOST),
	    .after = BUF_EMPTY(FILE_MOST)};
	open_version(f, 2);
	f->store = NULL;
	run_file(f, TEST_SRCDIR "/tests/unit/store_seed_2.sql");
	fixture_raw(f, "PRAGMA journal_mode = WAL");
	read_master(f, &content.shape);
	read_queries(f, &content.queries);
	read_content(f, &content.queries, &content.before);
	return content;
}

static void content_release(struct content *content)
{
	buf_release(&content->shape);
	buf_release(&content->queries);
	buf_release(&content->before);
	buf_release(&content->after);
}

/* In that version, and with all that it held. */
static void expect_kept(struct fixture *f, struct content *content, int64_t version)
{
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), version);
	if (version == 2) {
		read_master(f, &content->after);
		assert_string_equal(buf_text(&content->after), buf_text(&content->shape));
	}
	read_content(f, &content->queries, &content->after);
	assert_string_equal(buf_text(&content->after), buf_text(&content->before));
}

/* I22. */
static void what_stands_in_any_table_of_version_2_is_kept(void **state)
{
	struct fixture *f = *state;
	struct content content = open_populated(f);
	OK(f, store_open(f->path, &f->store, &f->err));
	OK(f, store_verify(f->store, &f->err));
	expect_kept(f, &content, migrate_version);
	content_release(&content);
}

/* In a child: opens while no file may grow beyond so many bytes. Ends without closing, which would
 * write once more. 0: it was opened. */
static void open_within(const char *path, rlim_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
	struct store *store;
	struct err err;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(2);
	_exit(store_open(path, &store, &err) == 0 ? 0 : 1);
}

/* The exit status, or 128 and the signal that ended it. */
static int open_in_child(struct fixture *f, rlim_t bytes, bool killed)
{
	int status;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
		open_within(f->path, bytes);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The file system takes one page more each time, so that each write of the migration is once the
 * one that fails, or at which the process is killed. I22. */
static void a_migration_that_ends_at_any_write_changed_nothing(void **state)
{
	enum { STEP = 4096 + 24 }; /* a page in the log, and its head */
	struct fixture *f = *state;
	for (int killed = 0; killed < 2; killed++) {
		struct content content = open_populated(f);
		const int expected = killed ? 128 + SIGXFSZ : 1;
		int ended = 0;
		int code = expected;
		for (rlim_t bytes = STEP; code == expected; bytes += STEP, ended++) {
			code = open_in_child(f, bytes, killed);
			expect_kept(f, &content, code == 0 ? migrate_version : 2);
		}
		assert_int_equal(code, 0);
		assert_true(ended > 5);
		content_release(&content);
	}
	OK(f, store_open(f->path, &f->store, &f->err));
	OK(f, store_verify(f->store, &f->err));
}

/* In a child: opens it as soon as the pipe is closed. */
static pid_t open_at_once(struct fixture *f, const int go[2])
{
	struct err err;
	char byte;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child > 0)
		return child;
	close(go[1]);
	const bool good = read(go[0], &byte, 1) == 0 && store_open(f->path, &f->store, &err) == 0;
	_exit(good ? 0 : 1);
}

/* As dewctl and dewlined do after an upgrade. I22. */
static void those_who_migrate_at_once_all_find_the_present_version(void **state)
{
	enum { ROUNDS = 5, PROCESSES = 3 };
	struct fixture *f = *state;
	for (int round = 0; round < ROUNDS; round++) {
		struct content content = open_populated(f);
		pid_t children[PROCESSES];
		int status;
		int go[2];
		assert_int_equal(pipe(go), 0);
		for (int i = 0; i < PROCESSES; i++)
			children[i] = open_at_once(f, go);
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < PROCESSES; i++) {
			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_int_equal(status, 0);
		}
		expect_kept(f, &content, migrate_version);
		content_release(&content);
	}
}

static void a_rollback_undoes_and_a_commit_stays(void **state)
{
	struct fixture *f = *state;
	store_rollback(f->store); /* harmless */
	OK(f, store_begin(f->store, &f->err));
	REFUSED(store_begin(f->store, &f->err));
	fixture_arrival(f, "1");
	store_rollback(f->store);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival"), 0);
	OK(f, store_begin(f->store, &f->err));
	fixture_arrival(f, "2");
	OK(f, store_commit(f->store, &f->err));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival"), 1);
	REFUSED(store_commit(f->store, &f->err));
}

static void a_commit_elsewhere_is_seen_and_ours_is_not_elsewhere(void **state)
{
	struct fixture *f = *state;
	assert_false(store_changed_elsewhere(f->store));
	fixture_arrival(f, "ours");
	assert_false(store_changed_elsewhere(f->store));
	fixture_raw(f, "INSERT INTO value VALUES ('a', x'00')");
	assert_true(store_changed_elsewhere(f->store));
	assert_false(store_changed_elsewhere(f->store));
}

/* Forked while this process has no connection: SQLite's own books must not be carried over. */
static void writers_wait_for_each_other(void **state)
{
	struct fixture *f = *state;
	int go[2];
	int status;
	store_close(f->store);
	assert_int_equal(pipe(go), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *mine;
		struct err err;
		char byte;
		int64_t id;
		bool fresh;
		const bool good =
		    read(go[0], &byte, 1) == 1 && store_open(f->path, &mine, &err) == 0 &&
		    store_arrival_receive(mine, VIEW("theirs"), 1, &id, &fresh, &err) == 0;
		_exit(good ? 0 : 1);
	}
	OK(f, store_open(f->path, &f->store, &f->err));
	OK(f, store_begin(f->store, &f->err));
	assert_int_equal(write(go[1], "x", 1), 1);
	close(go[0]);
	close(go[1]);
	usleep(300 * 1000);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0); /* it waits */
	fixture_arrival(f, "ours");
	OK(f, store_commit(f->store, &f->err));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival"), 2);
}

static void values_and_counters_are_kept(void **state)
{
	struct fixture *f = *state;
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	OK(f, store_value_get(f->store, "key", &value, &found, &f->err));
	assert_false(found);
	OK(f, store_value_set(f->store, "key", VIEW("a\0b"), &f->err));
	OK(f, store_value_set(f->store, "key", VIEW("c\0d"), &f->err));
	OK(f, store_value_get(f->store, "key", &value, &found, &f->err));
	assert_true(found);
	assert_int_equal(value.len, 3);
	assert_memory_equal(value.data, "c\0d", 3);
	buf_clear(&value);
	OK(f, store_counter_add(f->store, "gpg-runs", 3, &f->err));
	OK(f, store_counter_add(f->store, "gpg-runs", 39, &f->err));
	OK(f, store_value_get(f->store, "gpg-runs", &value, &found, &f->err));
	assert_string_equal(buf_text(&value), "42");
	buf_release(&value);
}

static void a_copy_of_the_live_store_is_whole_and_private(void **state)
{
	struct fixture *f = *state;
	struct store *writer;
	struct store *copy;
	struct arrival arrival;
	char path[FIXTURE_PATH_SIZE + 8];
	bool found;
	snprintf(path, sizeof path, "%s.bak", f->path);
	const int64_t id = fixture_arrival(f, "mail");
	/* Somebody is in the middle of something: that is not in the copy. */
	OK(f, store_open(f->path, &writer, &f->err));
	OK(f, store_begin(writer, &f->err));
	OK(f, store_value_set(writer, "half", VIEW("done"), &f->err));
	OK(f, store_backup(f->store, path, &f->err));
	OK(f, store_commit(writer, &f->err));
	store_close(writer);
	expect_private(path);
	OK(f, store_open(path, &copy, &f->err));
	OK(f, store_verify(copy, &f->err));
	OK(f, store_arrival_get(copy, id, &arrival, &found, &f->err));
	assert_true(found);
	struct buf value = BUF_EMPTY(BUF_SMALL);
	OK(f, store_value_get(copy, "half", &value, &found, &f->err));
	assert_false(found);
	store_close(copy);
	REFUSED(store_backup(f->store, path, &f->err)); /* it is there already */
	OK(f, store_open(path, &copy, &f->err));
	store_close(copy);
}

/* As with a disk that fails where the store lies: the log beside it takes what comes. I13. */
static void an_error_of_a_checkpoint_is_told(void **state)
{
	enum { VALUES = 64, AGAIN = 20, VALUE_BYTES = 256 * 1024, MOST_BYTES = 12 * 1024 * 1024 };
	struct fixture *f = *state;
	struct rlimit before;
	char *bytes = calloc(1, VALUE_BYTES);
	bool failed = false;
	assert_non_null(bytes);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (int pass = 0; pass < 2; pass++) {
		struct rlimit limit = {.rlim_cur = MOST_BYTES, .rlim_max = before.rlim_max};
		if (pass == 1)
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		memset(bytes, 'a' + pass, VALUE_BYTES);
		/* The last ones lie furthest back in the file, and the log stays below the limit.
		 */
		for (int i = pass == 0 ? 0 : VALUES - AGAIN; i < VALUES && !failed; i++) {
			char name[32];
			snprintf(name, sizeof name, "value %d", i);
			failed = store_value_set(f->store, name, (struct view){bytes, VALUE_BYTES},
				     &f->err) != 0;
		}
		assert_int_equal(failed, pass == 1);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	OK(f, store_verify(f->store, &f->err)); /* and nothing is lost */
	free(bytes);
}

/* A page of the middle, overwritten behind SQLite's back. */
static void a_damaged_page_is_found(void **state)
{
	struct fixture *f = *state;
	struct store *damaged;
	char junk[4096];
	for (int n = 1; n <= 50; n++)
		fixture_contact(f, n);
	store_close(f->store);
	f->store = NULL;
	memset(junk, 0xa5, sizeof junk);
	const int fd = open(f->path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, sizeof junk, (off_t)sizeof junk), sizeof junk);
	close(fd);
	if (store_open(f->path, &damaged, &f->err) == 0)
		REFUSED(store_verify(damaged, &f->err));
	assert_int_equal(f->err.whom, ERR_DAEMON);
	store_close(damaged);
}

static void a_reference_that_leads_nowhere_is_found(void **state)
{
	struct fixture *f = *state;
	fixture_contact(f, 1);
	fixture_raw(f, "PRAGMA foreign_keys = OFF; DELETE FROM member");
	REFUSED(store_verify(f->store, &f->err));
	assert_non_null(strstr(f->err.text, "contact"));
}

/* The child commits, tells, begins more, tells, and is killed in the middle. */
static void child_is_killed_after(struct fixture *f, int committed)
{
	int pipe_ends[2];
	char byte;
	assert_int_equal(pipe(pipe_ends), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *mine;
		struct err err;
		char raw[32];
		int64_t id;
		bool fresh;
		if (store_open(f->path, &mine, &err) != 0)
			_exit(1);
		for (int i = 0; i <= committed; i++) {
			if (store_begin(mine, &err) != 0)
				_exit(1);
			snprintf(raw, sizeof raw, "mail %d", i);
			if (store_arrival_receive(mine, view_of(raw), 1, &id, &fresh, &err) != 0 ||
			    store_audit_add(mine, 1, "gate", "x", "y", &err, "%d", i) != 0)
				_exit(1);
			if (i < committed && store_commit(mine, &err) != 0)
				_exit(1);
		}
		if (write(pipe_ends[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	close(pipe_ends[1]);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
	close(pipe_ends[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* I13. */
static void a_kill_in_mid_transaction_loses_nothing_committed(void **state)
{
	struct fixture *f = *state;
	char what[STORE_REASON_SIZE];
	int64_t count;
	int64_t bad;
	store_close(f->store);
	f->store = NULL;
	child_is_killed_after(f, 5);
	OK(f, store_open(f->path, &f->store, &f->err));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival"), 5);
	OK(f, store_verify(f->store, &f->err));
	OK(f, store_audit_verify(f->store, 0, NULL, &count, &bad, what, &f->err));
	assert_int_equal(count, 5);
	assert_int_equal(bad, 0);
	fixture_arrival(f, "and on it goes");
}

/* Runs in a child, since the limit cannot be taken back: 0 when all is as it should be. */
static int write_past_the_limit(const char *path)
{
	const struct rlimit limit = {.rlim_cur = 256 * 1024, .rlim_max = 256 * 1024};
	static char big[1024 * 1024];
	struct store *mine;
	struct err err;
	int64_t id;
	bool fresh;
	signal(SIGXFSZ, SIG_IGN);
	if (store_open(path, &mine, &err) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (store_arrival_receive(mine, (struct view){big, sizeof big}, 1, &id, &fresh, &err) == 0)
		return 2;
	if (err.whom != ERR_DAEMON || strstr(err.text, "disk") == NULL)
		return 3;
	/* A disk that failed once is not believed again. */
	if (store_arrival_receive(mine, VIEW("small"), 1, &id, &fresh, &err) == 0)
		return 4;
	if (err.when != ERR_NEVER || store_begin(mine, &err) == 0)
		return 5;
	store_rollback(mine);
	store_close(mine);
	return 0;
}

/* I13. */
static void after_a_disk_error_nothing_more_is_accepted(void **state)
{
	struct fixture *f = *state;
	int status;
	store_close(f->store);
	f->store = NULL;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(write_past_the_limit(f->path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM arrival"), 0);
}

/* In a child: what was committed stands in the log, and the store itself cannot be written. */
static int rewrite_beyond_the_limit(const char *path)
{
	struct rlimit limit = {0};
	struct store *mine;
	struct stat about;
	struct err err;
	bool whole;
	signal(SIGXFSZ, SIG_IGN);
	if (store_open(path, &mine, &err) != 0 || stat(path, &about) != 0)
		return 1;
	limit.rlim_cur = limit.rlim_max = (rlim_t)about.st_size;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || store_rewrite(mine, &whole, &err) == 0)
		return 2;
	/* And nothing is accepted, though the log would take it. */
	return strstr(err.text, "disk") == NULL || store_begin(mine, &err) == 0 ? 3 : 0;
}

static void nothing_is_accepted_before_all_is_written_anew(void **state)
{
	struct fixture *f = *state;
	static char big[300 * 1024];
	char log[FIXTURE_PATH_SIZE + 8];
	struct stat about;
	bool whole;
	int status;
	snprintf(log, sizeof log, "%s-wal", f->path);
	OK(f, store_rewrite(f->store, &whole, &f->err));
	OK(f, store_value_set(f->store, "big", (struct view){big, sizeof big}, &f->err));
	assert_int_equal(stat(log, &about), 0);
	assert_true(about.st_size > (off_t)sizeof big);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(rewrite_beyond_the_limit(f->path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(f, store_rewrite(f->store, &whole, &f->err));
	assert_true(whole);
	assert_int_equal(stat(log, &about), 0);
	assert_int_equal(about.st_size, 0);
	assert_int_equal(
	    fixture_number(f, "SELECT length(value) FROM value WHERE name = 'big'"), sizeof big);
}

static void a_full_disk_says_so_and_may_be_tried_again(void **state)
{
	struct fixture *f = *state;
	static char big[1024 * 1024];
	int64_t id;
	int64_t pages;
	bool fresh;
	char sql[64];
	pages = pragma(f, "PRAGMA page_count");
	snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)pages + 4);
	OK(f, sql_script(f->store, sql, &f->err));
	REFUSED(store_arrival_receive(
	    f->store, (struct view){big, sizeof big}, 1, &id, &fresh, &f->err));
	assert_non_null(strstr(f->err.text, "full"));
	assert_int_equal(f->err.when, ERR_LATER);
	OK(f, sql_script(f->store, "PRAGMA max_page_count = 100000", &f->err));
	OK(f, store_arrival_receive(
		  f->store, (struct view){big, sizeof big}, 1, &id, &fresh, &f->err));
	assert_true(fresh);
}

/* -- a disk of our own, in a mount namespace of our own -- */

enum { NOT_ALLOWED_HERE = 77, BLOCK_BYTES = 1024 };

/* Where there are no nodes of loop devices, as in a root of its own, they are made in a /dev of ours. */
static bool make_disk(const char *dir)
{
	char line[1024];
	snprintf(line, sizeof line,
	    "[ -e /dev/loop-control ] || { mount -t tmpfs none /dev && "
	    "mknod /dev/loop-control c 10 237 && "
	    "for n in 0 1 2 3 4 5 6 7; do mknod /dev/loop$n b 7 $n || exit; done; }; "
	    "cd %s && truncate -s 4M image && mkdir -p disk && "
	    "mke2fs -q -F -t ext4 -b %d -O ^has_journal image && "
	    "mount -o loop image disk && chmod 700 disk",
	    dir, BLOCK_BYTES);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && system(line) == 0;
}

/* Fills it, but for so many blocks. */
static bool leave_blocks(const char *path, off_t blocks)
{
	static const char block[BLOCK_BYTES];
	struct stat about;
	const int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof block) == (ssize_t)sizeof block)
		;
	const bool left = fstat(fd, &about) == 0 &&
			  ftruncate(fd, about.st_size - blocks * BLOCK_BYTES) == 0 &&
			  fsync(fd) == 0;
	close(fd);
	return left;
}

/* What a process comes to that opens the store and writes: 0, or 1 for "full, try again later". */
static int status_of_a_write(const char *path)
{
	int status;
	const pid_t child = fork();
	if (child == 0) {
		struct store *mine;
		struct err err;
		int result = store_open(path, &mine, &err);
		for (int i = 0; i < 3 && result == 0; i++)
			result = store_counter_add(mine, "writes", 1, &err);
		if (result == 0)
			_exit(0);
		if (err.when == ERR_LATER && strstr(err.text, "disk is full") != NULL)
			_exit(1);
		dprintf(STDERR_FILENO, "%s\n", err.text);
		_exit(2);
	}
	return waitpid(child, &status, 0) == child ? status : -1;
}

static int write_with_little_room(const char *path, const char *filler)
{
	enum { BLOCKS_MOST = 72 };
	bool seen[2] = {false, false};
	for (off_t blocks = 0; blocks < BLOCKS_MOST; blocks++) {
		const int status = leave_blocks(filler, blocks) ? status_of_a_write(path) : -1;
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
			dprintf(STDERR_FILENO, "with %lld blocks of %d bytes left: status %#x\n",
			    (long long)blocks, BLOCK_BYTES, (unsigned)status);
			return 2;
		}
		seen[WEXITSTATUS(status)] = true;
	}
	return seen[0] && seen[1] ? 0 : 3;
}

/* In a child, for the mount ends with it. */
static void a_full_disk_of_small_blocks_is_an_error_and_no_end_of_the_process(void **state)
{
	struct fixture *f = *state;
	int status;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char path[FIXTURE_PATH_SIZE + 16], filler[FIXTURE_PATH_SIZE + 16];
		snprintf(path, sizeof path, "%s/disk/store", f->dir);
		snprintf(filler, sizeof filler, "%s/disk/filler", f->dir);
		if (!make_disk(f->dir))
			_exit(NOT_ALLOWED_HERE);
		_exit(store_create(path, &f->err) == 0 ? write_with_little_room(path, filler) : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED_HERE)
		skip();
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_store_is_durable_and_strict),
	    TEST(nobody_else_can_read_it),
	    TEST(a_wide_umask_opens_nothing),
	    TEST(an_existing_file_is_not_made_a_store),
	    TEST(a_store_that_is_not_there_is_not_made_by_opening),
	    TEST(a_file_of_another_kind_is_refused),
	    TEST(a_newer_store_is_refused),
	    TEST(what_is_refused_keeps_every_byte),
	    TEST(a_version_that_nothing_leads_from_is_refused),
	    TEST(an_older_store_goes_forward_step_by_step),
	    TEST(a_step_that_fails_undoes_all_steps),
	    TEST(a_store_that_becomes_newer_meanwhile_is_left_alone),
	    TEST(a_step_that_leaves_loose_ends_is_undone),
	    TEST(what_a_store_of_the_first_version_holds_is_kept),
	    TEST(a_store_of_each_version_comes_to_the_present_shape),
	    TEST(what_stands_in_any_table_of_version_2_is_kept),
	    TEST(a_migration_that_ends_at_any_write_changed_nothing),
	    TEST(those_who_migrate_at_once_all_find_the_present_version),
	    TEST(a_rollback_undoes_and_a_commit_stays),
	    TEST(a_commit_elsewhere_is_seen_and_ours_is_not_elsewhere),
	    TEST(writers_wait_for_each_other),
	    TEST(values_and_counters_are_kept),
	    TEST(a_copy_of_the_live_store_is_whole_and_private),
	    TEST(an_error_of_a_checkpoint_is_told),
	    TEST(a_damaged_page_is_found),
	    TEST(a_reference_that_leads_nowhere_is_found),
	    TEST(a_kill_in_mid_transaction_loses_nothing_committed),
	    TEST(after_a_disk_error_nothing_more_is_accepted),
	    TEST(nothing_is_accepted_before_all_is_written_anew),
	    TEST(a_full_disk_says_so_and_may_be_tried_again),
	    TEST(a_full_disk_of_small_blocks_is_an_error_and_no_end_of_the_process),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
