/* dewctl key preferences. */
#ifndef DEWLINE_DEWCTL_KEYPREFERENCES_H
#define DEWLINE_DEWCTL_KEYPREFERENCES_H

#include "dewctl/ctl.h"

int keypreferences_run(struct ctl *ctl, const struct ctl_call *call, struct err *err);

/* Within the caller's transaction of the store, which is committed and begun anew: mends the key where
 * it asks for OCB packets, as *mended tells, and keeps its new certificate. Refuses while dewlined
 * runs. The home must be open. */
int keypreferences_mend(struct ctl *ctl, bool *mended, struct err *err);

/* Keeps the gateway's certificate in the store, for Autocrypt headers, which hold one user ID, that
 * of gateway.address: the gate may run no gpg. */
int keypreferences_keep_certificate(struct ctl *ctl, struct err *err);

/* A change of the key is in no transaction: it is written down before, in the log as `event` too, and
 * commits what the caller has begun; one that was interrupted in between is brought to its end by the
 * next call, which finds nothing to change. detail follows the fingerprint in the log. */
int keypreferences_begin(struct ctl *ctl, const char *event, const char *detail, struct err *err);
int keypreferences_end(struct ctl *ctl, struct err *err);
int keypreferences_complete(struct ctl *ctl, struct err *err);

#endif
