/* Mail as it came in. */
#ifndef DEWLINE_STORE_ARRIVALS_H
#define DEWLINE_STORE_ARRIVALS_H

#include "base/digest.h"
#include "pgp/certificate.h"
#include "store/store.h"

struct arrival {
	int64_t id;
	int64_t received_at;
	int64_t size; /* bytes */
	char state[STORE_ID_SIZE];
	char meaning[STORE_ID_SIZE]; /* advisory, acknowledgment, duplicate, unknown, ... or "" */
	char reason[STORE_REASON_SIZE]; /* why refused or unreadable, in one line */
	char signer[FINGERPRINT_SIZE]; /* the certificate whose good signature decided, or "" */
	char shape[STORE_ID_SIZE]; /* its form, by name; "" until that is known */
	char refusal[STORE_ID_SIZE]; /* why that form was not taken, by name, or "" */
};
typedef int arrival_fn(void *context, const struct arrival *, struct err *err);

/* Keeps the raw bytes. The same bytes once more give the first one's id and *fresh false. */
int store_arrival_receive(
    struct store *, struct view raw, int64_t now, int64_t *id, bool *fresh, struct err *);
int store_arrival_get(struct store *, int64_t id, struct arrival *, bool *found, struct err *);
/* SHA-256, hexadecimal, of the raw bytes as they came. */
int store_arrival_digest(
    struct store *, int64_t id, char digest[static DIGEST_HEX_SIZE], struct err *);
int store_arrival_raw(struct store *, int64_t id, struct buf *out, struct err *);
/* Those not final, oldest first. */
int store_arrival_each_open(struct store *, arrival_fn *, void *context, struct err *);
/* The newest `most`, newest first. */
int store_arrival_each(struct store *, int64_t most, arrival_fn *, void *context, struct err *);
/* Moves by an event of state.h (an error where the table forbids it) and records what was found.
 * NULL leaves a field as it is. */
int store_arrival_move(struct store *, int64_t id, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *);
int store_arrival_set_shape(
    struct store *, int64_t id, const char *shape, const char *refusal, struct err *);
/* Remembers that signed content was acted on; *fresh is false when it had been before (a replay in
 * other wrapping). `digest` is SHA-256, hexadecimal, over what was signed, by whom and when. */
int store_signed_seen(
    struct store *, const char *digest, int64_t arrival, bool *fresh, struct err *);

#endif
