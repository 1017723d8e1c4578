/* The two-person rule: a publisher's "Approve: TOKEN" or "Reject: TOKEN" about what another one
 * wrote. */
#ifndef DEWLINE_GATE_APPROVE_H
#define DEWLINE_GATE_APPROVE_H

#include "gate/open.h"
#include "store/people.h"

/* Takes over the facts. The publisher's signature counts already. */
void approve_mail(struct mail_facts *facts, const struct publisher *publisher);

#endif
