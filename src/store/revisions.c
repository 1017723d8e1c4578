#include "config.h"

#include <string.h>

#include "store/advisories.h"
#include "store/sql.h"
#include "store/state.h"

#define REVISION_COLUMNS                                                                           \
	"SELECT id, advisory, number, kind, tlp, audience, token, acknowledge_by, released_at,"    \
	" publisher, arrival, message, reported, own_left_out"
enum { REVISION_TITLE_COLUMN = 14 };

/* Without the title. */
static void read_revision(const struct sql_query *query, struct revision *out)
{
	*out = (struct revision){
	    .id = sql_column_int(query, 0),
	    .advisory = sql_column_int(query, 1),
	    .number = sql_column_int(query, 2),
	    .acknowledge_by = sql_column_int(query, 7),
	    .released_at = sql_column_int(query, 8),
	    .publisher = sql_column_int(query, 9),
	    .arrival = sql_column_int(query, 10),
	    .message = sql_column_int(query, 11),
	    .reported = sql_column_int(query, 12),
	    .own_left_out = sql_column_int(query, 13) != 0,
	    .title = VIEW(""),
	};
	sql_column_text(query, 3, out->kind, sizeof out->kind);
	sql_column_text(query, 4, out->tlp, sizeof out->tlp);
	sql_column_text(query, 5, out->audience, sizeof out->audience);
	sql_column_text(query, 6, out->token, sizeof out->token);
}

/* The notice of a withdrawal may be added when the advisory is withdrawn already. Gives the revision its
 * number where it has none. */
static int reopen(struct store *store, struct revision *revision, struct err *err)
{
	struct advisory advisory;
	bool found;
	if (store_advisory_by_id(store, revision->advisory, &advisory, &found, err) != 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "a revision of no advisory");
	if (revision->number == 0)
		revision->number = advisory.next_revision;
	if (strcmp(advisory.state, "withdrawn") != 0 || strcmp(revision->kind, "withdraw") != 0) {
		if (store_advisory_move(store, revision->advisory, "release", err) != 0)
			return -1;
	}
	return sql_run(store, "UPDATE advisory SET tlp = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(revision->advisory), sql_text(revision->tlp)), NULL, err);
}

static int add(struct store *store, struct revision *revision, struct err *err)
{
	if (reopen(store, revision, err) != 0)
		return -1;
	if (sql_run(store,
		"INSERT INTO revision (advisory, number, kind, tlp, audience, token,"
		" acknowledge_by, released_at, publisher, arrival, message, reported,"
		" own_left_out, title)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
		SQL_WITH(sql_int(revision->advisory), sql_int(revision->number),
		    sql_text(revision->kind), sql_text(revision->tlp), sql_text(revision->audience),
		    sql_text(revision->token), sql_int(revision->acknowledge_by),
		    sql_int(revision->released_at), sql_id(revision->publisher),
		    sql_id(revision->arrival), sql_int(revision->message),
		    sql_int(revision->reported), sql_int(revision->own_left_out),
		    sql_bytes(revision->title)),
		NULL, err) != 0)
		return -1;
	revision->id = sql_last_id(store);
	return 0;
}

int store_revision_add(struct store *store, struct revision *revision, struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, add(store, revision, err), err);
}

static int find_revision(struct store *store, const char *text, const struct sql_value *values,
    struct revision *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, values, found, err) != 0)
		return -1;
	if (*found)
		read_revision(&query, out);
	sql_close(&query);
	return 0;
}

int store_revision_by_token(
    struct store *store, const char *token, struct revision *out, bool *found, struct err *err)
{
	return find_revision(store, REVISION_COLUMNS " FROM revision WHERE token = ?1",
	    SQL_WITH(sql_text(token)), out, found, err);
}

int store_revision_by_message(
    struct store *store, int64_t message, struct revision *out, bool *found, struct err *err)
{
	return find_revision(store, REVISION_COLUMNS " FROM revision WHERE message = ?1",
	    SQL_WITH(sql_int(message)), out, found, err);
}

static int each_revision(struct store *store, const char *text, const struct sql_value *values,
    revision_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, text, values, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct revision revision;
		read_revision(&query, &revision);
		revision.title = sql_column_view(&query, REVISION_TITLE_COLUMN);
		if (fn(context, &revision, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_revision_each(
    struct store *store, int64_t advisory, revision_fn *fn, void *context, struct err *err)
{
	return each_revision(store,
	    REVISION_COLUMNS ", title FROM revision WHERE advisory = ?1 ORDER BY number",
	    SQL_WITH(sql_int(advisory)), fn, context, err);
}

int store_revision_each_unreported(
    struct store *store, revision_fn *fn, void *context, struct err *err)
{
	return each_revision(store,
	    REVISION_COLUMNS ", title FROM revision WHERE reported < 2 ORDER BY id", SQL_NOTHING,
	    fn, context, err);
}

int store_revision_set_reported(
    struct store *store, int64_t revision, int64_t reported, struct err *err)
{
	return sql_run(store, "UPDATE revision SET reported = ?2 WHERE id = ?1",
	    SQL_WITH(sql_int(revision), sql_int(reported)), NULL, err);
}

int store_acknowledgment_add(
    struct store *store, struct acknowledgment *acknowledgment, struct err *err)
{
	const int result = sql_run(store,
	    "INSERT INTO acknowledgment (revision, contact, arrival, status, signed_at,"
	    " received_at, fingerprint, clear, comment)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    SQL_WITH(sql_int(acknowledgment->revision), sql_int(acknowledgment->contact),
		sql_int(acknowledgment->arrival), sql_text(acknowledgment->status),
		sql_int(acknowledgment->signed_at), sql_int(acknowledgment->received_at),
		sql_text(acknowledgment->fingerprint), sql_text(acknowledgment->clear),
		sql_bytes(acknowledgment->comment)),
	    NULL, err);
	if (result == 0)
		acknowledgment->id = sql_last_id(store);
	return result;
}

static void read_acknowledgment(const struct sql_query *query, struct acknowledgment *out)
{
	*out = (struct acknowledgment){
	    .id = sql_column_int(query, 0),
	    .revision = sql_column_int(query, 1),
	    .contact = sql_column_int(query, 2),
	    .arrival = sql_column_int(query, 3),
	    .signed_at = sql_column_int(query, 5),
	    .received_at = sql_column_int(query, 6),
	    .comment = sql_column_view(query, 9),
	};
	sql_column_text(query, 4, out->status, sizeof out->status);
	sql_column_text(query, 7, out->fingerprint, sizeof out->fingerprint);
	sql_column_text(query, 8, out->clear, sizeof out->clear);
}

int store_acknowledgment_each(
    struct store *store, int64_t revision, acknowledgment_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT id, revision, contact, arrival, status, signed_at, received_at,"
		" fingerprint, clear, comment FROM acknowledgment WHERE revision = ?1"
		" ORDER BY contact, signed_at, id",
		SQL_WITH(sql_int(revision)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct acknowledgment acknowledgment;
		read_acknowledgment(&query, &acknowledgment);
		if (fn(context, &acknowledgment, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
