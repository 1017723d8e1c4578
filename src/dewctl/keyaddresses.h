/* dewctl key addresses. */
#ifndef DEWLINE_DEWCTL_KEYADDRESSES_H
#define DEWLINE_DEWCTL_KEYADDRESSES_H

#include "dewctl/ctl.h"

int keyaddresses_run(struct ctl *ctl, const struct ctl_call *call, struct err *err);

/* The first of the gateway's addresses (gateway.address, gateway.list) that its key has no user ID
 * for; NULL when it has one for each. The home must be open. */
int keyaddresses_look(struct ctl *ctl, const char **missing, struct err *err);

/* Within the caller's transaction of the store: adds the user IDs that are missing, as *mended
 * tells, and keeps the new certificate. Refuses while dewlined runs. The home must be open. */
int keyaddresses_mend(struct ctl *ctl, bool *mended, struct err *err);

/* The same for a key that nobody uses yet: no more than that. */
int keyaddresses_add(struct ctl *ctl, struct err *err);

#endif
