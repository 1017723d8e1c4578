/* Epochs: a store that was put back to what it had been goes on in a new one, so that nothing which
 * was given out since is given out again.
 *
 * The first epoch has no tag. A later one has a tag, "BKT": a letter that counts the restores (B, C,
 * ...) and two at random, since a store that was put back twice from one backup cannot know of the
 * first time. Advisory numbers, return paths and Message-IDs of an epoch hold its tag; revisions of an
 * advisory from a former epoch number on from the next hundred. */
#ifndef DEWLINE_STORE_EPOCH_H
#define DEWLINE_STORE_EPOCH_H

#include "base/digest.h"
#include "store/store.h"

enum {
	EPOCH_TAG_SIZE = 8,
	EPOCH_FINDINGS_MAX = 16 * 1024,
	/* What waited longer than this when the store was put back is not sent without being asked. */
	EPOCH_FRESH_S = 24 * 3600,
};

/* When a delivery or a hold is due that waits for an admin's word: the end of the year 9999. */
#define EPOCH_HELD_BACK INT64_C(253402300799)

struct epoch {
	int64_t number; /* 1: the store was never put back; what follows is 0 then */
	char tag[EPOCH_TAG_SIZE]; /* "" in the first */
	int64_t begun_at;
	int64_t backup_at; /* of the last entry that the backup's log has, */
	int64_t sequence; /* and the number of that; next to it stands the restore */
	int64_t advisory; /* the highest of a former epoch, as for those below */
	int64_t delivery;
	int64_t message;
	int64_t lost_to; /* the last entry of the log whose place it took, 0: nobody knows */
	bool noticed; /* the gate found it out: nobody ran `dewctl restore` */
	int64_t told; /* of admins (1), of publishers as well (2) */
	int64_t reviewed_at; /* 0: an admin has not yet */
};

/* The present one. */
int store_epoch_get(struct store *, struct epoch *, struct err *);
typedef int epoch_fn(void *context, const struct epoch *, struct err *err);
/* All but the first, oldest first. */
int store_epoch_each(struct store *, epoch_fn *, void *context, struct err *);
/* What the former store told, and what is held back: lines. Of the present epoch; nothing in the
 * first. */
int store_epoch_findings(struct store *, struct buf *out, struct err *);
/* The tag of the epoch in which a delivery was recorded. */
int store_epoch_of_delivery(
    struct store *, int64_t delivery, char tag[static EPOCH_TAG_SIZE], struct err *);
/* The tag that the Message-ID of a message has to name when it is sealed now: "" for one that was
 * recorded in this epoch. */
int store_epoch_mark(
    struct store *, int64_t message, char tag[static EPOCH_TAG_SIZE], struct err *);

/* Where the log of the backup ends: sequence and backup_at of an epoch to be begun, before anything
 * is added to it. */
int store_epoch_read_end(struct store *, struct epoch *, struct err *);
/* Begins the next one, of which this was read, in one transaction: number at least `least`, `lost_to` and `noticed` as above;
 * the entry of the log is `actor`'s. What was under way may have been sent since: it is queued anew and
 * counted as ambiguous. What had waited for longer than EPOCH_FRESH_S is held back, as are drafts whose
 * hour has come; deadlines that are over are dealt with, and nobody is reminded of them. `findings`
 * (lines) are kept, and a line on each that is held back is added. */
int store_epoch_begin(struct store *, int64_t now, int64_t least, int64_t lost_to, bool noticed,
    const char *actor, struct view findings, struct epoch *, struct err *);
int store_epoch_set_told(struct store *, int64_t told, struct err *);
/* The present one was looked over. */
int store_epoch_set_reviewed(struct store *, int64_t now, struct err *);

/* Deliveries and drafts that are held back. */
int store_epoch_held_back(
    struct store *, int64_t *deliveries, int64_t *holds, struct err *);
/* They become due now; or deliveries fail for this reason, and drafts are asked to be withdrawn. */
int store_epoch_send_held(struct store *, int64_t now, struct err *);
int store_epoch_cancel_held(struct store *, int64_t now, const char *reason, struct err *);

#endif
