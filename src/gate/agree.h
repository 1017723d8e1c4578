/* A contact's signed answer to the agreement: accept, decline, leave.
 *
 * It counts as an acknowledgment does: exactly one good signature, by the certificate pinned for
 * the contact, over bytes that hold the contact's own token of that version. It never causes a
 * mail. */
#ifndef DEWLINE_GATE_AGREE_H
#define DEWLINE_GATE_AGREE_H

#include "gate/open.h"
#include "store/people.h"

/* True when it was such an answer, and the facts were taken over. False, with nothing done, when
 * the mail holds no agreement token, or one of an advisory and no word on the agreement. */
bool agree_mail(struct mail_facts *facts, const struct contact *contact);

#endif
