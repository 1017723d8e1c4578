/* Warns whose key is about to expire, 30, 7 and 1 days ahead, and tells those whose key has.
 *
 * Whoever cannot be encrypted to any more gets the one mail that leaves in the clear, whose text is
 * made by the vault (mail/notice.h). Each is sent once for each expiry; after an outage only the
 * latest. */
#ifndef DEWLINE_GATE_KEYLIFE_H
#define DEWLINE_GATE_KEYLIFE_H

#include "gate/context.h"

int keylife_start(struct gate *gate, struct err *err);
void keylife_stop(struct gate *gate);

/* For the schedule: begins the first warning or notice that is due, unless one is under way. */
void keylife_check(struct gate *gate, int64_t now);

#endif
