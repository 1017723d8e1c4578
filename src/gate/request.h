/* `Request:` of a contact: a material, or the list of those there are for that contact.
 *
 * Who may have it is decided at the time of the request, and looked at again before it is sealed
 * and sent. What one may not have is answered as what does not exist, in the same words. Every
 * hand-out and refusal stands in the audit. A request may come signed in the clear: it holds no
 * more than a name, and the answer goes out encrypted. */
#ifndef DEWLINE_GATE_REQUEST_H
#define DEWLINE_GATE_REQUEST_H

#include "gate/open.h"
#include "store/people.h"

/* Takes over the facts. */
void request_mail(struct mail_facts *facts, const struct contact *contact);

#endif
