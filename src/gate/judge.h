/* Step 4, judge: what a mail means is decided by who signed it and what the signed bytes say. */
#ifndef DEWLINE_GATE_JUDGE_H
#define DEWLINE_GATE_JUDGE_H

#include "gate/open.h"

/* Takes over the facts and sees them to their end: a publisher's mail goes to issue.h, a contact's
 * to acknowledge.h; all else is recorded and causes no mail. */
void judge_mail(struct mail_facts *facts);

#endif
