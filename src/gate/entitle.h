/* May what was queued still go to whom it was meant for?
 *
 * The list of deliveries is frozen when a message is recorded, but minutes or days may pass before
 * it is sealed, and again before the smarthost takes it. Whoever was removed or suspended
 * meanwhile, whose signature on the agreement does not suffice any more, and whoever's certificate
 * was retired, gets nothing any more, and stands by name and reason in the receipts, the log and
 * the audit. */
#ifndef DEWLINE_GATE_ENTITLE_H
#define DEWLINE_GATE_ENTITLE_H

#include "gate/context.h"
#include "store/messages.h"

enum entitle_step {
	ENTITLE_SEALING, /* the certificate must not have expired */
	ENTITLE_SENDING, /* it was sealed in time, and an expiry since takes nothing back */
};

/* Looks at `count` deliveries of one message. may[i] says whether delivery i may go on; the others
 * have been excluded, all in one transaction. */
int entitle_check(struct gate *gate, enum entitle_step step, const struct delivery *deliveries,
    size_t count, bool *may, struct err *err);

/* Takes a delivery out for good, in the caller's transaction: the row, the audit and the log. */
int entitle_exclude(
    struct gate *gate, const struct delivery *delivery, const char *reason, struct err *err);

#endif
