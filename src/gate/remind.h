/* Reminders to whoever has not answered, and the alarm when the deadline has passed
 * (rules/remind.h says who and when). Each stage is recorded, once, in the transaction that records
 * its mail. */
#ifndef DEWLINE_GATE_REMIND_H
#define DEWLINE_GATE_REMIND_H

#include "gate/context.h"

int remind_start(struct gate *gate, struct err *err);
void remind_stop(struct gate *gate);
/* A check of schedule.h. */
void remind_check(struct gate *gate, int64_t now);

#endif
