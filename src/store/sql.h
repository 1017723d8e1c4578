/* The room's own way to SQLite: prepared once, bound by type, errors translated here and nowhere
 * else.
 *
 * A query is opened with its text and values, gives rows, and is closed. Its text must be a
 * literal: the statement is kept under the address of the text. While a statement is in use (a
 * callback asks the same again) a second one is prepared. Values and views are borrowed until the
 * query is closed; a view of a column holds until the next row. */
#ifndef DEWLINE_STORE_SQL_H
#define DEWLINE_STORE_SQL_H

#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"

enum { SQL_CACHE_SIZE = 160, SQL_BUSY_MS = 10000 };

struct sql_cached {
	const char *text;
	sqlite3_stmt *statement;
	bool in_use;
};

struct store {
	sqlite3 *db;
	int64_t version_seen; /* of PRAGMA data_version */
	bool broken; /* the disk failed us: nothing is accepted any more */
	size_t cached;
	struct sql_cached cache[SQL_CACHE_SIZE];
};

/* One value to bind. */
enum sql_type { SQL_END, SQL_NULL, SQL_INTEGER, SQL_TEXT, SQL_BYTES };
struct sql_value {
	enum sql_type type;
	int64_t integer;
	struct view bytes;
};

struct sql_value sql_int(int64_t number);
struct sql_value sql_id(int64_t id); /* 0 becomes NULL */
struct sql_value sql_text(const char *text); /* NULL becomes NULL */
struct sql_value sql_view(struct view text); /* as text, never NULL */
struct sql_value sql_name(const char *text); /* NULL and "" become NULL */
struct sql_value sql_cut(const char *text, size_t size); /* cut to fit an array of this size */
struct sql_value sql_bytes(struct view bytes); /* never NULL */

/* The values of ?1, ?2, ... in their order. */
#define SQL_WITH(...) ((const struct sql_value[]){__VA_ARGS__, {.type = SQL_END}})
#define SQL_NOTHING NULL

struct sql_query {
	struct store *store;
	sqlite3_stmt *statement; /* NULL: closed */
	struct sql_cached *slot; /* NULL: not kept */
};

int sql_open(struct store *store, struct sql_query *query, const char *text,
    const struct sql_value *values, struct err *err);
/* 1 with a row, 0 after the last, -1 on error; in the last two cases the query is closed. */
int sql_next(struct sql_query *query, struct err *err);
/* Harmless on a closed one. */
void sql_close(struct sql_query *query);
/* Opens it and takes the first row. The caller closes it when *found. */
int sql_first(struct store *store, struct sql_query *query, const char *text,
    const struct sql_value *values, bool *found, struct err *err);
/* Runs a statement to its end. *changes, when not NULL, is the number of rows written. */
int sql_run(struct store *store, const char *text, const struct sql_value *values, int64_t *changes,
    struct err *err);
/* Several statements without values, not kept: schema, pragmas. */
int sql_script(struct store *store, const char *text, struct err *err);
/* Calls fn with the number in the first column of each row, until it says -1. */
typedef int sql_number_fn(void *context, int64_t number, struct err *err);
int sql_each_number(struct store *store, const char *text, const struct sql_value *values,
    sql_number_fn *fn, void *context, struct err *err);
/* The number in the first column of the first row, 0 where there is no row. */
int sql_number(struct store *store, const char *text, const struct sql_value *values,
    int64_t *number, struct err *err);
int64_t sql_last_id(const struct store *store);

/* Columns of the present row, from 0. NULL gives 0, "" or an empty view. Text that does not fit is
 * cut. */
int64_t sql_column_int(const struct sql_query *query, int column);
bool sql_column_bool(const struct sql_query *query, int column);
struct view sql_column_view(const struct sql_query *query, int column);
void sql_column_text(const struct sql_query *query, int column, char *out, size_t size);

/* Appends a blob, read straight into the buffer. */
int sql_read_blob(struct store *store, const char *table, const char *column, int64_t row,
    struct buf *out, struct err *err);

/* A function of several statements runs between these two. sql_enter begins a transaction where the
 * caller has none open (*mine); sql_leave then commits it when `result` is 0, undoes it otherwise,
 * and returns the final result. */
int sql_enter(struct store *store, bool *mine, struct err *err);
int sql_leave(struct store *store, bool mine, int result, struct err *err);

/* Translates a result code of SQLite. Returns -1. */
int sql_fail(struct store *store, int code, const char *doing, struct err *err);

#endif
