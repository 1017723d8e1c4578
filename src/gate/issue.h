/* Step 5, record: a publisher's mail becomes an advisory, an update or a withdrawal, or is refused
 * as a whole with a receipt that names the line. One at a time, so that numbers have no gaps. */
#ifndef DEWLINE_GATE_ISSUE_H
#define DEWLINE_GATE_ISSUE_H

#include "gate/open.h"
#include "rules/refusal.h"
#include "store/holds.h"
#include "store/people.h"

int issue_start(struct gate *gate, struct err *err);
void issue_stop(struct gate *gate);

/* Takes over the facts. The publisher's signature counts already. */
void issue_mail(struct mail_facts *facts, const struct publisher *publisher);

/* What must hold of a publisher's mail before its words count, its shape being right: not too old
 * at `now`, readable. */
bool issue_mail_is_fit(const struct mail_facts *facts, int64_t now, struct refusal *refusal);

/* Releases what was held: the facts are of its draft, opened anew, and are taken over. It goes to
 * those who are entitled now. */
void issue_held(
    struct mail_facts *facts, const struct publisher *publisher, const struct hold *hold);

/* Carries out an admin's wish to withdraw an advisory, which stands in the store until that is
 * done. While one is under way, another call does nothing. */
void issue_withdrawal(struct gate *gate, int64_t advisory);

#endif
