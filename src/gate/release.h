/* What is held comes to its hour, or must be shown to those who may approve it: its draft is opened
 * anew, one at a time, and becomes a request for approval or the advisory itself. */
#ifndef DEWLINE_GATE_RELEASE_H
#define DEWLINE_GATE_RELEASE_H

#include "gate/open.h"
#include "rules/refusal.h"
#include "store/holds.h"
#include "store/people.h"

int release_start(struct gate *gate, struct err *err);
void release_stop(struct gate *gate);

/* A check of schedule.c. */
void release_check(struct gate *gate, int64_t now);

/* The draft has been opened, and its author's signature counts still. Takes over the facts. */
void release_draft(struct mail_facts *facts, const struct publisher *author);

/* For open.c: the draft cannot be opened or does not count any more, which ends the hold; or cannot
 * be opened now; or has been given back. The first takes over the facts. */
void release_unreadable(struct mail_facts *facts, const char *reason);
void release_later(struct gate *gate, const char *why);
void release_ended(struct gate *gate);

/* Ends a hold that cannot be released, and tells its author. Takes over the facts. */
void release_impossible(struct mail_facts *facts, const struct publisher *author,
    const struct hold *hold, const struct refusal *refusal);

#endif
