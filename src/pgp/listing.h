/* Keys as gpg lists them. Internal. */
#ifndef DEWLINE_PGP_LISTING_H
#define DEWLINE_PGP_LISTING_H

#include "base/err.h"

#include "pgp/admission.h"
#include "pgp/engine.h"

/* Returns 0 to go on, -1 to stop with err filled. */
typedef int listing_fn(void *context, const struct admission *certificate, struct err *err);

/* Lists the certificates of a context's home in the keyring's order: all, or those that the
 * NULL-terminated `patterns` name by fingerprint; names that are not there are passed over.
 * Preferences are not known to a listing. One gpg run. */
int listing_read(
    gpgme_ctx_t ctx, const char **patterns, listing_fn *fn, void *context, struct err *err);

/* The same with two gpg runs: an error where they differ. A gpg that is killed while it lists looks like one
 * whose keyring ends there; whoever keeps what was not listed, or holds it against somebody, asks so. */
int listing_read_surely(
    gpgme_ctx_t ctx, const char **patterns, listing_fn *fn, void *context, struct err *err);

/* By two runs as well: the one certificate that has a key with this fingerprint or key ID. 1: found, 0: there is none.
 */
int listing_find(gpgme_ctx_t ctx, const char *key, struct admission *out, struct err *err);

#endif
