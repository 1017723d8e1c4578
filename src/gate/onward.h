/* What of a mail's attachments goes on to others. */
#ifndef DEWLINE_GATE_ONWARD_H
#define DEWLINE_GATE_ONWARD_H

#include "gate/open.h"

/* Fills facts->onward: all attachments but the signer's own certificate, which many mail programs
 * attach by themselves; the gateway signs and seals anew, and nobody needs it. A certificate of
 * somebody else, or one with more beside it, was attached on purpose and stays. */
int onward_choose(struct mail_facts *facts, struct err *err);

#endif
