/* What travelled in the clear with the token of a revision: noted here, for the contact to be told
 * (tell.h), then the publisher and the admins, once for each contact and revision.
 *
 * An answer that is signed but not encrypted counts all the same. So does one that is encrypted and
 * whose outer Subject held the token. A mail that does not count is told of as well: the token
 * proves the leak, whoever wrote it. Whom to tell of it is taken from the contact's signature, else
 * from the address that it says it is from, which proves nothing: so it causes one mail for each
 * contact who got the revision, and one more alarm where no such contact has the address. */
#ifndef DEWLINE_GATE_CLEAR_H
#define DEWLINE_GATE_CLEAR_H

#include "gate/open.h"
#include "store/advisories.h"

/* What of an answer with this token was open: "text", "subject", or "" for nothing. */
const char *clear_what(const struct mail_facts *facts, const char *token);
/* In the transaction that ends an arrival: notes the tokens in it that travelled in the open. */
int clear_look(const struct mail_facts *facts, struct err *err);
/* In the transaction that records the acknowledgment, whose `clear` is not "". */
int clear_note(struct gate *gate, const struct acknowledgment *acknowledgment, const char *actor,
    const char *label, struct err *err);

#endif
