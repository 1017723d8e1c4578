#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "store/audit.h"
#include "store/sql.h"

static const char no_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";
_Static_assert(sizeof no_hash == DIGEST_HEX_SIZE, "as long as a hash");

/* The fields of one entry as they stand in the store, whole: an edit beyond what a struct
 * audit_entry holds must show too. */
struct fields {
	int64_t sequence;
	int64_t at;
	struct view actor, event, subject, detail;
};

/* Length-prefixed, so that no two entries have the same form: moving a byte from one field to the
 * next changes both lengths. */
static void add_field(struct buf *out, struct view field)
{
	buf_printf(out, "%zu:", field.len);
	buf_add_view(out, field);
	buf_add_char(out, '\n');
}

static void add_number(struct buf *out, int64_t number)
{
	char text[32];
	snprintf(text, sizeof text, "%" PRId64, number);
	add_field(out, view_of(text));
}

static void hash_entry(
    const struct fields *fields, const char *previous, char out[static DIGEST_HEX_SIZE])
{
	struct buf form = BUF_EMPTY(SIZE_MAX / 4);
	buf_add_text(&form, "dewline audit 1\n");
	add_field(&form, view_of(previous));
	add_number(&form, fields->sequence);
	add_number(&form, fields->at);
	add_field(&form, fields->actor);
	add_field(&form, fields->event);
	add_field(&form, fields->subject);
	add_field(&form, fields->detail);
	digest_sha256_hex(buf_view(&form), out);
	buf_release(&form);
}

int store_audit_last(
    struct store *store, int64_t *sequence, char hash[static DIGEST_HEX_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	*sequence = 0;
	memcpy(hash, no_hash, sizeof no_hash);
	if (sql_first(store, &query,
		"SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1", SQL_NOTHING,
		&found, err) != 0)
		return -1;
	if (found) {
		*sequence = sql_column_int(&query, 0);
		sql_column_text(&query, 1, hash, DIGEST_HEX_SIZE);
	}
	sql_close(&query);
	return 0;
}

int store_audit_times(
    struct store *store, const char *event, int64_t *first, int64_t *last, struct err *err)
{
	if (sql_number(store, "SELECT at FROM audit ORDER BY sequence LIMIT 1", SQL_NOTHING, first,
		err) != 0)
		return -1;
	return sql_number(store,
	    "SELECT at FROM audit WHERE event = ?1 ORDER BY sequence DESC LIMIT 1",
	    SQL_WITH(sql_text(event)), last, err);
}

static int append(struct store *store, struct fields *fields, struct err *err)
{
	char previous[DIGEST_HEX_SIZE];
	char hash[DIGEST_HEX_SIZE];
	if (store_audit_last(store, &fields->sequence, previous, err) != 0)
		return -1;
	fields->sequence++;
	hash_entry(fields, previous, hash);
	return sql_run(store,
	    "INSERT INTO audit (sequence, at, actor, event, subject, detail, hash)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_WITH(sql_int(fields->sequence), sql_int(fields->at), sql_view(fields->actor),
		sql_view(fields->event), sql_view(fields->subject), sql_view(fields->detail),
		sql_text(hash)),
	    NULL, err);
}

int store_audit_add(struct store *store, int64_t at, const char *actor, const char *event,
    const char *subject, struct err *err, const char *format, ...)
{
	struct audit_entry sizes;
	char detail[2 * sizeof sizes.detail];
	va_list args;
	bool mine;
	va_start(args, format);
	if (vsnprintf(detail, sizeof detail, format, args) < 0)
		detail[0] = '\0';
	va_end(args);
	struct fields fields = {
	    .at = at,
	    .actor = sql_cut(actor, sizeof sizes.actor).bytes,
	    .event = sql_cut(event, sizeof sizes.event).bytes,
	    .subject = sql_cut(subject, sizeof sizes.subject).bytes,
	    .detail = sql_cut(detail, sizeof sizes.detail).bytes,
	};
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	return sql_leave(store, mine, append(store, &fields, err), err);
}

int store_audit_each(
    struct store *store, int64_t from, int64_t most, audit_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT sequence, at, actor, event, subject, detail, hash FROM audit"
		" WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2",
		SQL_WITH(sql_int(from), sql_int(most)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct audit_entry entry = {
		    .sequence = sql_column_int(&query, 0),
		    .at = sql_column_int(&query, 1),
		};
		sql_column_text(&query, 2, entry.actor, sizeof entry.actor);
		sql_column_text(&query, 3, entry.event, sizeof entry.event);
		sql_column_text(&query, 4, entry.subject, sizeof entry.subject);
		sql_column_text(&query, 5, entry.detail, sizeof entry.detail);
		sql_column_text(&query, 6, entry.hash, sizeof entry.hash);
		if (fn(context, &entry, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

/* The walk along the chain. */
struct chain {
	int64_t count; /* entries found sound */
	char last[DIGEST_HEX_SIZE]; /* hash of the newest of them */
	int64_t checkpoint; /* 0: none */
	const char *checkpoint_hash;
	int64_t bad;
	char *what; /* STORE_REASON_SIZE */
};

static bool wrong(struct chain *chain, int64_t entry, const char *how)
{
	chain->bad = entry;
	snprintf(chain->what, STORE_REASON_SIZE, "entry %" PRId64 " %s", entry, how);
	return false;
}

/* False, with what is wrong, at the first entry that is not the next one. */
static bool check_entry(struct chain *chain, const struct sql_query *query)
{
	const int64_t expected = chain->count + 1;
	const struct fields fields = {
	    .sequence = sql_column_int(query, 0),
	    .at = sql_column_int(query, 1),
	    .actor = sql_column_view(query, 2),
	    .event = sql_column_view(query, 3),
	    .subject = sql_column_view(query, 4),
	    .detail = sql_column_view(query, 5),
	};
	char hash[DIGEST_HEX_SIZE];
	if (fields.sequence < expected)
		return wrong(chain, expected, "comes after one that does not belong here");
	if (fields.sequence > expected)
		return wrong(chain, expected, "is missing");
	hash_entry(&fields, chain->last, hash);
	if (!view_is(sql_column_view(query, 6), hash))
		return wrong(chain, expected, "was changed, or one before it was");
	if (chain->checkpoint == expected && strcasecmp(hash, chain->checkpoint_hash) != 0)
		return wrong(chain, expected, "is not the one that the checkpoint tells of");
	chain->count = expected;
	memcpy(chain->last, hash, sizeof hash);
	return true;
}

int store_audit_verify(struct store *store, int64_t checkpoint, const char *checkpoint_hash,
    int64_t *count, int64_t *bad, char what[static STORE_REASON_SIZE], struct err *err)
{
	struct chain chain = {
	    .checkpoint = checkpoint, .checkpoint_hash = checkpoint_hash, .what = what};
	struct sql_query query;
	int got;
	memcpy(chain.last, no_hash, sizeof no_hash);
	what[0] = '\0';
	if (sql_open(store, &query,
		"SELECT sequence, at, actor, event, subject, detail, hash FROM audit"
		" ORDER BY sequence",
		SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (!check_entry(&chain, &query))
			break;
	}
	sql_close(&query);
	if (got == 0 && checkpoint > chain.count)
		wrong(&chain, chain.count + 1, "is missing: the checkpoint is of a longer log");
	*count = chain.count;
	*bad = chain.bad;
	return got < 0 ? -1 : 0;
}

/* The last restore to a backup that ended before it: of a restore further back the entries up to here
 * are on record again, and would have been compared. */
int store_audit_lost(
    struct store *store, int64_t checkpoint, int64_t *epoch, int64_t *first, struct err *err)
{
	struct sql_query query;
	bool found;
	*epoch = *first = 0;
	if (sql_first(store, &query,
		"SELECT number - 1, sequence + 1 FROM epoch WHERE number > 1 AND sequence < ?1"
		" ORDER BY number DESC LIMIT 1",
		SQL_WITH(sql_int(checkpoint)), &found, err) != 0)
		return -1;
	if (found) {
		*epoch = sql_column_int(&query, 0);
		*first = sql_column_int(&query, 1);
	}
	sql_close(&query);
	return 0;
}
