#include "config.h"

#include <limits.h>
#include <string.h>

#include "store/sql.h"
#include "store/store.h"

/* What each result of SQLite means to the rest of the program, a finer one before the coarser. An I/O
 * error, a failed fsync above all, is final: the kernel may have dropped the pages, and a second try
 * would report success. The index of the write-ahead log is made anew at will, and holds no more than
 * that log does. */
static const char no_index[] = "the disk is full, or failed: there is no room for the index of the "
			       "store's log, and nothing of this was kept";
static const struct {
	int code; /* with or without its extension */
	enum err_whom whom;
	enum err_when when;
	bool breaks;
	const char *text;
} meanings[] = {
    {SQLITE_BUSY, ERR_DAEMON, ERR_LATER, false, "another process holds the store"},
    {SQLITE_LOCKED, ERR_DAEMON, ERR_LATER, false, "the store is locked"},
    {SQLITE_NOMEM, ERR_DAEMON, ERR_LATER, false, "no memory for the store"},
    {SQLITE_FULL, ERR_DAEMON, ERR_LATER, false, "the disk is full, nothing of this was kept"},
    {SQLITE_IOERR_SHMMAP, ERR_DAEMON, ERR_LATER, false, no_index},
    {SQLITE_IOERR_SHMSIZE, ERR_DAEMON, ERR_LATER, false, no_index},
    {SQLITE_IOERR_SHMOPEN, ERR_DAEMON, ERR_LATER, false, no_index},
    {SQLITE_IOERR_NOMEM, ERR_DAEMON, ERR_LATER, false, "no memory for the store"},
    {SQLITE_IOERR, ERR_DAEMON, ERR_NEVER, true,
	"the disk failed: nothing of this can be relied on, and no more is accepted before all that "
	"is stored could be written anew"},
    {SQLITE_CORRUPT, ERR_DAEMON, ERR_NEVER, true, "the store is damaged"},
    {SQLITE_NOTADB, ERR_DAEMON, ERR_NEVER, false, "this is not a store"},
    {SQLITE_CANTOPEN, ERR_DAEMON, ERR_NEVER, false, "the store cannot be opened"},
    {SQLITE_READONLY, ERR_DAEMON, ERR_NEVER, false, "the store cannot be written"},
    {SQLITE_PERM, ERR_DAEMON, ERR_NEVER, false, "the store may not be used"},
    {SQLITE_TOOBIG, ERR_MESSAGE, ERR_NEVER, false, "too large for the store"},
    {SQLITE_CONSTRAINT, ERR_MESSAGE, ERR_NEVER, false, "the store does not take this"},
};

enum { PRIMARY_CODE = 0xff }; /* the low byte of an extended result code */

int sql_fail(struct store *store, int code, const char *doing, struct err *err)
{
	const char *detail = store->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(store->db);
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		if (meanings[i].code != code && meanings[i].code != (code & PRIMARY_CODE))
			continue;
		store->broken = store->broken || meanings[i].breaks;
		return err_set(err, meanings[i].whom, meanings[i].when, "%s: %s (%s, %d)", doing,
		    meanings[i].text, detail, code);
	}
	return err_set(err, ERR_DAEMON, ERR_NEVER, "%s: SQLite says %s (%d)", doing, detail, code);
}

struct sql_value sql_int(int64_t number)
{
	return (struct sql_value){.type = SQL_INTEGER, .integer = number};
}

struct sql_value sql_id(int64_t id)
{
	return id == 0 ? (struct sql_value){.type = SQL_NULL} : sql_int(id);
}

struct sql_value sql_text(const char *text)
{
	if (text == NULL)
		return (struct sql_value){.type = SQL_NULL};
	return (struct sql_value){.type = SQL_TEXT, .bytes = view_of(text)};
}

struct sql_value sql_view(struct view text)
{
	return (struct sql_value){.type = SQL_TEXT, .bytes = text};
}

struct sql_value sql_name(const char *text)
{
	return sql_text(text == NULL || *text == '\0' ? NULL : text);
}

/* Never cuts through a UTF-8 character. */
static size_t cut_length(const char *text, size_t len, size_t size)
{
	if (len < size)
		return len;
	len = size - 1;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

struct sql_value sql_cut(const char *text, size_t size)
{
	struct sql_value value = sql_text(text);
	if (text != NULL)
		value.bytes.len = cut_length(text, value.bytes.len, size);
	return value;
}

struct sql_value sql_bytes(struct view bytes)
{
	return (struct sql_value){.type = SQL_BYTES, .bytes = bytes};
}

static int bind(sqlite3_stmt *statement, int at, const struct sql_value *value)
{
	/* A NULL pointer would bind NULL where empty bytes are meant. */
	const char *data = value->bytes.data == NULL ? "" : value->bytes.data;
	switch (value->type) {
	case SQL_INTEGER:
		return sqlite3_bind_int64(statement, at, value->integer);
	case SQL_TEXT:
		return sqlite3_bind_text64(
		    statement, at, data, value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
	case SQL_BYTES:
		return sqlite3_bind_blob64(statement, at, data, value->bytes.len, SQLITE_STATIC);
	case SQL_NULL:
	case SQL_END:
		break;
	}
	return sqlite3_bind_null(statement, at);
}

static struct sql_cached *find_slot(struct store *store, const char *text)
{
	for (size_t i = 0; i < store->cached; i++) {
		if (store->cache[i].text == text)
			return store->cache[i].in_use ? NULL : &store->cache[i];
	}
	if (store->cached == SQL_CACHE_SIZE)
		return NULL;
	struct sql_cached *slot = &store->cache[store->cached];
	*slot = (struct sql_cached){.text = text};
	return slot;
}

static int prepare(struct store *store, struct sql_query *query, const char *text, struct err *err)
{
	*query = (struct sql_query){.store = store, .slot = find_slot(store, text)};
	if (query->slot != NULL && query->slot->statement != NULL) {
		query->slot->in_use = true;
		query->statement = query->slot->statement;
		return 0;
	}
	const unsigned flags = query->slot == NULL ? 0 : SQLITE_PREPARE_PERSISTENT;
	const int code = sqlite3_prepare_v3(store->db, text, -1, flags, &query->statement, NULL);
	if (code != SQLITE_OK)
		return sql_fail(store, code, "preparing a statement", err);
	if (query->slot != NULL) {
		query->slot->statement = query->statement;
		query->slot->in_use = true;
		store->cached++;
	}
	return 0;
}

int sql_open(struct store *store, struct sql_query *query, const char *text,
    const struct sql_value *values, struct err *err)
{
	*query = (struct sql_query){.store = store};
	if (store->broken)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the store failed before, and this process accepts nothing more: look at the disk");
	if (prepare(store, query, text, err) != 0)
		return -1;
	for (int at = 1; values != NULL && values->type != SQL_END; values++, at++) {
		const int code = bind(query->statement, at, values);
		if (code != SQLITE_OK) {
			sql_fail(store, code, "binding a value", err);
			sql_close(query);
			return -1;
		}
	}
	return 0;
}

int sql_next(struct sql_query *query, struct err *err)
{
	const int code = sqlite3_step(query->statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		sql_fail(query->store, code, "the store", err);
	sql_close(query);
	return code == SQLITE_DONE ? 0 : -1;
}

void sql_close(struct sql_query *query)
{
	if (query->statement == NULL)
		return;
	if (query->slot == NULL) {
		sqlite3_finalize(query->statement);
	} else {
		sqlite3_reset(query->statement);
		sqlite3_clear_bindings(query->statement);
		query->slot->in_use = false;
	}
	query->statement = NULL;
}

int sql_first(struct store *store, struct sql_query *query, const char *text,
    const struct sql_value *values, bool *found, struct err *err)
{
	*found = false;
	if (sql_open(store, query, text, values, err) != 0)
		return -1;
	const int got = sql_next(query, err);
	*found = got > 0;
	return got < 0 ? -1 : 0;
}

int sql_run(struct store *store, const char *text, const struct sql_value *values, int64_t *changes,
    struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	do
		got = sql_next(&query, err);
	while (got > 0);
	if (changes != NULL)
		*changes = got == 0 ? sqlite3_changes64(store->db) : 0;
	return got;
}

int sql_script(struct store *store, const char *text, struct err *err)
{
	const int code = sqlite3_exec(store->db, text, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : sql_fail(store, code, "the store", err);
}

int sql_each_number(struct store *store, const char *text, const struct sql_value *values,
    sql_number_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (fn(context, sql_column_int(&query, 0), err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int sql_number(struct store *store, const char *text, const struct sql_value *values,
    int64_t *number, struct err *err)
{
	struct sql_query query;
	bool found;
	*number = 0;
	if (sql_first(store, &query, text, values, &found, err) != 0)
		return -1;
	if (found)
		*number = sql_column_int(&query, 0);
	sql_close(&query);
	return 0;
}

int64_t sql_last_id(const struct store *store)
{
	return sqlite3_last_insert_rowid(store->db);
}

int64_t sql_column_int(const struct sql_query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

bool sql_column_bool(const struct sql_query *query, int column)
{
	return sqlite3_column_int64(query->statement, column) != 0;
}

struct view sql_column_view(const struct sql_query *query, int column)
{
	const char *data = sqlite3_column_blob(query->statement, column);
	const int len = sqlite3_column_bytes(query->statement, column);
	if (data == NULL)
		return (struct view){"", 0};
	return (struct view){data, (size_t)len};
}

void sql_column_text(const struct sql_query *query, int column, char *out, size_t size)
{
	const struct view text = sql_column_view(query, column);
	const size_t len = cut_length(text.data, text.len, size);
	memcpy(out, text.data, len);
	out[len] = '\0';
}

int sql_read_blob(struct store *store, const char *table, const char *column, int64_t row,
    struct buf *out, struct err *err)
{
	sqlite3_blob *blob = NULL;
	int result = -1;
	if (store->broken)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the store failed before");
	int code = sqlite3_blob_open(store->db, "main", table, column, row, 0, &blob);
	if (code != SQLITE_OK) {
		sql_fail(store, code, "reading a blob", err);
		goto done;
	}
	const int len = sqlite3_blob_bytes(blob);
	char *room = buf_reserve(out, (size_t)len);
	if (room == NULL) {
		err_set(err, ERR_MESSAGE, ERR_NEVER, "%s has %d bytes, more than expected here",
		    table, len);
		goto done;
	}
	code = len == 0 ? SQLITE_OK : sqlite3_blob_read(blob, room, len, 0);
	if (code != SQLITE_OK) {
		sql_fail(store, code, "reading a blob", err);
		goto done;
	}
	buf_grown(out, (size_t)len);
	result = 0;
done:
	sqlite3_blob_close(blob);
	return result;
}

int sql_enter(struct store *store, bool *mine, struct err *err)
{
	*mine = sqlite3_get_autocommit(store->db) != 0;
	return *mine ? store_begin(store, err) : 0;
}

int sql_leave(struct store *store, bool mine, int result, struct err *err)
{
	if (!mine)
		return result;
	if (result == 0)
		return store_commit(store, err);
	store_rollback(store);
	return result;
}
