/* Mail that the smarthost does not take: who is told of it.
 *
 * Deliveries that have waited for smarthost.alarm because of what the smarthost has against the
 * gateway, those that have waited for an hour because of the recipient's mailbox, and those that
 * failed, are told of by name and with the smarthost's words: in one mail for each revision, to its
 * publisher and the admins, and in one to the admins for all that is no advisory. Each is told once
 * when it waits, and once when it failed. The mail waits as all others do, and goes out when the way
 * is free; of itself nothing is told, or one would call forth the next. `dewctl check` needs none of
 * this. */
#ifndef DEWLINE_GATE_UNSENT_H
#define DEWLINE_GATE_UNSENT_H

#include "gate/context.h"

int unsent_start(struct gate *gate, struct err *err);
void unsent_stop(struct gate *gate);
/* A check of schedule.h. */
void unsent_check(struct gate *gate, int64_t now);

#endif
