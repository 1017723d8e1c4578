/* Step 1, receive: what lies in the drop is committed to the store, and only then removed. */
#ifndef DEWLINE_GATE_RECEIVE_H
#define DEWLINE_GATE_RECEIVE_H

#include "gate/context.h"

/* Watches drop/new and drop/cur (Maildir) with inotify, scans them now and again every half minute,
 * for whatever inotify did not tell. A file larger than limits.message, or that cannot be read, is
 * moved to drop/refused, with a line in the log and the audit: nothing is deleted unread. A full
 * drop is taken a little at a time, so that a flood holds up nothing else. */
int receive_start(struct gate *gate, struct err *err);
void receive_stop(struct gate *gate);

#endif
