/* What is read of a signature packet without gpg (RFC 9580 section 5.2): what it is about and who
 * says that it is theirs. Nothing here is verified. Internal. */
#ifndef DEWLINE_PGP_SIGPACKET_H
#define DEWLINE_PGP_SIGPACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#include "pgp/certificate.h"

enum sigpacket_type { /* RFC 9580 section 5.2.1 */
	SIGPACKET_CERTIFY_FIRST = 0x10,
	SIGPACKET_CERTIFY_LAST = 0x13,
	SIGPACKET_BIND_SUBKEY = 0x18,
	SIGPACKET_DIRECT = 0x1f,
	SIGPACKET_REVOKE_KEY = 0x20,
	SIGPACKET_REVOKE_SUBKEY = 0x28,
	SIGPACKET_REVOKE_USER_ID = 0x30,
};

enum sigpacket_subpacket { /* RFC 9580 section 5.2.3.7 */
	SUBPACKET_CIPHERS = 11,
	SUBPACKET_REVOKER = 12,
	SUBPACKET_ISSUER = 16,
	SUBPACKET_KEY_FLAGS = 27,
	SUBPACKET_FEATURES = 30,
	SUBPACKET_ISSUER_FINGERPRINT = 33,
};

struct sigpacket {
	uint8_t type;
	char issuer[KEY_ID_SIZE]; /* "": it does not say */
	char issuer_fingerprint[FINGERPRINT_SIZE]; /* of a version 4 key; "": it does not say */
	struct view hashed; /* subpackets */
	struct view unhashed;
	/* All but the subpackets that anybody may change, in two parts: what makes it this one. */
	struct view front;
	struct view back;
};

/* False for what is cut off, or of another version than 3 or 4. */
bool sigpacket_read(struct view body, struct sigpacket *out);

/* Cuts a subpacket off the front of *rest: its type and content. False at the end. */
bool sigpacket_next(struct view *rest, unsigned *type, struct view *content);

/* Whether the numbers that the signature is made of add up to its end (RFC 9580 section 3.2). gpg gives
 * up a whole file where they do not. True also where they are not written as such numbers. */
bool sigpacket_adds_up(struct view body);

/* The signature takes something back: a key, a subkey, a user ID. */
bool sigpacket_revokes(const struct sigpacket *signature);

#endif
