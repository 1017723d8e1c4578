/* Opening: decrypts and verifies, and hands out facts only.
 *
 * The plaintext comes with every signature that covers it, or not at all: on any doubt about its
 * integrity it is thrown away. Nothing here decides what a signature is worth. */
#ifndef DEWLINE_PGP_OPEN_H
#define DEWLINE_PGP_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/certificate.h"
#include "pgp/home.h"

enum { OPEN_SIGNATURES_MAX = 8 };

enum signature_status {
	SIGNATURE_GOOD, /* valid, and the key was live when it was made and is not revoked */
	SIGNATURE_KEY_EXPIRED, /* made after the key had expired */
	SIGNATURE_KEY_REVOKED,
	SIGNATURE_EXPIRED, /* the signature itself has expired */
	SIGNATURE_UNKNOWN_KEY, /* nobody whose certificate is in this home */
	SIGNATURE_WEAK, /* a digest or key that we do not accept, such as SHA-1 */
	SIGNATURE_BAD,
};

struct signature_facts {
	enum signature_status status;
	bool proven; /* gpg found that this key made it over this text, whatever it is worth */
	char fingerprint[FINGERPRINT_SIZE]; /* primary key; "" for an unknown key */
	char key_id[KEY_ID_SIZE]; /* of the key that signed, always */
	int64_t created; /* when it says it was made */
};

struct opened {
	bool
	    readable; /* false: not for us, damaged, without integrity protection, over the limit */
	bool encrypted;
	char reason[CERTIFICATE_REASON_SIZE]; /* why it is not readable, "" otherwise */
	uint32_t signature_count; /* as found; those past OPEN_SIGNATURES_MAX are not listed */
	struct signature_facts signatures[OPEN_SIGNATURES_MAX];
	struct buf plaintext; /* what the signatures cover; for unsigned ones what was encrypted */
	uint32_t gpg_runs;
};

enum open_form {
	OPEN_ENCRYPTED, /* one OpenPGP message, encrypted, perhaps signed inside */
	OPEN_DETACHED, /* signed bytes and a detached signature (RFC 3156 section 5) */
	OPEN_CLEARTEXT, /* "-----BEGIN PGP SIGNED MESSAGE-----" alone: plaintext is the signed text
			 */
	OPEN_SIGNED, /* one OpenPGP message, signed and not encrypted */
};

/* Opens `message` in the main home (shard < 0) or in a shard's, which must be ready. `signature` is
 * used for OPEN_DETACHED only. plaintext_max bounds what is decrypted, in bytes. Result->plaintext
 * must be released by the caller. Unwelcome input is a result; an error means that GnuPG itself did
 * not work. */
int pgp_open(const struct home *home, int64_t shard, int64_t generation, enum open_form form,
    struct view message, struct view signature, size_t plaintext_max, struct opened *result,
    struct err *err);

/* Takes the encryption layer off and leaves the signed OpenPGP message as the sender made it, so
 * that plain `gpg --verify` can judge it: evidence for export. */
int pgp_unwrap(const struct home *home, struct view message, struct buf *out, struct err *err);

/* Encrypts to the gateway's own key, for keeping in the store; and opens such again. */
int pgp_stash(const struct home *home, struct view plaintext, struct buf *out, struct err *err);
int pgp_unstash(const struct home *home, struct view stash, struct buf *out, struct err *err);

#endif
