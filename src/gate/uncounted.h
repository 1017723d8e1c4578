/* Answers that do not count: noted for the contact to be told (tell.h), or to be said in the
 * reminders that go anyway (rules/uncounted.h says which). */
#ifndef DEWLINE_GATE_UNCOUNTED_H
#define DEWLINE_GATE_UNCOUNTED_H

#include "gate/open.h"

/* In the transaction that ends an arrival: notes its tokens, when facts->uncounted says why they do
 * not count. An automatic reply is no answer. */
int uncounted_look(const struct mail_facts *facts, struct err *err);

#endif
