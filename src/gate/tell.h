/* Letters about answers, once each: to the contact whose answer travelled in the open or does not
 * count, and about those in the open to publisher and admins, gathered for each revision. */
#ifndef DEWLINE_GATE_TELL_H
#define DEWLINE_GATE_TELL_H

#include "gate/context.h"

int tell_start(struct gate *gate, struct err *err);
void tell_stop(struct gate *gate);

/* The next letter that is due; a step of the schedule. */
void tell_check(struct gate *gate, int64_t now);

#endif
