/* OpenPGP certificates: what is in one, and whether the gateway takes it.
 *
 * Admission checks what matters for sealing: a live encryption subkey of a sound algorithm and
 * size, not expired, not revoked, and AES among the preferences (or none stated). */
#ifndef DEWLINE_PGP_CERTIFICATE_H
#define DEWLINE_PGP_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	FINGERPRINT_SIZE = 65, /* hexadecimal, upper case, with NUL: 40 digits for version 4 keys */
	KEY_ID_SIZE = 17, /* 16 digits */
	CERTIFICATE_KEYS_MAX = 32,
	CERTIFICATE_USER_ID_SIZE = 256,
	CERTIFICATE_ALGORITHM_SIZE = 64,
	CERTIFICATE_MINIMAL_MAX = 64 * 1024, /* bytes: larger ones are refused */
	CERTIFICATE_REASON_SIZE = 256,
};

struct certificate_facts {
	char fingerprint[FINGERPRINT_SIZE]; /* primary key */
	char user_id[CERTIFICATE_USER_ID_SIZE]; /* the primary one, UTF-8 as found, for showing */
	char algorithm[CERTIFICATE_ALGORITHM_SIZE]; /* "rsa4096, encrypts with rsa4096" */
	int64_t created; /* seconds since 1970 */
	int64_t expires; /* of the primary key, 0: never */
	char encryption_key_id[KEY_ID_SIZE]; /* the subkey that mail is sealed for */
	char encryption_fingerprint[FINGERPRINT_SIZE];
	int64_t encryption_expires; /* 0: never */
	uint32_t key_count; /* primary and subkeys that may sign */
	char key_ids[CERTIFICATE_KEYS_MAX][KEY_ID_SIZE];
};

/* The verdict on one certificate of a file, together with what is known of it. `reason` is "" when
 * what came is taken; else one line that a person can act on ("the encryption subkey 0123...
 * expired on 2024-05-01: ask for a renewed certificate").
 *
 * facts and minimal are what is to be kept: everything together when it is taken. Of one that is
 * refused and known they are what is known and the revocations that came, which hold whatever else
 * is wrong with it; of one that is refused and not known the facts are as far as they were read and
 * minimal is empty. */
struct certificate_verdict {
	struct certificate_facts facts;
	char reason[CERTIFICATE_REASON_SIZE];
	bool revoked; /* by its owner or somebody named by the owner: also why it is refused */
	bool closed; /* its last encryption subkey was revoked by its owner: likewise */
	bool known;
	bool changed; /* minimal is not what is known */
	bool usable; /* facts and minimal are of a certificate that can be sealed for */
	char unproved[FINGERPRINT_SIZE]; /* there is a revocation by this designated revoker, whose
					  * certificate is not there: it does not count; "": none */
	struct view minimal; /* without signatures of others, binary */
	struct view before; /* what was known when this was judged */
};

/* Returns 0 to go on, -1 to stop with err filled. */
typedef int certificate_fn(
    void *context, const struct certificate_verdict *verdict, struct err *err);

/* Where certificates are known. */
struct certificate_known {
	/* Appends the bytes of the one with this fingerprint, or of which this is the primary key's
	 * ID (16 digits). */
	int (*get)(void *context, const char *key, struct buf *out, bool *found, struct err *err);
	void *context;
};

/* Reads every certificate of a file's content (armored or binary, one or thousands), merges it with
 * what is known of it (`known`, NULL: nothing is), judges each as of `now`, and calls back in the
 * order of the file. Revocation certificates alone and certificates without user ID count for what
 * is known. Works in a temporary GnuPG home below `scratch_dir`, removed afterwards. Secret keys,
 * and bytes that are no certificate, are an error (ERR_MESSAGE). `progress`, when not NULL, is told
 * how many of how many are done. */
int certificate_read(struct view content, int64_t now, const char *scratch_dir,
    const struct certificate_known *known, certificate_fn *fn, void *context,
    void (*progress)(size_t done, size_t total), struct err *err);

/* Asks `known` for every certificate that certificate_read would ask it for, and does nothing else. */
int certificate_look(
    struct view content, const struct certificate_known *known, struct err *err);

/* How many certificates such a content holds, the same twice being two: without a look at any, and so
 * for next to nothing. Errors are those of certificate_read. */
int certificate_count(struct view content, size_t *count, struct err *err);

#endif
