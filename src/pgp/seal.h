/* Sealing: one gpg run encrypts and signs for a batch, and packet framing makes of it one message
 * for each recipient (DESIGN: "Sealing").
 *
 * Fails closed: unless session keys and recipients match one to one, by the key ID of the
 * encryption subkey that admission recorded, nothing comes out. */
#ifndef DEWLINE_PGP_SEAL_H
#define DEWLINE_PGP_SEAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/certificate.h"
#include "pgp/home.h"

enum { SEAL_BATCH_MAX = 1000 };

struct seal_recipient {
	char fingerprint[FINGERPRINT_SIZE]; /* primary: how gpg is told */
	char key_id[KEY_ID_SIZE]; /* of the encryption subkey: how the result is checked */
	/* Filled by seal_batch: */
	struct buf pkesk; /* empty when left out */
	char reason[CERTIFICATE_REASON_SIZE]; /* why it was left out, "" otherwise */
};

/* Signs `plaintext` (one MIME entity) with the gateway's key and encrypts it to all recipients of
 * one shard. Recipients that gpg calls unusable are left out with a reason and the rest is sealed;
 * duplicate recipients are an error. *data is the shared packet, empty when nobody was left;
 * *gpg_runs counts them. On error nothing is sealed for anybody. */
int seal_batch(const struct home *home, int64_t shard, int64_t generation, struct view plaintext,
    struct seal_recipient *recipients, size_t count, struct buf *data, uint32_t *gpg_runs,
    struct err *err);

#endif
