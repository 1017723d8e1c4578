/* Certificates and their place in keyring shards. */
#ifndef DEWLINE_STORE_CERTIFICATES_H
#define DEWLINE_STORE_CERTIFICATES_H

#include "pgp/certificate.h"
#include "store/store.h"

struct certificate {
	struct certificate_facts facts;
	char state[STORE_ID_SIZE];
	int64_t shard;
	int64_t generation; /* of that shard, now */
	int64_t added_at;
};
typedef int certificate_row_fn(void *context, const struct certificate *, struct err *err);

/* Adds it as `pending`, in the fullest shard with fewer than shard_size certificates, and raises
 * that shard's generation. A known fingerprint is updated instead (a new expiry, new subkeys) and
 * keeps its state and shard; the generation rises only when its bytes changed, and deliveries that
 * wait to be sealed for it take the new encryption subkey. *clash, when not "", is the fingerprint
 * of another certificate that has one of its key IDs: nothing is added then. */
int store_certificate_put(struct store *, const struct certificate_facts *, struct view minimal,
    int64_t shard_size, bool *is_new, char clash[static FINGERPRINT_SIZE], struct err *);

/* What a verdict on a certificate that came means for the store. */
enum certificate_outcome {
	CERTIFICATE_REFUSED, /* nothing is changed: the verdict says why */
	CERTIFICATE_STALE, /* likewise: the store holds another state than it was merged with; to be
			    * judged again */
	CERTIFICATE_CLASH, /* likewise: it has a key ID of another one */
	CERTIFICATE_ADDED,
	CERTIFICATE_UPDATED,
	CERTIFICATE_UNCHANGED,
	CERTIFICATE_KEPT, /* refused, but for its revocations */
	CERTIFICATE_CLOSED, /* likewise, and nothing can be sealed for it from now on */
	CERTIFICATE_RETIRED, /* revoked as a whole: retired from now on */
};

/* Takes what is to be taken by a verdict, in one transaction: the certificate, or of a known one
 * that is refused the revocations that came, which no other copy takes back. *clash as above. */
int store_certificate_take(struct store *, const struct certificate_verdict *, int64_t shard_size,
    int64_t now, enum certificate_outcome *, char clash[static FINGERPRINT_SIZE], struct err *);
int store_certificate_get(
    struct store *, const char *fingerprint, struct certificate *, bool *found, struct err *);
/* By the ID (16 digits) of any of its keys that may sign. */
int store_certificate_by_key_id(
    struct store *, const char *key_id, struct certificate *, bool *found, struct err *);
int store_certificate_each(struct store *, certificate_row_fn *, void *context, struct err *);
/* By an event of state.h; *moved is false where the table forbids it. A keyring holds certificates
 * of every state, so that no generation rises. */
int store_certificate_move(
    struct store *, const char *fingerprint, const char *event, bool *moved, struct err *);
/* The minimal binary certificate. */
int store_certificate_bytes(
    struct store *, const char *fingerprint, struct buf *out, bool *found, struct err *);
/* certificate_known.get: the same by the fingerprint or the ID of its primary key; context is the
 * store. */
int store_certificate_known(
    void *context, const char *key, struct buf *out, bool *found, struct err *);

/* 0 where there is no such shard. */
int store_shard_generation(struct store *, int64_t shard, int64_t *generation, struct err *);
/* All certificates of a shard (of every state) in the order of their fingerprints, and its generation as
 * of the same moment. */
typedef int shard_fn(void *context, struct view minimal, struct err *err);
int store_shard_each(
    struct store *, int64_t shard, int64_t *generation, shard_fn *, void *context, struct err *);

#endif
