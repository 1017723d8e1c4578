/* What changes whom the gateway trusts: each in the caller's transaction, with its audit entry, so
 * that a command and an approval do the same. */
#ifndef DEWLINE_DEWCTL_KEYUSE_H
#define DEWLINE_DEWCTL_KEYUSE_H

#include "dewctl/ctl.h"
#include "pgp/certificate.h"
#include "store/people.h"

/* Confirms or retires (`event`) a certificate. *user says whose it is, "" for nobody's. */
int keyuse_move(
    struct ctl *ctl, const char *fingerprint, const char *event, struct buf *user, struct err *err);

/* Gives a contact or publisher another certificate: the new one is confirmed, the former retired.
 */
int keyuse_rekey(
    struct ctl *ctl, bool publisher, const char *address, const char *fingerprint, struct err *err);

/* Adds a publisher with the certificate that publisher->fingerprint names. */
int keyuse_add_publisher(struct ctl *ctl, struct publisher *publisher, struct err *err);

#endif
