/* A detached signature by the gateway's own key. Internal: the vault signs nothing in the clear but
 * the notice of an expired key. */
#ifndef DEWLINE_PGP_SIGN_H
#define DEWLINE_PGP_SIGN_H

#include <stddef.h>

#include "pgp/home.h"

/* Appends the armored signature over `bytes`; digest becomes GnuPG's name of it ("SHA256"). */
int sign_detached(const struct home *home, struct view bytes, struct buf *signature, char *digest,
    size_t digest_size, struct err *err);

#endif
