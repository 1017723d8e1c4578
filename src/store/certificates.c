#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "store/certificates.h"
#include "store/keylife.h"
#include "store/sql.h"
#include "store/state.h"

/* The key IDs come as one text, in the order of the certificate. */
#define CERTIFICATE_COLUMNS                                                                        \
	"SELECT c.fingerprint, c.user_id, c.algorithm, c.created, c.expires, c.encryption_key_id," \
	" c.encryption_fingerprint, c.encryption_expires, c.state, c.shard, s.generation,"         \
	" c.added_at, (SELECT group_concat(key_id, ' ') FROM (SELECT key_id FROM certificate_key"  \
	" AS k WHERE k.fingerprint = c.fingerprint AND k.signs = 1 ORDER BY position))"            \
	" FROM certificate AS c JOIN shard AS s ON s.id = c.shard "

static void read_key_ids(struct certificate_facts *facts, struct view all)
{
	struct view one;
	while (facts->key_count < CERTIFICATE_KEYS_MAX && view_next_field(&all, ' ', &one)) {
		if (view_copy(one, facts->key_ids[facts->key_count], KEY_ID_SIZE))
			facts->key_count++;
	}
}

static void read_certificate(const struct sql_query *query, struct certificate *out)
{
	struct certificate_facts *facts = &out->facts;
	*out = (struct certificate){
	    .shard = sql_column_int(query, 9),
	    .generation = sql_column_int(query, 10),
	    .added_at = sql_column_int(query, 11),
	};
	sql_column_text(query, 0, facts->fingerprint, sizeof facts->fingerprint);
	sql_column_text(query, 1, facts->user_id, sizeof facts->user_id);
	sql_column_text(query, 2, facts->algorithm, sizeof facts->algorithm);
	facts->created = sql_column_int(query, 3);
	facts->expires = sql_column_int(query, 4);
	sql_column_text(query, 5, facts->encryption_key_id, sizeof facts->encryption_key_id);
	sql_column_text(
	    query, 6, facts->encryption_fingerprint, sizeof facts->encryption_fingerprint);
	facts->encryption_expires = sql_column_int(query, 7);
	sql_column_text(query, 8, out->state, sizeof out->state);
	read_key_ids(facts, sql_column_view(query, 12));
}

static int find_certificate(struct store *store, const char *text, const char *key,
    struct certificate *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, text, SQL_WITH(sql_text(key)), found, err) != 0)
		return -1;
	if (*found)
		read_certificate(&query, out);
	sql_close(&query);
	return 0;
}

int store_certificate_get(struct store *store, const char *fingerprint, struct certificate *out,
    bool *found, struct err *err)
{
	return find_certificate(
	    store, CERTIFICATE_COLUMNS "WHERE c.fingerprint = ?1", fingerprint, out, found, err);
}

int store_certificate_by_key_id(
    struct store *store, const char *key_id, struct certificate *out, bool *found, struct err *err)
{
	return find_certificate(store,
	    CERTIFICATE_COLUMNS "WHERE c.fingerprint = (SELECT fingerprint FROM certificate_key"
				" WHERE key_id = ?1 AND signs = 1)",
	    key_id, out, found, err);
}

int store_certificate_each(
    struct store *store, certificate_row_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(
		store, &query, CERTIFICATE_COLUMNS "ORDER BY c.fingerprint", SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct certificate certificate;
		read_certificate(&query, &certificate);
		if (fn(context, &certificate, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

/* Another certificate that has this key. */
static int find_clash(struct store *store, const char *fingerprint, const char *key_id,
    char clash[static FINGERPRINT_SIZE], struct err *err)
{
	struct sql_query query;
	bool found;
	if (sql_first(store, &query,
		"SELECT fingerprint FROM certificate_key WHERE key_id = ?1 AND fingerprint <> ?2",
		SQL_WITH(sql_text(key_id), sql_text(fingerprint)), &found, err) != 0)
		return -1;
	if (found)
		sql_column_text(&query, 0, clash, FINGERPRINT_SIZE);
	sql_close(&query);
	return 0;
}

static int find_any_clash(struct store *store, const struct certificate_facts *facts,
    char clash[static FINGERPRINT_SIZE], struct err *err)
{
	clash[0] = '\0';
	if (find_clash(store, facts->fingerprint, facts->encryption_key_id, clash, err) != 0)
		return -1;
	for (uint32_t i = 0; i < facts->key_count && clash[0] == '\0'; i++) {
		if (find_clash(store, facts->fingerprint, facts->key_ids[i], clash, err) != 0)
			return -1;
	}
	return 0;
}

static int put_keys(struct store *store, const struct certificate_facts *facts, struct err *err)
{
	static const char insert[] =
	    "INSERT INTO certificate_key (key_id, fingerprint, position, signs)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key_id) DO NOTHING";
	if (sql_run(store, "DELETE FROM certificate_key WHERE fingerprint = ?1",
		SQL_WITH(sql_text(facts->fingerprint)), NULL, err) != 0)
		return -1;
	for (uint32_t i = 0; i < facts->key_count; i++) {
		if (sql_run(store, insert,
			SQL_WITH(sql_text(facts->key_ids[i]), sql_text(facts->fingerprint),
			    sql_int(i), sql_int(1)),
			NULL, err) != 0)
			return -1;
	}
	/* Last: a key that also signs has its row already. */
	return sql_run(store, insert,
	    SQL_WITH(sql_text(facts->encryption_key_id), sql_text(facts->fingerprint),
		sql_int(facts->key_count), sql_int(0)),
	    NULL, err);
}

/* The fullest shard with room, or a new one: few keyrings, and those that are full stay as they
 * are. */
static int take_place(struct store *store, int64_t shard_size, int64_t *shard, struct err *err)
{
	if (sql_number(store,
		"SELECT id FROM shard WHERE certificates < ?1 ORDER BY certificates DESC, id"
		" LIMIT 1",
		SQL_WITH(sql_int(shard_size)), shard, err) != 0)
		return -1;
	if (*shard == 0) {
		if (sql_run(store, "INSERT INTO shard (generation, certificates) VALUES (0, 0)",
			SQL_NOTHING, NULL, err) != 0)
			return -1;
		*shard = sql_last_id(store);
	}
	return sql_run(store, "UPDATE shard SET certificates = certificates + 1 WHERE id = ?1",
	    SQL_WITH(sql_int(*shard)), NULL, err);
}

static int raise_generation(struct store *store, int64_t shard, struct err *err)
{
	return sql_run(store, "UPDATE shard SET generation = max(generation + 1, ?2) WHERE id = ?1",
	    SQL_WITH(sql_int(shard), sql_int(clock_now())), NULL, err);
}

static int add(struct store *store, const struct certificate_facts *facts, struct view minimal,
    int64_t shard_size, struct err *err)
{
	int64_t shard;
	if (take_place(store, shard_size, &shard, err) != 0 ||
	    sql_run(store,
		"INSERT INTO certificate (fingerprint, user_id, algorithm, created, expires,"
		" encryption_key_id, encryption_fingerprint, encryption_expires, state, shard,"
		" added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9, ?10)",
		SQL_WITH(sql_text(facts->fingerprint), sql_text(facts->user_id),
		    sql_text(facts->algorithm), sql_int(facts->created), sql_int(facts->expires),
		    sql_text(facts->encryption_key_id), sql_text(facts->encryption_fingerprint),
		    sql_int(facts->encryption_expires), sql_int(shard), sql_int(clock_now())),
		NULL, err) != 0 ||
	    sql_run(store, "INSERT INTO certificate_bytes (fingerprint, minimal) VALUES (?1, ?2)",
		SQL_WITH(sql_text(facts->fingerprint), sql_bytes(minimal)), NULL, err) != 0 ||
	    put_keys(store, facts, err) != 0)
		return -1;
	return raise_generation(store, shard, err);
}

/* What waits to be sealed goes to the new subkey, or its batch would fail for a name that gpg no
 * longer encrypts to. */
static int redirect_waiting(
    struct store *store, const struct certificate_facts *facts, int64_t shard, struct err *err)
{
	return sql_run(store,
	    "UPDATE delivery SET key_id = ?2 WHERE state = 'queued' AND batch IS NULL"
	    " AND shard = ?3 AND fingerprint = ?1 AND key_id <> ?2",
	    SQL_WITH(
		sql_text(facts->fingerprint), sql_text(facts->encryption_key_id), sql_int(shard)),
	    NULL, err);
}

static int put_bytes(struct store *store, const char *fingerprint, struct view minimal,
    int64_t shard, struct err *err)
{
	int64_t changed;
	if (sql_run(store,
		"UPDATE certificate_bytes SET minimal = ?2"
		" WHERE fingerprint = ?1 AND minimal <> ?2",
		SQL_WITH(sql_text(fingerprint), sql_bytes(minimal)), &changed, err) != 0)
		return -1;
	return changed == 0 ? 0 : raise_generation(store, shard, err);
}

static int update(struct store *store, const struct certificate_facts *facts, struct view minimal,
    int64_t shard, struct err *err)
{
	if (sql_run(store,
		"UPDATE certificate SET user_id = ?2, algorithm = ?3, created = ?4, expires = ?5,"
		" encryption_key_id = ?6, encryption_fingerprint = ?7, encryption_expires = ?8"
		" WHERE fingerprint = ?1",
		SQL_WITH(sql_text(facts->fingerprint), sql_text(facts->user_id),
		    sql_text(facts->algorithm), sql_int(facts->created), sql_int(facts->expires),
		    sql_text(facts->encryption_key_id), sql_text(facts->encryption_fingerprint),
		    sql_int(facts->encryption_expires)),
		NULL, err) != 0 ||
	    put_keys(store, facts, err) != 0 || redirect_waiting(store, facts, shard, err) != 0)
		return -1;
	return put_bytes(store, facts->fingerprint, minimal, shard, err);
}

static int put(struct store *store, const struct certificate_facts *facts, struct view minimal,
    int64_t shard_size, bool *is_new, char clash[static FINGERPRINT_SIZE], struct err *err)
{
	int64_t shard;
	*is_new = false;
	if (find_any_clash(store, facts, clash, err) != 0)
		return -1;
	if (clash[0] != '\0')
		return 0;
	if (sql_number(store, "SELECT shard FROM certificate WHERE fingerprint = ?1",
		SQL_WITH(sql_text(facts->fingerprint)), &shard, err) != 0)
		return -1;
	*is_new = shard == 0;
	return *is_new ? add(store, facts, minimal, shard_size, err)
		       : update(store, facts, minimal, shard, err);
}

int store_certificate_put(struct store *store, const struct certificate_facts *facts,
    struct view minimal, int64_t shard_size, bool *is_new, char clash[static FINGERPRINT_SIZE],
    struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = put(store, facts, minimal, shard_size, is_new, clash, err);
	return sql_leave(store, mine, result, err);
}

int store_certificate_move(
    struct store *store, const char *fingerprint, const char *event, bool *moved, struct err *err)
{
	struct certificate certificate;
	bool found;
	bool mine;
	int64_t changes = 0;
	*moved = false;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	int result = store_certificate_get(store, fingerprint, &certificate, &found, err);
	const char *to =
	    result == 0 && found ? state_after(STATE_CERTIFICATE, certificate.state, event) : NULL;
	if (to != NULL)
		result = sql_run(store,
		    "UPDATE certificate SET state = ?2 WHERE fingerprint = ?1 AND state = ?3",
		    SQL_WITH(sql_text(fingerprint), sql_text(to), sql_text(certificate.state)),
		    &changes, err);
	result = sql_leave(store, mine, result, err);
	*moved = result == 0 && changes == 1;
	return result;
}

int store_certificate_bytes(
    struct store *store, const char *fingerprint, struct buf *out, bool *found, struct err *err)
{
	struct sql_query query;
	if (sql_first(store, &query, "SELECT minimal FROM certificate_bytes WHERE fingerprint = ?1",
		SQL_WITH(sql_text(fingerprint)), found, err) != 0)
		return -1;
	if (!*found)
		return 0;
	buf_add_view(out, sql_column_view(&query, 0));
	sql_close(&query);
	if (out->overflow)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the certificate is too large");
	return 0;
}

int store_certificate_known(
    void *context, const char *key, struct buf *out, bool *found, struct err *err)
{
	struct store *store = context;
	struct certificate certificate;
	if (strlen(key) != KEY_ID_SIZE - 1)
		return store_certificate_bytes(store, key, out, found, err);
	if (store_certificate_by_key_id(store, key, &certificate, found, err) != 0)
		return -1;
	/* The first key of a certificate is the primary one. */
	*found = *found && strcmp(certificate.facts.key_ids[0], key) == 0;
	return *found
		   ? store_certificate_bytes(store, certificate.facts.fingerprint, out, found, err)
		   : 0;
}

/* Whether the store still holds what a certificate was merged with. */
static int is_fresh(
    struct store *store, const struct certificate_verdict *verdict, bool *fresh, struct err *err)
{
	struct buf bytes = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	bool found;
	if (store_certificate_bytes(store, verdict->facts.fingerprint, &bytes, &found, err) != 0)
		return -1;
	*fresh = view_equals(buf_view(&bytes), verdict->before);
	buf_release(&bytes);
	return 0;
}

/* What cannot be sealed for, but was known. */
static int keep(struct store *store, const struct certificate_verdict *verdict, int64_t now,
    enum certificate_outcome *outcome, struct err *err)
{
	const char *fingerprint = verdict->facts.fingerprint;
	bool retired = false;
	int64_t shard, closed = 0;
	if (sql_number(store, "SELECT shard FROM certificate WHERE fingerprint = ?1",
		SQL_WITH(sql_text(fingerprint)), &shard, err) != 0 ||
	    (verdict->changed &&
		put_bytes(store, fingerprint, verdict->minimal, shard, err) != 0) ||
	    (verdict->revoked &&
		store_certificate_move(store, fingerprint, "retire", &retired, err) != 0) ||
	    (verdict->closed && !verdict->revoked &&
		store_key_close(store, fingerprint, now, &closed, err) != 0))
		return -1;
	if (retired)
		*outcome = CERTIFICATE_RETIRED;
	else if (closed != 0)
		*outcome = CERTIFICATE_CLOSED;
	else if (verdict->changed)
		*outcome = CERTIFICATE_KEPT;
	return 0;
}

static int take(struct store *store, const struct certificate_verdict *verdict, int64_t shard_size,
    int64_t now, enum certificate_outcome *outcome, char clash[static FINGERPRINT_SIZE],
    struct err *err)
{
	bool is_new, fresh;
	*outcome = CERTIFICATE_REFUSED;
	clash[0] = '\0';
	if (is_fresh(store, verdict, &fresh, err) != 0)
		return -1;
	if (!fresh) {
		*outcome = CERTIFICATE_STALE;
		return 0;
	}
	if (verdict->known && (!verdict->usable || verdict->revoked))
		return keep(store, verdict, now, outcome, err);
	if (!verdict->usable || (verdict->reason[0] != '\0' && !verdict->changed))
		return 0;
	if (put(store, &verdict->facts, verdict->minimal, shard_size, &is_new, clash, err) != 0)
		return -1;
	if (clash[0] != '\0')
		*outcome = CERTIFICATE_CLASH;
	else if (is_new)
		*outcome = CERTIFICATE_ADDED;
	else if (verdict->reason[0] != '\0')
		*outcome = CERTIFICATE_KEPT;
	else
		*outcome = verdict->changed ? CERTIFICATE_UPDATED : CERTIFICATE_UNCHANGED;
	return 0;
}

int store_certificate_take(struct store *store, const struct certificate_verdict *verdict,
    int64_t shard_size, int64_t now, enum certificate_outcome *outcome,
    char clash[static FINGERPRINT_SIZE], struct err *err)
{
	bool mine;
	if (sql_enter(store, &mine, err) != 0)
		return -1;
	const int result = take(store, verdict, shard_size, now, outcome, clash, err);
	return sql_leave(store, mine, result, err);
}

int store_shard_generation(
    struct store *store, int64_t shard, int64_t *generation, struct err *err)
{
	return sql_number(store, "SELECT generation FROM shard WHERE id = ?1",
	    SQL_WITH(sql_int(shard)), generation, err);
}

/* One statement, so that the generation and the certificates are of the same moment. */
int store_shard_each(struct store *store, int64_t shard, int64_t *generation, shard_fn *fn,
    void *context, struct err *err)
{
	struct sql_query query;
	int got;
	*generation = 0;
	if (sql_open(store, &query,
		"SELECT s.generation, b.minimal FROM shard AS s"
		" JOIN certificate AS c ON c.shard = s.id"
		" JOIN certificate_bytes AS b ON b.fingerprint = c.fingerprint"
		" WHERE s.id = ?1 ORDER BY c.fingerprint",
		SQL_WITH(sql_int(shard)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		*generation = sql_column_int(&query, 0);
		if (fn(context, sql_column_view(&query, 1), err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
