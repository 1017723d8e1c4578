#include "config.h"

#include "store/sql.h"
#include "store/stats.h"

static void read_row(const struct sql_query *query, struct stat_row *out)
{
	*out = (struct stat_row){
	    .advisory = sql_column_int(query, 0),
	    .exercise = sql_column_bool(query, 1),
	    .bulletin = sql_column_bool(query, 2),
	    .reached = sql_column_bool(query, 4),
	    .released_at = sql_column_int(query, 5),
	    .acknowledge_by = sql_column_int(query, 6),
	    .acknowledged_at = sql_column_int(query, 7),
	};
	sql_column_text(query, 3, out->member, sizeof out->member);
}

int store_stat_each(struct store *store, int64_t since, stat_fn *fn, void *context, struct err *err)
{
	struct sql_query query;
	int got;
	if (sql_open(store, &query,
		"SELECT a.id, a.exercise, a.kind = 'bulletin', c.member,"
		" d.state IN ('sent', 'acknowledged'), r.released_at, r.acknowledge_by,"
		" (SELECT min(k.received_at) FROM acknowledgment AS k"
		" WHERE k.revision = r.id AND k.contact = d.contact)"
		" FROM advisory AS a JOIN revision AS r ON r.advisory = a.id"
		" JOIN delivery AS d ON d.message = r.message"
		" JOIN contact AS c ON c.id = d.contact"
		" WHERE r.kind <> 'withdraw' AND r.released_at >= ?1"
		" ORDER BY a.id, r.number, d.id",
		SQL_WITH(sql_int(since)), err) != 0)
		return -1;
	while ((got = sql_next(&query, err)) > 0) {
		struct stat_row row;
		read_row(&query, &row);
		if (fn(context, &row, err) != 0) {
			got = -1;
			break;
		}
	}
	sql_close(&query);
	return got;
}
