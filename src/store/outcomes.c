#include "config.h"

#include <inttypes.h>

#include "store/delivery_row.h"
#include "store/lines.h"
#include "store/outcomes.h"

static const char word_name[] = "smarthost-word";

#define UNWELL "(d.state = 'bounced' OR (d.state = 'failed' AND d.batch IS NOT NULL))"

/* When the last of it came back. */
#define BOUNCED_AT                                                                                 \
	" ifnull((SELECT max(b.received_at) FROM bounce AS b WHERE b.delivery = d.id), 0)"

/* A later one `n` to the same person that failed as well, or went through. */
#define SETTLED                                                                                    \
	" n.id > d.id AND (n.state IN ('bounced', 'acknowledged')"                                 \
	" OR (n.state = 'failed' AND n.batch IS NOT NULL)"                                         \
	" OR (n.state = 'sent' AND (d.state = 'failed'"                                            \
	" OR (n.sent_at >= " BOUNCED_AT " AND n.sent_at <= ?1))))"

#define ALL(is)                                                                                    \
	"SELECT " DELIVERY_COLUMNS ", " is "," BOUNCED_AT                                          \
	" FROM delivery AS d INDEXED BY delivery_unwell CROSS JOIN "

static const char unwell[] =
    ALL("'contact'") "contact AS c ON c.id = d.contact"
    " WHERE d.state IN ('failed', 'bounced') AND " UNWELL
    " AND c.removed = 0 AND c.address = d.address"
    " AND NOT EXISTS (SELECT 1 FROM delivery AS n WHERE n.contact = d.contact AND" SETTLED ")"
    " UNION ALL " ALL("iif(p.admin, 'admin', 'publisher')") "publisher AS p ON p.id = d.publisher"
    " WHERE d.state IN ('failed', 'bounced') AND " UNWELL
    " AND p.removed = 0 AND p.address = d.address"
    " AND NOT EXISTS (SELECT 1 FROM delivery AS n WHERE n.publisher = d.publisher AND" SETTLED ")"
    " ORDER BY 5, 1";

static void read_outcome(const struct sql_query *query, struct outcome *out)
{
	delivery_read(query, &out->delivery);
	sql_column_text(query, DELIVERY_COLUMN_COUNT, out->is, sizeof out->is);
	out->bounced_at = sql_column_int(query, DELIVERY_COLUMN_COUNT + 1);
}

int store_outcome_each_unwell(
    struct store *store, int64_t now, outcome_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query, unwell, SQL_WITH(sql_int(now - OUTCOME_QUIET_S)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct outcome outcome;
		read_outcome(&query, &outcome);
		if (fn(context, &outcome, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}

int store_smarthost_word_get(struct store *store, struct smarthost_word *word, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*word = (struct smarthost_word){.at = 0};
	const int result = store_value_get(store, word_name, &value, &found, err);
	struct view rest = buf_view(&value);
	if (result == 0 && found) {
		word->at = lines_next_number(&rest);
		word->code = lines_next_number(&rest);
		word->taken = lines_next_number(&rest) != 0;
		lines_next_text(&rest, word->text);
	}
	buf_release(&value);
	return result;
}

int store_smarthost_word_set(
    struct store *store, const struct smarthost_word *word, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(
	    &value, "%" PRId64 "\n%" PRId64 "\n%d\n", word->at, word->code, word->taken);
	lines_add_text(&value, word->text);
	const int result = store_value_set(store, word_name, buf_view(&value), err);
	buf_release(&value);
	return result;
}
