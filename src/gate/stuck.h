/* What lies in the drop and could not be taken: for want of rights, memory or descriptors, because the
 * disk fails, or since the place is gone. It is tried again with each walk of receive.h; here it is
 * kept for `dewctl check`, and the admins get a mail when it lasts. */
#ifndef DEWLINE_GATE_STUCK_H
#define DEWLINE_GATE_STUCK_H

#include "gate/context.h"

int stuck_start(struct gate *gate, struct err *err);
void stuck_stop(struct gate *gate);

/* After each walk: how many files and directories stay, and why the first of them does. */
void stuck_note(struct gate *gate, int64_t count, const char *reason);

/* A check of schedule.h. One mail for each time that it begins. */
void stuck_check(struct gate *gate, int64_t now);

#endif
