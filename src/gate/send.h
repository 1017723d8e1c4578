/* Step 7, send: deliveries that are due go to the couriers in runs of one batch; every result is
 * recorded, many in one transaction.
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
