/* What follows when the store was put back (store/epoch.h): admins and publishers are told, and so is
 * whoever sends what shows that something was lost. */
#ifndef DEWLINE_GATE_RESTORED_H
#define DEWLINE_GATE_RESTORED_H

#include "gate/open.h"
#include "mail/token.h"
#include "rules/refusal.h"
#include "store/people.h"

int restored_start(struct gate *gate, struct err *err);
void restored_stop(struct gate *gate);
/* A check of schedule.h. */
void restored_check(struct gate *gate, int64_t now);

/* A contact's good answer whose tokens are all unknown: where that can come of a restore it is recorded
 * as evidence, which ends the mail, and *taken is true. In the caller's transaction. */
int restored_take_answer(const struct mail_facts *facts, const struct contact *contact,
    const struct token_list *tokens, bool *taken, struct err *err);

/* A number that a mail names in its control block, and that is not on record. */
struct named_number {
	const char *prefix; /* what such numbers begin with */
	const char *number;
	int line; /* of the control block */
	int64_t publisher; /* who wrote, 0: a contact did */
	int64_t contact; /* likewise */
	const char *advice; /* a sentence for them: what to do where it was lost */
};
/* Where it may have been lost, fills the refusal, and records it for the admins; else nothing is
 * changed. */
int restored_refuse_number(const struct mail_facts *facts, const struct named_number *named,
    struct refusal *refusal, struct err *err);

#endif
