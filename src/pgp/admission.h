/* Whether a certificate is taken: pure rules over what was read from it. Internal. */
#ifndef DEWLINE_PGP_ADMISSION_H
#define DEWLINE_PGP_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pgp/certificate.h"

enum {
	ADMISSION_KEYS_MAX = 128, /* primary and subkeys; real ones have up to some 40 */
	ADMISSION_BITS_MIN = 2048, /* RSA, DSA, ElGamal */
	ADMISSION_CURVE_BITS_MIN = 250,
	ADMISSION_NAME_SIZE = 32,
};

enum admission_algorithm { ADMISSION_UNKNOWN, ADMISSION_MODULAR, ADMISSION_CURVE };

struct admission_key {
	char fingerprint[FINGERPRINT_SIZE];
	char key_id[KEY_ID_SIZE];
	enum admission_algorithm algorithm; /* modular: RSA, DSA, ElGamal */
	unsigned bits;
	char name[ADMISSION_NAME_SIZE]; /* "rsa4096" */
	bool may_encrypt;
	bool may_sign;
	bool has_use; /* one that GPGME knows: to encrypt, sign, certify or authenticate */
	bool revoked;
	bool invalid; /* not bound to the primary key by a good signature */
	int64_t created;
	int64_t expires; /* 0: never */
};

struct admission {
	size_t key_count; /* as found; those past ADMISSION_KEYS_MAX are not listed */
	struct admission_key keys[ADMISSION_KEYS_MAX]; /* the primary key first */
	bool has_user_id; /* one at least that is neither revoked nor without self-signature */
	char user_id[CERTIFICATE_USER_ID_SIZE];
	bool states_ciphers; /* preferences are stated, and ... */
	struct view packets; /* as it came, for words alone: what gpg leaves out is named by them */
	bool takes_aes; /* ... AES with 128, 192 or 256 bits is among them */
};

/* The key that gpg encrypts for when it is told the primary fingerprint: the newest subkey that is
 * live as of `now`, else the primary key, else NULL. */
const struct admission_key *admission_encryption_key(const struct admission *in, int64_t now);

/* True when there is no such key, and the newest that encrypts was revoked by its owner. */
bool admission_is_closed(const struct admission *in, int64_t now);

/* Fills facts as far as they are known, and `reason`: "" when taken. */
void admission_judge(const struct admission *in, int64_t now, struct certificate_facts *facts,
    char reason[static CERTIFICATE_REASON_SIZE]);

#endif
