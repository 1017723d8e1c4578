/* dewctl key preferences. */
#ifndef DEWLINE_DEWCTL_KEYPREFERENCES_H
#define DEWLINE_DEWCTL_KEYPREFERENCES_H

#include "dewctl/ctl.h"

int keypreferences_run(struct ctl *ctl, const struct ctl_call *call, struct err *err);

/* Within the caller's transaction of the store: mends the key where it asks for OCB packets, as
 * *mended tells, and keeps its new certificate. Refuses while dewlined runs. The home must be open.
 */
int keypreferences_mend(struct ctl *ctl, bool *mended, struct err *err);

/* Keeps the gateway's certificate in the store, for Autocrypt headers, which hold one user ID, that
 * of gateway.address: the gate may run no gpg. */
int keypreferences_keep_certificate(struct ctl *ctl, struct err *err);

#endif
