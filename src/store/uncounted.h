/* Answers that do not count, and who has been told of it (rules/uncounted.h). */
#ifndef DEWLINE_STORE_UNCOUNTED_H
#define DEWLINE_STORE_UNCOUNTED_H

#include "store/advisories.h"

/* The first of a contact to a revision for this reason; later ones are not told of. */
struct uncounted_answer {
	int64_t id;
	int64_t revision;
	int64_t message; /* of the revision */
	int64_t contact;
	int64_t arrival;
	int64_t signed_at; /* 0: it is not signed */
	int64_t received_at;
	char reason[STORE_ID_SIZE]; /* a name of rules/uncounted.h */
	bool told; /* or not to be told by a mail of its own */
};

/* *fresh is false when one of this contact, revision and reason is there already. */
int store_uncounted_add(struct store *, const struct uncounted_answer *, bool *fresh, struct err *);
/* The oldest whose contact is to be told and has not been. */
int store_uncounted_next(
    struct store *, struct uncounted_answer *, bool *found, struct err *);
/* `message` is the notice, 0 when there is nobody to send it to. */
int store_uncounted_set_told(struct store *, int64_t id, int64_t message, struct err *);
/* The same for all of an arrival to that revision: the notice of a leak has told of it as well. */
int store_uncounted_set_told_by(
    struct store *, int64_t revision, int64_t arrival, int64_t message, struct err *);
/* How many are of contacts who could not be told, and have not answered that revision otherwise. */
int store_uncounted_count_untold(struct store *, int64_t *count, struct err *);
/* Why the answer in this arrival does not count, "" when that is not on record. */
int store_uncounted_reason(struct store *, int64_t revision, int64_t arrival,
    char reason[static STORE_ID_SIZE], struct err *);

#endif
