/* The user IDs of the gateway's own key: one for each address that people write to.
 *
 * A program that answers to all (Reply to All) writes to the programme's list address as well, and
 * needs a certificate for it: without one, some offer to send in the clear. */
#ifndef DEWLINE_PGP_IDENTITY_H
#define DEWLINE_PGP_IDENTITY_H

#include <stdbool.h>

#include "base/err.h"
#include "pgp/home.h"

/* *has: a user ID of the gateway's key that is not revoked holds this address, ASCII case ignored.
 */
int identity_has(const struct home *home, const char *address, bool *has, struct err *err);

/* Adds the user ID `name <address>`, with home->passphrase where the key has one; the user ID that
 * was the primary one stays that. Nothing where there is one for the address. Shards hold the key
 * as it was: call home_forget_shards. */
int identity_add(struct home *home, const char *name, const char *address, struct err *err);

/* Appends the minimal binary `certificate` with one user ID only: that with this address, or the
 * first where none has it. What an Autocrypt header may hold (Autocrypt level 1, section 2.1.1).
 * Packets that are no sound framing are an error. */
int identity_keep_one(
    struct view certificate, const char *address, struct buf *out, struct err *err);

#endif
