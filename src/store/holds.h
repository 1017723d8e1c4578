/* What is held: an advisory, or an update of one, that waits for its hour or for approval. */
#ifndef DEWLINE_STORE_HOLDS_H
#define DEWLINE_STORE_HOLDS_H

#include "base/digest.h"
#include "store/advisories.h"

struct hold {
	int64_t id;
	int64_t advisory;
	char state[STORE_ID_SIZE]; /* waiting (for approval), held, released, withdrawn, ... */
	int64_t arrival; /* the draft */
	int64_t publisher; /* the author */
	char fingerprint[FINGERPRINT_SIZE]; /* of the certificate that signed the draft */
	/* SHA-256, hexadecimal, of what the reader said that the draft says when it came in. */
	char reading[DIGEST_HEX_SIZE];
	int64_t created_at;
	int64_t release_at; /* 0: as soon as it is approved */
	char token[ADVISORY_TOKEN_SIZE]; /* "": needs no approval */
	bool asked; /* the other publishers have been */
	int64_t decided_by; /* who approved or rejected it, 0: nobody yet */
	int64_t ended_at; /* when it was released or ended otherwise, 0: not yet */
	struct view title; /* stash; empty when the caller did not ask for it */
};
typedef int hold_fn(void *context, const struct hold *, struct err *err);

/* state `waiting` when it has a token, else `held`; id is filled. An advisory has one open hold at
 * most: a second is an error. */
int store_hold_add(struct store *, struct hold *, struct err *);
int store_hold_get(struct store *, int64_t id, struct hold *, bool *found, struct err *);
int store_hold_by_token(
    struct store *, const char *token, struct hold *, bool *found, struct err *);
/* The one of an advisory that is waiting or held. */
int store_hold_open(struct store *, int64_t advisory, struct hold *, bool *found, struct err *);
/* All of an advisory, oldest first, with titles. */
int store_hold_each(struct store *, int64_t advisory, hold_fn *, void *context, struct err *);

/* One that waits for an approval nobody was asked for yet; one whose hour has come. Of several the one
 * that was recorded next after the hold `after`, and from the first again behind the last: so one that
 * cannot be dealt with holds up no other. 0: the oldest. */
int store_hold_unasked(
    struct store *, int64_t after, struct hold *, bool *found, struct err *);
int store_hold_due(
    struct store *, int64_t now, int64_t after, struct hold *, bool *found, struct err *);
/* When the next hour comes that has not yet, 0: never. */
int store_hold_next_time(struct store *, int64_t now, int64_t *at, struct err *);

/* Moves by an event of state.h. *moved is false, and nothing is changed, where the table does not
 * allow that any more: somebody else was quicker. `release` is not allowed either once an admin has
 * asked for the withdrawal. decided_by 0 leaves it. */
int store_hold_move(struct store *, int64_t id, const char *event, int64_t decided_by, int64_t now,
    bool *moved, struct err *);
/* *fresh is false when they had been asked before. */
int store_hold_set_asked(struct store *, int64_t id, bool *fresh, struct err *);

#endif
