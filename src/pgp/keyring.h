/* A row of certificates as packets: cutting it, and the little that is read without gpg. Internal.
 */
#ifndef DEWLINE_PGP_KEYRING_H
#define DEWLINE_PGP_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#include "pgp/certificate.h"

struct keyring_entry {
	struct view whole; /* all packets of the certificate */
	struct view primary; /* body of the primary key packet: tells certificates apart */
	uint8_t version; /* of the primary key */
	int64_t created;
	struct view user_id; /* the first one, as found */
	bool revocation; /* no certificate: `whole` is one signature that takes something back */
	/* From self-signatures of a certificate that gpg has cleaned: */
	char
	    issuer[KEY_ID_SIZE]; /* key ID in the first signature on the primary key or a user ID */
	bool states_ciphers; /* some signature states preferred ciphers, and ... */
	bool takes_aes; /* ... one of them takes AES */
	bool asks_for_aead; /* some signature states the feature of OCB or version 2 packets */
};

/* Cuts the next certificate off the front of *rest, binary, or a revocation that stands before any
 * certificate: such as gpg makes with each key. 1: here it is. 0: *rest was empty.
 * -1: secret keys or no certificate: err says so. */
int keyring_next(struct view *rest, struct keyring_entry *entry, struct err *err);

/* Goes on to where the next certificate may begin, behind one that cannot be cut off, by a byte at
 * least. */
void keyring_skip(struct view *rest);

/* Appends a file's content as binary: armored blocks, with any text around them, or binary as it
 * is. Secret keys and other OpenPGP blocks are an error. */
int keyring_decode(struct view content, struct buf *out, struct err *err);

#endif
