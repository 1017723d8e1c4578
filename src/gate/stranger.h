/* A mail signed by nobody we know: a request to join is put before the admin, all else is recorded.
 * Neither causes a mail. */
#ifndef DEWLINE_GATE_STRANGER_H
#define DEWLINE_GATE_STRANGER_H

#include "gate/open.h"

/* Takes over the facts, with their content read. `reason` is what is recorded of what is no request
 * to join; static. */
void stranger_mail(struct mail_facts *facts, const char *reason);

#endif
