/* Refusing a publisher's mail as a whole: recorded, and told to the publisher in an encrypted,
 * signed receipt that names the line at fault. The same signed text again is refused without a
 * mail. */
#ifndef DEWLINE_GATE_REFUSE_H
#define DEWLINE_GATE_REFUSE_H

#include "gate/open.h"
#include "rules/control.h"
#include "store/people.h"

/* Takes over the facts. */
void refuse_mail(
    struct mail_facts *facts, const struct publisher *publisher, const struct refusal *refusal);

#endif
