/* A publisher's mail, or an admin's wish, on its way to becoming an advisory, a revision, or what
 * is held: shared by issue.c and hold.c, and nobody else's business. */
#ifndef DEWLINE_GATE_ISSUING_H
#define DEWLINE_GATE_ISSUING_H

#include "gate/issue.h"
#include "gate/outgoing.h"
#include "rules/advisory.h"
#include "store/holds.h"

struct issue {
	struct gate *gate;
	struct mail_facts *facts; /* NULL when an admin withdraws */
	struct publisher publisher;
	struct draft draft;
	struct advisory advisory;
	struct revision revision;
	struct hold hold; /* what is released now; id 0: the mail has just come in */
	struct issue *next;
};

/* One is under way; the others wait in order. */
struct issuing {
	struct issue *now;
	struct issue *first;
	struct issue **last;
	int64_t withdrawing; /* what an admin asked to withdraw and is under way, 0: nothing */
};

/* Never NULL. */
struct issue *issue_new(struct gate *gate);
/* It begins when those before it have ended. */
void issue_enter(struct issue *issue);
/* The next one begins. The facts must have been given back. */
void issue_free(struct issue *issue);
/* The store failed: ends the gate. */
void issue_fail(struct issue *issue, const struct err *err);
/* Tells the publisher, and ends it. */
void issue_refuse(struct issue *issue, const struct refusal *refusal);
/* In the caller's transaction: *go is false when the same signed text was acted on before. For a
 * new advisory it takes its number and adds it. */
int issue_record_advisory(struct issue *issue, bool *go, struct err *err);
/* The end of one whose message went to outgoing_send: an outgoing_done_fn. */
void issue_done(void *context, enum outgoing_end end, const char *problem);

/* withdraw.c: an admin's wish was carried out, or is tried again after a pause. */
void issue_withdrawal_ended(struct gate *gate, bool recorded);

/* hold.c: keeps the draft for its hour or until it is approved, in place of sending it. Deliveries
 * are those that it would come to now, for the author's receipt, and are taken over. */
void hold_draft(
    struct issue *issue, bool needs_approval, struct delivery *deliveries, size_t count);
/* hold.c: ends an advisory that nobody has got yet. */
void hold_withdraw(struct issue *issue);
/* hold.c: ends what of a released advisory is held still, in the caller's transaction. */
int hold_end_open(struct issue *issue, int64_t now, struct err *err);

#endif
