/* Step 8, account: receipts to the publisher when a revision is sealed and when all its deliveries
 * are final, the advisory's state, and what admins asked for. */
#ifndef DEWLINE_GATE_ACCOUNT_H
#define DEWLINE_GATE_ACCOUNT_H

#include "gate/context.h"

int account_start(struct gate *gate, struct err *err);
void account_stop(struct gate *gate);
void account_work(struct gate *gate);
/* Deliveries have moved: looks whether a revision is complete, but not for each of thousands. */
void account_soon(struct gate *gate);

#endif
