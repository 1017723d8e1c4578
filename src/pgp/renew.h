/* What somebody sent as a renewed certificate, judged in the vault. Internal. */
#ifndef DEWLINE_PGP_RENEW_H
#define DEWLINE_PGP_RENEW_H

#include "worker/frame.h"

#include "pgp/home.h"
#include "pgp/vault.h"

/* Reads `content` together with `known` (minimal, binary, or empty), so that the newer of two
 * self-signatures holds and no revocation is lost, and puts the details of a VAULT_RENEW answer. A
 * content that cannot be taken for certificates is an answer too. */
int renew_answer(const struct home *home, struct view content, struct view known,
    struct buf *answer, struct err *err);

/* One certificate of that answer; marks the taker when it is malformed. */
void renew_take(struct taker *taker, struct renewal *renewal);

#endif
