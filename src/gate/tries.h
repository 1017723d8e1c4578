/* Mail that ended the worker which read or opened it: tried again over time (rules/tries.h), behind all
 * other mail, and given up in the end; the admins are told by warn.h. */
#ifndef DEWLINE_GATE_TRIES_H
#define DEWLINE_GATE_TRIES_H

#include "gate/open.h"

/* A request for this mail ended with POOL_DIED: `doing` says what it was for, such as "opening it",
 * `how` is the body of that event. Nothing was recorded. Takes over the facts: the mail waits for its
 * next try or becomes unreadable ("fatal"); a draft is opened anew by release.h. */
void tries_failed(struct mail_facts *facts, const char *doing, struct view how);

/* Asks a vault for a mail: as gate_ask, but what strangers want gives way to all else; and so does a
 * mail that ended a worker before, which gets one attempt and more time for it. */
void tries_ask(const struct mail_facts *facts, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context);

/* Whether this mail's requests give way to all others. */
bool tries_gives_way(const struct mail_facts *facts);

/* At the start of the gate: after a change of dewline's version the mail of known people that was
 * given up is tried anew, once for each version. */
int tries_begin(struct gate *gate, struct err *err);

#endif
