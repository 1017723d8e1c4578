/* A store that was put back by hand, with a plain copy, is noticed by the mark beside it (store/mark.h):
 * as after `dewctl restore` a new epoch begins then, before anything leaves. It does not refuse to
 * start, for people wait for what it sends; admins are alarmed. */
#ifndef DEWLINE_GATE_ROLLBACK_H
#define DEWLINE_GATE_ROLLBACK_H

#include "gate/context.h"

/* Before the sandbox, which lets the gate write this file, and make none. That it cannot be had ends
 * nothing: it only watches. */
void rollback_open(struct gate *gate);
/* In the caller's transaction, the first of all. */
int rollback_look(struct gate *gate, struct err *err);
/* Now and then: how far the log went. */
void rollback_keep(struct gate *gate);
void rollback_close(struct gate *gate);

#endif
