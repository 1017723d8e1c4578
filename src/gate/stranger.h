/* A mail signed by nobody we know: a request to join is put before the admin, all else is recorded.
 * Neither causes a mail. */
#ifndef DEWLINE_GATE_STRANGER_H
#define DEWLINE_GATE_STRANGER_H

#include "gate/open.h"

/* Takes over the facts, with their content read. */
void stranger_mail(struct mail_facts *facts);

#endif
