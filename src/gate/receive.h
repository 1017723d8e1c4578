/* Step 1, receive: what lies in the drop is committed to the store, and only then removed. */
#ifndef DEWLINE_GATE_RECEIVE_H
#define DEWLINE_GATE_RECEIVE_H

#include "gate/context.h"

/* Watches drop/new and drop/cur (Maildir) with inotify, and walks through them now and again every
 * half minute, for whatever inotify did not tell; more often where there is none to be had. A full
 * drop is taken a little at a time, so that a flood holds up nothing else. Only what the file itself
 * is sets it aside: one larger than limits.message, or a directory, goes to drop/refused and stands
 * in the inbox. Whatever else fails is tried again with each walk, holds up nothing but itself, and
 * stuck.h tells of it. */
int receive_start(struct gate *gate, struct err *err);
void receive_stop(struct gate *gate);

#endif
