/* Asking contacts to sign the agreement: invitations, a new version, reminders; and members none of
 * whose contacts has signed what is required lapse. */
#ifndef DEWLINE_GATE_ASK_H
#define DEWLINE_GATE_ASK_H

#include "gate/context.h"

/* Checks of the schedule. A mail each time, the next one when that is recorded. Whoever cannot be
 * sealed for is not asked yet. */
void ask_check(struct gate *gate, int64_t now);
void ask_check_lapses(struct gate *gate, int64_t now);

#endif
