/* Step 7, send: deliveries that are due go to the couriers in runs of one batch; every result is
 * recorded, many in one transaction.
 *
 * Final is what the smarthost says of one recipient while it takes mail for others, or of one alone;
 * what it says alike of recipients of different domains while it takes none is about the gateway
 * (refusals.h). That is deferred, as is whatever else it has against us, and goes out at once when
 * the smarthost takes mail again.
 *
 * A delivery is `sending` in the store before a courier hears of it. Whatever then remains without
 * a result (a courier died, the gate died, the connection broke behind the final dot) counts as
 * ambiguous and is sent again, with the same Message-ID and the same bytes. */
#ifndef DEWLINE_GATE_SEND_H
#define DEWLINE_GATE_SEND_H

#include "gate/context.h"

int send_start(struct gate *gate, struct err *err);
void send_stop(struct gate *gate);
void send_work(struct gate *gate);
/* Commits the results that came in since the last call. */
void send_flush(struct gate *gate);

#endif
