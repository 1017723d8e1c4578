#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/migrate.h"
#include "store/room.h"
#include "store/sql.h"
#include "store/store.h"

enum { STORE_FILE_MODE = 0600, CHECKPOINT_PAGES = 1000 };

/* For each connection. A write-ahead log that once grew large gives the space back; what a sort
 * needs stays in memory. */
static const char settings[] = "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA secure_delete = ON;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA journal_size_limit = 67108864;";

/* SQLite keeps the former mode, and says so, where it cannot have this one. */
static int use_wal(struct store *store, struct err *err)
{
	struct sql_query query;
	bool found;
	bool wal = false;
	if (sql_first(store, &query, "PRAGMA journal_mode = WAL", SQL_NOTHING, &found, err) != 0)
		return -1;
	if (found)
		wal = view_is(sql_column_view(&query, 0), "wal");
	sql_close(&query);
	return wal ? 0 : err_set(err, ERR_DAEMON, ERR_NEVER, "no write-ahead log is possible here");
}

/* After a commit. SQLite's own checkpoint keeps an error to itself; whoever committed gets ours,
 * for a disk that fails to take the store must not take anything more. Somebody who reads meanwhile
 * is no error: the next commit comes back to it. */
static int checkpoint(void *context, sqlite3 *db, const char *name, int pages)
{
	(void)context;
	if (pages < CHECKPOINT_PAGES)
		return SQLITE_OK;
	const int code = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return code == SQLITE_BUSY || code == SQLITE_LOCKED ? SQLITE_OK : code;
}

static int connect_file(struct store *store, const char *path, struct err *err)
{
	int code = room_watch();
	if (code == SQLITE_OK)
		code = sqlite3_open_v2(
		    path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(store->db, SQL_BUSY_MS);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	if (code != SQLITE_OK)
		return sql_fail(store, code, path, err);
	return sql_script(store, settings, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

/* From here on the file may be written. */
static int take_file(struct store *store, const char *path, struct err *err)
{
	if (use_wal(store, err) != 0)
		return err_prefix(err, "%s", path);
	sqlite3_wal_hook(store->db, checkpoint, NULL);
	return 0;
}

static struct store *store_new(void)
{
	struct store *store = calloc(1, sizeof *store);
	if (store == NULL)
		abort();
	return store;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->cached; i++)
		sqlite3_finalize(store->cache[i].statement);
	sqlite3_close(store->db);
	free(store);
}

static int sync_parent(const char *path, struct err *err)
{
	char copy[PATH_MAX];
	if (strlen(path) >= sizeof copy)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the path is too long");
	strcpy(copy, path);
	return file_sync_dir(dirname(copy), err);
}

/* An empty file that nobody else can read, made by us and by no one else. SQLite gives the files
 * that it puts beside it the same mode. */
static int make_file(const char *path, struct err *err)
{
	const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, STORE_FILE_MODE);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s is there already", path);
	if (fd < 0)
		return err_system(err, "cannot create %s", path);
	/* A umask may only have taken rights away. */
	const int result = fchmod(fd, STORE_FILE_MODE);
	if (result != 0)
		err_system(err, "cannot set the mode of %s", path);
	close(fd);
	return result;
}

static void remove_files(const char *path)
{
	static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
	struct buf name = BUF_EMPTY(BUF_SMALL);
	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
		buf_clear(&name);
		buf_printf(&name, "%s%s", path, beside[i]);
		unlink(buf_text(&name));
	}
	buf_release(&name);
}

int store_create(const char *path, struct err *err)
{
	if (make_file(path, err) != 0)
		return -1;
	struct store *store = store_new();
	int result = -1;
	if (connect_file(store, path, err) != 0 || take_file(store, path, err) != 0 ||
	    migrate_create(store, err) != 0)
		goto done;
	result = sync_parent(path, err);
done:
	store_close(store);
	if (result != 0)
		remove_files(path);
	return result;
}

/* A restore that was ended between its two renames. */
static int refuse_unfinished(const char *path, struct err *err)
{
	struct buf name = BUF_EMPTY(BUF_SMALL);
	struct stat found;
	buf_printf(&name, "%s.restored", path);
	const bool waits = lstat(buf_text(&name), &found) == 0;
	buf_release(&name);
	return waits ? err_set(err, ERR_DAEMON, ERR_NEVER,
			   "a restore was ended on the way, and %s.restored waits: run dewctl "
			   "restore with the same backup again",
			   path)
		     : 0;
}

int store_open(const char *path, struct store **out, struct err *err)
{
	*out = NULL;
	return refuse_unfinished(path, err) != 0 ? -1 : store_open_unfinished(path, out, err);
}

int store_open_unfinished(const char *path, struct store **out, struct err *err)
{
	struct stat found;
	*out = NULL;
	if (stat(path, &found) != 0)
		return err_system(err, "cannot open the store %s", path);
	struct store *store = store_new();
	if (connect_file(store, path, err) != 0)
		goto failed;
	if (migrate_recognise(store, err) != 0) {
		err_prefix(err, "%s", path);
		/* What is not ours to open stays as it is, with what is still in its log. */
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		goto failed;
	}
	if (take_file(store, path, err) != 0)
		goto failed;
	if (migrate_forward(store, err) != 0) {
		err_prefix(err, "%s", path);
		goto failed;
	}
	store_changed_elsewhere(store);
	*out = store;
	return 0;
failed:
	store_close(store);
	return -1;
}

int store_rewrite(struct store *store, bool *whole, struct err *err)
{
	int64_t busy;
	if (sql_number(store, "PRAGMA wal_checkpoint(TRUNCATE)", SQL_NOTHING, &busy, err) != 0)
		return err_prefix(err, "what is stored cannot be written anew");
	*whole = busy == 0;
	return 0;
}

int store_begin(struct store *store, struct err *err)
{
	if (sqlite3_get_autocommit(store->db) == 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "a transaction is open already");
	return sql_run(store, "BEGIN IMMEDIATE", SQL_NOTHING, NULL, err);
}

int store_commit(struct store *store, struct err *err)
{
	if (sqlite3_get_autocommit(store->db) != 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "no transaction is open");
	if (sql_run(store, "COMMIT", SQL_NOTHING, NULL, err) == 0)
		return 0;
	store_rollback(store);
	return err_prefix(err, "the commit failed");
}

void store_rollback(struct store *store)
{
	/* Not by sql_run: a broken store must still let go. A failure here leaves nothing to undo.
	 */
	if (sqlite3_get_autocommit(store->db) == 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_changed_elsewhere(struct store *store)
{
	struct err err;
	int64_t version;
	if (sql_number(store, "PRAGMA data_version", SQL_NOTHING, &version, &err) != 0)
		return false;
	const bool changed = version != store->version_seen;
	store->version_seen = version;
	return changed;
}

static int copy_pages(struct store *store, struct store *copy, struct err *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(copy->db, "main", store->db, "main");
	if (backup == NULL)
		return sql_fail(copy, sqlite3_extended_errcode(copy->db), "backup", err);
	const int code = sqlite3_backup_step(backup, -1);
	const int finish = sqlite3_backup_finish(backup);
	if (code == SQLITE_DONE)
		return 0;
	return sql_fail(copy, finish == SQLITE_OK ? code : finish, "backup", err);
}

static int sync_file(const char *path, struct err *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_system(err, "cannot open %s", path);
	const int result = fsync(fd);
	if (result != 0)
		err_system(err, "cannot write %s to the disk", path);
	close(fd);
	return result;
}

int store_verify(struct store *store, struct err *err)
{
	struct sql_query query;
	char text[STORE_REASON_SIZE];
	bool found;
	/* Not as a table, pragma_integrity_check(1): its argument arrives in quotes, and newer
	 * SQLite takes what is quoted for the name of a table to look at. */
	if (sql_first(store, &query, "PRAGMA integrity_check(1)", SQL_NOTHING, &found, err) != 0)
		return -1;
	text[0] = '\0';
	if (found)
		sql_column_text(&query, 0, text, sizeof text);
	sql_close(&query);
	if (strcmp(text, "ok") != 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the store is damaged: %s", text);
	if (sql_first(store, &query,
		"SELECT \"table\", ifnull(rowid, 0), parent FROM pragma_foreign_key_check",
		SQL_NOTHING, &found, err) != 0)
		return -1;
	if (!found)
		return 0;
	char parent[STORE_REASON_SIZE];
	const long long row = sql_column_int(&query, 1);
	sql_column_text(&query, 0, text, sizeof text);
	sql_column_text(&query, 2, parent, sizeof parent);
	sql_close(&query);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "the store is damaged: row %lld of %s refers to a %s that is not there", row, text,
	    parent);
}

static int copy_to(struct store *store, const char *path, struct err *err)
{
	if (make_file(path, err) != 0)
		return -1;
	struct store *copy = store_new();
	int result = -1;
	const int code =
	    sqlite3_open_v2(path, &copy->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		sql_fail(copy, code, path, err);
	else if (copy_pages(store, copy, err) == 0)
		result = store_verify(copy, err);
	store_close(copy);
	return result == 0 ? sync_file(path, err) : -1;
}

int store_backup(struct store *store, const char *path, struct err *err)
{
	struct buf draft = BUF_EMPTY(BUF_SMALL);
	struct stat there;
	int result = -1;
	if (sqlite3_get_autocommit(store->db) == 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "no backup inside a transaction");
	if (lstat(path, &there) == 0)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s is there already", path);
	buf_printf(&draft, "%s.unfinished", path);
	remove_files(buf_text(&draft)); /* of one that was ended */
	result = copy_to(store, buf_text(&draft), err);
	if (result == 0 && rename(buf_text(&draft), path) != 0)
		result = err_system(err, "cannot rename %s", buf_text(&draft));
	if (result != 0)
		remove_files(buf_text(&draft));
	buf_release(&draft);
	return result == 0 ? sync_parent(path, err) : -1;
}
