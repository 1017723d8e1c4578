/* Step 5, record: a publisher's mail becomes an advisory, an update or a withdrawal, or is refused
 * as a whole with a receipt that names the line. One at a time, so that numbers have no gaps. */
#ifndef DEWLINE_GATE_ISSUE_H
#define DEWLINE_GATE_ISSUE_H

#include "gate/open.h"
#include "store/people.h"

int issue_start(struct gate *gate, struct err *err);
void issue_stop(struct gate *gate);

/* Takes over the facts. The publisher's signature counts already. */
void issue_mail(struct mail_facts *facts, const struct publisher *publisher);

/* Carries out an admin's wish to withdraw an advisory, which stands in the store until that is
 * done. While one is under way, another call does nothing. */
void issue_withdrawal(struct gate *gate, int64_t advisory);

#endif
