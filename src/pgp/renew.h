/* What somebody sent as a renewed certificate, judged in the vault. Internal. */
#ifndef DEWLINE_PGP_RENEW_H
#define DEWLINE_PGP_RENEW_H

#include "worker/frame.h"

#include "pgp/home.h"
#include "pgp/vault.h"

/* Both sides of the request, and the details of the answer as the gate takes them; they mark the
 * taker where something is malformed. */
void renew_put(struct buf *body, const struct renew_request *request);
void renew_take_request(struct taker *taker, struct renew_request *request);
void renew_take(struct taker *taker, struct renew_result *result);

/* Looks which certificates of ours are of use, and when all of them were looked for, reads what was
 * sent together with those, so that the newer of two self-signatures holds and no revocation is
 * lost. Puts the details of a VAULT_RENEW answer. */
int renew_answer(const struct home *home, const struct renew_request *request, struct buf *answer,
    struct err *err);

#endif
