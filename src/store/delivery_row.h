/* How a row of `delivery` becomes a struct delivery: shared by the files that read it. */
#ifndef DEWLINE_STORE_DELIVERY_ROW_H
#define DEWLINE_STORE_DELIVERY_ROW_H

#include "store/messages.h"
#include "store/sql.h"

/* Of the table under the name `d`. */
#define DELIVERY_COLUMNS                                                                           \
	"d.id, d.message, d.contact, d.publisher, d.address, d.fingerprint, d.key_id, d.state,"    \
	" d.reason, d.batch, d.attempts, d.ambiguous, d.next_at, d.first_at, d.sent_at,"  \
	" d.about, d.told"
enum { DELIVERY_COLUMN_COUNT = 17 };

void delivery_read(const struct sql_query *query, struct delivery *out);

#endif
