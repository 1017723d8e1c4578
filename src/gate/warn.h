/* Processes that were lost, and mails that ended them.
 *
 * Of a mail that ended its reader or its vaults (tries.h) the admins get an encrypted mail: one for all
 * of them, and at most one in admin.warn_every, so that whoever sends many such mails does not make the
 * gateway send many. Where it seems to be from somebody known they are told within seconds, the next
 * ones of that kind together after some minutes, and once more when it is given up. How many processes
 * were lost is counted in the store, for `dewctl check`. */
#ifndef DEWLINE_GATE_WARN_H
#define DEWLINE_GATE_WARN_H

#include "gate/context.h"

int warn_start(struct gate *gate, struct err *err);
/* While the pools are still there, which it counts for the last time. */
void warn_stop(struct gate *gate);
/* Puts into the store why no worker can be started, for `dewctl check`, when that has changed. */
void warn_note_trouble(struct gate *gate);
/* A check of schedule.h. */
void warn_check(struct gate *gate, int64_t now);

#endif
