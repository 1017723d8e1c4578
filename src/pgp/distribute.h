/* One sealed message becomes one for each recipient: whose session key is which. Internal.
 *
 * Fails closed: nothing comes out unless each recipient has the session key of the subkey that
 * admission recorded, and each session key is somebody's. */
#ifndef DEWLINE_PGP_DISTRIBUTE_H
#define DEWLINE_PGP_DISTRIBUTE_H

#include "base/buf.h"
#include "base/err.h"
#include "pgp/seal.h"

/* Splits `sealed`. Each recipient without a reason gets its session key, and behind it those of the
 * other subkeys of its certificate that gpg encrypted for (`additional`, as additional_read gives
 * it); the gateway's own is dropped unless a recipient has the same. *data is the shared packet. */
int distribute(const char *gateway, struct view additional, struct view sealed,
    struct seal_recipient *recipients, size_t count, struct buf *data, struct err *err);

#endif
