/* Four eyes: with admin.four_eyes, what changes whom the gateway trusts is only asked for, and
 * another admin, who is another user of the operating system, carries it out. */
#ifndef DEWLINE_DEWCTL_APPROVAL_H
#define DEWLINE_DEWCTL_APPROVAL_H

#include "dewctl/ctl.h"
#include "store/approvals.h"

/* Carries out what kind, address, name and fingerprint say, in a transaction of its own, or files a
 * request for it where four eyes are asked for. A request that could not be carried out is refused
 * at once. *done says which; the caller then tells people. */
int approval_act(struct ctl *ctl, const struct approval *what, bool *done, struct err *err);

#endif
