/* Refusing a mail with a control block as a whole: recorded, and told to its signer in an
 * encrypted, signed receipt that names the line at fault. The same signed text again is refused
 * without a mail. */
#ifndef DEWLINE_GATE_REFUSE_H
#define DEWLINE_GATE_REFUSE_H

#include "gate/open.h"
#include "rules/control.h"
#include "store/people.h"

/* Takes over the facts. */
void refuse_mail(
    struct mail_facts *facts, const struct publisher *publisher, const struct refusal *refusal);

/* The same for what is no advisory: `meaning` (static) stands in the inbox. */
void refuse_publisher(struct mail_facts *facts, const struct publisher *publisher,
    const char *meaning, const struct refusal *refusal);

/* The same for a contact's control block, or what cannot be read, never for another reply. */
void refuse_contact(struct mail_facts *facts, const struct contact *contact, const char *meaning,
    const struct refusal *refusal);

#endif
