/* Step 6, seal: batches of queued deliveries go through the vaults, and come back as one shared
 * data packet and a session key for each. The Date of a mail, inside and outside, is that of its
 * sealing, which the batch keeps: a mail program holds it against the signature's.
 *
 * A batch that fails is halved, until the delivery at fault stands alone; that one is excluded with
 * its reason once it has failed alone for several times while the vault works otherwise, and the
 * rest is sealed. While the vault does not work, everybody waits. */
#ifndef DEWLINE_GATE_SEAL_H
#define DEWLINE_GATE_SEAL_H

#include "gate/context.h"

int seal_start(struct gate *gate, struct err *err);
void seal_stop(struct gate *gate);
void seal_work(struct gate *gate);

#endif
