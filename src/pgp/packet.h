/* OpenPGP packet framing (RFC 9580 section 4.2, and the old format of RFC 4880 section 4.2.1).
 * Framing only: no cryptography. */
#ifndef DEWLINE_PGP_PACKET_H
#define DEWLINE_PGP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/certificate.h"

enum packet_tag {
	PACKET_PKESK = 1,
	PACKET_SIGNATURE = 2,
	PACKET_SKESK = 3,
	PACKET_ONE_PASS = 4,
	PACKET_SECRET_KEY = 5,
	PACKET_PUBLIC_KEY = 6,
	PACKET_SECRET_SUBKEY = 7,
	PACKET_COMPRESSED = 8,
	PACKET_ENCRYPTED = 9, /* without integrity protection */
	PACKET_MARKER = 10,
	PACKET_LITERAL = 11,
	PACKET_TRUST = 12,
	PACKET_USER_ID = 13,
	PACKET_PUBLIC_SUBKEY = 14,
	PACKET_USER_ATTRIBUTE = 17,
	PACKET_SEIPD = 18,
	PACKET_OCB = 20, /* GnuPG's own; many clients cannot read it, so it is refused */
};

struct packet {
	uint8_t tag;
	struct view whole; /* head and body, partial body lengths included */
	struct view body; /* first chunk only where lengths are partial */
};

/* Cuts the next packet off the front of *rest. 1: here it is. 0: *rest was empty. -1: malformed. */
int packet_next(struct view *rest, struct packet *packet);

/* A batch, the gateway's own, and what additional decryption subkeys add to it. */
enum { PACKET_SESSION_KEYS_MAX = 4096 };

/* One sealed message in parts: N session keys, one data packet. */
struct packet_split {
	size_t count;
	struct {
		char key_id[KEY_ID_SIZE];
		struct view pkesk; /* whole packet */
	} keys[PACKET_SESSION_KEYS_MAX];
	struct view data; /* the whole tag 18 packet */
};

/* Splits what gpg wrote. Fails on anything but PKESKs (version 3) followed by exactly one tag 18
 * packet that ends the message. Views point into `message`. */
int packet_split(struct view message, struct packet_split *out, struct err *err);

#endif
