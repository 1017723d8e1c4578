/* A contact's signed reply becomes acknowledgments, or is recorded as what it is not. Causes no
 * mail but the notices of clear.h. */
#ifndef DEWLINE_GATE_ACKNOWLEDGE_H
#define DEWLINE_GATE_ACKNOWLEDGE_H

#include "gate/open.h"
#include "store/people.h"

/* Takes over the facts. The contact's signature counts already; what is judged here is which
 * revisions, delivered to this contact, its tokens name. */
void acknowledge_mail(struct mail_facts *facts, const struct contact *contact);

#endif
