/* The log of what happened: a hash chain.
 *
 * Entry n's hash is SHA-256 over a fixed text form of all its fields and the hash of entry n - 1,
 * so any edit, gap, reordering or insertion shows. A cut tail shows against a checkpoint: the
 * number and hash of the last entry, which leaves the machine in every receipt. */
#ifndef DEWLINE_STORE_AUDIT_H
#define DEWLINE_STORE_AUDIT_H

#include "base/digest.h"
#include "store/store.h"

struct audit_entry {
	int64_t sequence; /* from 1 without gaps */
	int64_t at;
	char actor[STORE_NAME_SIZE]; /* "gate", "admin NAME", "contact ADDRESS" */
	char event[STORE_ID_SIZE]; /* "delivery.sent" */
	char subject[STORE_NAME_SIZE]; /* "DEW-2026-0007 r1 someone@example.org" */
	char detail[1024]; /* never an advisory's text, title or token */
	char hash[DIGEST_HEX_SIZE];
};
typedef int audit_fn(void *context, const struct audit_entry *, struct err *err);

/* Appends; belongs in the transaction of what it tells. Text beyond the sizes is cut. */
int store_audit_add(struct store *, int64_t at, const char *actor, const char *event,
    const char *subject, struct err *err, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* From a sequence number on, up to `most`. */
int store_audit_each(
    struct store *, int64_t from, int64_t most, audit_fn *, void *context, struct err *);
/* The newest entry's number and hash; 0 and 64 zeros for an empty log. */
int store_audit_last(
    struct store *, int64_t *sequence, char hash[static DIGEST_HEX_SIZE], struct err *);
/* When the log began, and when an event of this name was last; 0 where there is none. */
int store_audit_times(
    struct store *, const char *event, int64_t *first, int64_t *last, struct err *);
/* Checks the whole chain. *bad is 0 when it is sound, else the first entry that is wrong, and
 * `what` says how. With a checkpoint (sequence > 0) also that this entry has this hash. */
int store_audit_verify(struct store *, int64_t checkpoint, const char *checkpoint_hash,
    int64_t *count, int64_t *bad, char what[static STORE_REASON_SIZE], struct err *err);
/* Whether a checkpoint that the chain does not hold can be of entries that a restore has lost: then the
 * number of the epoch that went on to it, and the first entry that is lost; else both are 0. A chain that
 * somebody cut, and then restored, looks the same: but the restore stands in it, and people were told. */
int store_audit_lost(
    struct store *, int64_t checkpoint, int64_t *epoch, int64_t *first, struct err *err);

#endif
