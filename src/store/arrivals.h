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
	/* advisory, acknowledgment, duplicate, unknown, ... or ""; fatal: it ended its workers, and is
	 * tried again while it is not final; aside: its file was put aside */
	char meaning[STORE_ID_SIZE];
	char reason[STORE_REASON_SIZE]; /* why refused or unreadable, in one line */
	char signer[FINGERPRINT_SIZE]; /* the certificate whose good signature decided, or "" */
	char shape[STORE_ID_SIZE]; /* its form, by name; "" until that is known */
	char refusal[STORE_ID_SIZE]; /* why that form was not taken, by name, or "" */
	int64_t wait_until; /* not final, and judged only then; 0: as soon as can be */
	bool kept; /* false: put aside, or a stranger's whose bytes were removed since */
	bool claimed; /* it says that it is from somebody known, who has not proven it */
	int64_t tries; /* workers that it ended */
};
typedef int arrival_fn(void *context, const struct arrival *, struct err *err);

/* Keeps the raw bytes. The same bytes once more give the first one's id and *fresh false. */
int store_arrival_receive(
    struct store *, struct view raw, int64_t now, int64_t *id, bool *fresh, struct err *);
/* A file in the drop that can never be a mail and was put aside by this name, with its size in bytes:
 * an arrival by itself, `refused` from the start and not kept here. */
int store_arrival_aside(struct store *, const char *name, int64_t size, const char *reason,
    int64_t now, struct err *);
int store_arrival_get(struct store *, int64_t id, struct arrival *, bool *found, struct err *);
/* SHA-256, hexadecimal, of the raw bytes as they came. */
int store_arrival_digest(
    struct store *, int64_t id, char digest[static DIGEST_HEX_SIZE], struct err *);
/* An error where it is kept no more. */
int store_arrival_raw(struct store *, int64_t id, struct buf *out, struct err *);
/* Its first bytes, up to `most`. */
int store_arrival_head(struct store *, int64_t id, size_t most, struct buf *out, struct err *);
/* Those not final, oldest first. */
int store_arrival_each_open(struct store *, arrival_fn *, void *context, struct err *);
/* The newest `most`, newest first. */
int store_arrival_each(struct store *, int64_t most, arrival_fn *, void *context, struct err *);
/* Moves by an event of state.h (an error where the table forbids it) and records what was found.
 * NULL leaves a field as it is. */
int store_arrival_move(struct store *, int64_t id, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *);
/* It says that it is from somebody known, who has not proven it, or has since: for the admins to
 * see. */
int store_arrival_set_claimed(struct store *, int64_t id, bool claimed, struct err *);
/* How many such came at `since` or later; not those that ended their workers. */
int store_arrival_count_claimed(struct store *, int64_t since, int64_t *count, struct err *);
/* One that was read and is not final waits until then, for this reason. `signer` as in struct arrival. */
int store_arrival_wait(struct store *, int64_t id, int64_t until, const char *meaning,
    const char *reason, const char *signer, struct err *);
/* How many of these wait for later than `after`: of this signer, or with "" in all. */
int store_arrival_count_waiting(
    struct store *, const char *signer, int64_t after, int64_t *count, struct err *);
/* Those that wait and whose time has come at `now`, in that order; and they wait no more. */
int store_arrival_each_due(struct store *, int64_t now, arrival_fn *, void *context, struct err *);
int store_arrival_end_wait(struct store *, int64_t now, struct err *);
int store_arrival_set_shape(
    struct store *, int64_t id, const char *shape, const char *refusal, struct err *);

/* One that is not final has ended so many workers by now: it waits until then, 0: it is given up
 * next. Of the row `tries`, `claimed`, `wait_until` and `reason` are taken. */
int store_arrival_failed(struct store *, const struct arrival *, struct err *);
/* Those of which the admins are to be told, oldest first: that they wait or were given up. */
int store_arrival_each_untold(struct store *, arrival_fn *, void *context, struct err *);
/* They have been told, of all that is to say or of what may be given up `again`. */
int store_arrival_set_told(struct store *, int64_t id, bool again, struct err *);
/* Those that wait to be tried again, or came at `since` or later and were given up, oldest first. */
int store_arrival_each_fatal(
    struct store *, int64_t since, arrival_fn *, void *context, struct err *);
/* An admin says so: one that is unreadable, or waits, is due at `now`, with all its tries. *taken is
 * false for any other, and where its bytes are kept no more. */
int store_arrival_retry(
    struct store *, int64_t id, int64_t now, bool *taken, struct err *);
/* Those that are unreadable and kept, oldest first. */
int store_arrival_each_unreadable(struct store *, arrival_fn *, void *context, struct err *);

/* The mail of strangers: judged, signed by nobody we know, and no part of anything. */
struct strangers {
	int64_t count;
	int64_t bytes;
	int64_t first; /* ids; 0 when there are none */
	int64_t last;
};
/* All that is kept. */
int store_strangers_kept(struct store *, struct strangers *, struct err *);
/* Removes the bytes of those, oldest first, that were received before `before`, and of further ones
 * while more than `bytes` are kept; at most `most` mails at a time. What was found of each stays.
 * *out says what went. */
int store_strangers_remove(struct store *, int64_t before, int64_t bytes, int64_t most,
    struct strangers *out, struct err *);

/* Remembers that signed content was acted on; *fresh is false when it had been before (a replay in
 * other wrapping). `digest` is SHA-256, hexadecimal, over what was signed, by whom and when. */
int store_signed_seen(
    struct store *, const char *digest, int64_t arrival, bool *fresh, struct err *);
/* The arrival that it was acted on for, 0: it never was. */
int store_signed_first(struct store *, const char *digest, int64_t *arrival, struct err *);

#endif
