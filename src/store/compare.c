#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/compare.h"
#include "store/sql.h"

/* An entry's subject and actor are cut to STORE_NAME_SIZE with its end. */
#define CUT(text) "substr(" text ", 1, 255)"
_Static_assert(STORE_NAME_SIZE == 256, "as CUT has it");

#define REVISION_LABEL "a.number || ' r' || r.number"
#define MESSAGE_LABEL                                                                              \
	"ifnull((SELECT a.number || ' r' || r.number FROM revision AS r JOIN advisory AS a"        \
	" ON a.id = r.advisory WHERE r.message = d.message), 'notice ' || d.message)"

/* Acknowledgments as the log should tell of them. Newer entries go on with ", mail DIGEST". */
#define ANSWERS                                                                                    \
	"answer AS MATERIALIZED (SELECT k.received_at AS at, " CUT(                                \
	    "'contact ' || c.address") " AS actor, " REVISION_LABEL " AS subject,"                 \
				       " k.status || ', arrival ' || k.arrival AS detail,"         \
				       " c.address AS address"                                     \
				       " FROM acknowledgment AS k JOIN contact AS c"               \
				       " ON c.id = k.contact JOIN revision AS r"                   \
				       " ON r.id = k.revision JOIN advisory AS a"                  \
				       " ON a.id = r.advisory)"
#define ANSWERS_TOLD                                                                               \
	"told AS MATERIALIZED (SELECT at, actor, subject,"                                         \
	" CASE WHEN instr(detail, ', mail ') > 0"                                                  \
	" THEN substr(detail, 1, instr(detail, ', mail ') - 1) ELSE detail END AS detail"          \
	" FROM audit WHERE event = 'acknowledgment.accepted')"

/* Deliveries that went out, and what the log says of it. */
#define SENT "SELECT " CUT(MESSAGE_LABEL " || ' ' || d.address") " AS subject FROM delivery AS d"
#define SENT_TOLD "SELECT subject FROM audit WHERE event = 'delivery.sent'"

/* The newest entry about each person's key. */
#define KEYS(events)                                                                               \
	"WITH told AS MATERIALIZED (SELECT lower(subject) AS address, detail,"                     \
	" max(sequence) FROM audit WHERE event IN (" events ") GROUP BY lower(subject)) "
#define WITHOUT_ENTRY(person)                                                                      \
	" WHERE p.removed = 0 AND p.fingerprint <> '' AND NOT EXISTS"                              \
	" (SELECT 1 FROM told WHERE told.address = lower(" person ".address)"                      \
	" AND substr(told.detail, instr(told.detail, " person ".fingerprint) - 4, 4)"              \
	" IN ('key ', ' to '))"

/* Each gives one column, of whom or what; the text behind says what about it. */
static const struct {
	const char *sql;
	const char *what;
} rules[] = {
    {"WITH " ANSWERS ", " ANSWERS_TOLD " SELECT answer.subject || ' ' || answer.address FROM answer"
     " WHERE NOT EXISTS (SELECT 1 FROM told WHERE told.detail = answer.detail AND told.subject ="
     " answer.subject AND told.actor = answer.actor AND told.at = answer.at)",
	"stands as answered, but not as the log tells it"},
    {"WITH " ANSWERS ", " ANSWERS_TOLD " SELECT subject || ', ' || actor || ': ' || detail FROM"
     " (SELECT at, actor, subject, detail FROM told"
     " EXCEPT SELECT at, actor, subject, detail FROM answer)",
	"is in the log, but no such answer in the store"},
    {"SELECT subject FROM (" SENT " WHERE d.state = 'sent' EXCEPT " SENT_TOLD ")",
	"stands as sent, of which the log knows nothing"},
    {"SELECT subject FROM (" SENT_TOLD " EXCEPT " SENT ")",
	"was sent by the log's word, but there is no such delivery"},
    {"SELECT " REVISION_LABEL " FROM revision AS r JOIN advisory AS a ON a.id = r.advisory"
     " WHERE NOT EXISTS (SELECT 1 FROM audit AS e WHERE e.event = 'advisory.' || r.kind"
     " AND e.subject = " REVISION_LABEL " AND e.at = r.released_at AND"
     " instr(e.detail, substr('TLP:' || r.tlp || ', audience: ' || r.audience, 1, 1000)) = 1)",
	"is not the revision that the log tells of"},
    {KEYS("'contact.add', 'contact.rekey'") "SELECT p.address FROM contact AS p" WITHOUT_ENTRY("p"),
	"has another key than the log says"},
    {"WITH told AS MATERIALIZED (SELECT lower(subject) AS address, detail, max(sequence) FROM audit"
     " WHERE event = 'contact.add' GROUP BY lower(subject))"
     " SELECT c.address FROM contact AS c WHERE c.removed = 0 AND NOT EXISTS (SELECT 1 FROM told"
     " WHERE told.address = lower(c.address)"
     " AND instr(told.detail || ',', ' TLP:' || c.clearance || ',') > 0)",
	"has another clearance than the log says"},
    {KEYS("'publisher.add', 'publisher.rekey', 'admin.add'") "SELECT p.address FROM publisher AS "
							     "p" WITHOUT_ENTRY("p"),
	"has another key than the log says"},
    {"SELECT c.fingerprint FROM certificate AS c WHERE c.state = 'confirmed' AND"
     " ifnull((SELECT e.event FROM audit AS e WHERE e.subject = c.fingerprint"
     " AND e.event IN ('key.confirm', 'key.retire') ORDER BY e.sequence DESC LIMIT 1), '')"
     " <> 'key.confirm'",
	"counts as confirmed, which nobody did by the log's word"},
};

static int tell(const struct sql_query *query, const char *what, difference_fn *fn, void *context,
    struct err *err)
{
	char whom[2 * STORE_NAME_SIZE];
	char line[3 * STORE_NAME_SIZE];
	sql_column_text(query, 0, whom, sizeof whom);
	snprintf(line, sizeof line, "%s %s", whom, what);
	return fn(context, line, err);
}

static int each(struct store *store, const char *sql, const char *what, difference_fn *fn,
    void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, sql, SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		if (tell(&query, what, fn, context, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

/* The mail that the log names is the evidence: it must be kept, byte for byte. */
static int each_mail(struct store *store, difference_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"WITH told AS MATERIALIZED (SELECT subject, actor,"
		" CAST(substr(detail, instr(detail, ', arrival ') + 10) AS INTEGER) AS arrival,"
		" substr(detail, instr(detail, ', mail ') + 7) AS digest FROM audit"
		" WHERE event = 'acknowledgment.accepted' AND instr(detail, ', mail ') > 0)"
		" SELECT told.subject || ', ' || told.actor, told.digest, w.raw FROM told"
		" LEFT JOIN arrival_raw AS w ON w.arrival = told.arrival",
		SQL_NOTHING, err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		char digest[DIGEST_HEX_SIZE];
		digest_sha256_hex(sql_column_view(&query, 2), digest);
		if (!view_is(sql_column_view(&query, 1), digest) &&
		    tell(&query, "was answered by another mail than the one that is kept", fn,
			context, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_compare(struct store *store, difference_fn *fn, void *context, struct err *err)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (each(store, rules[i].sql, rules[i].what, fn, context, err) != 0)
			return -1;
	}
	return each_mail(store, fn, context, err);
}
