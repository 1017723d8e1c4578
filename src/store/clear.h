/* Answers that travelled in the clear, and who has been told of it. */
#ifndef DEWLINE_STORE_CLEAR_H
#define DEWLINE_STORE_CLEAR_H

#include "store/advisories.h"

/* The first such answer of a contact to a revision, or the first mail with the revision's token
 * that is no answer which counts; later ones are not told of. */
struct clear_answer {
	int64_t id;
	int64_t acknowledgment; /* 0: it does not count, and whose it is has not been proven */
	int64_t revision;
	int64_t message; /* of the revision */
	int64_t contact; /* 0: nobody who got the revision has the address that it is from */
	int64_t arrival;
	int64_t signed_at; /* 0 without an acknowledgment */
	int64_t received_at;
	char status[STORE_ID_SIZE]; /* "" likewise */
	char what[STORE_ID_SIZE]; /* text, subject */
	char claimed[STORE_ADDRESS_SIZE]; /* the address that it says it is from, or "" */
	char address[STORE_ADDRESS_SIZE]; /* of the contact, else as claimed */
	char member[STORE_ID_SIZE];
	bool told; /* the contact; `untold` says why a notice for them did not go */
	char untold[STORE_REASON_SIZE];
};
typedef int clear_fn(void *context, const struct clear_answer *, struct err *err);

/* *fresh is false when one of this kind, of this contact (or of nobody known) and this revision, is
 * there already, or one that counts where this one does not. Takes acknowledgment, revision,
 * contact, arrival, received_at, what and claimed. */
int store_clear_add(struct store *, const struct clear_answer *, bool *fresh, struct err *);

/* The oldest whose contact has not been told. */
int store_clear_next(struct store *, struct clear_answer *, bool *found, struct err *);
/* `message` is the notice, 0 when there is nobody to send it to. */
int store_clear_set_told(struct store *, int64_t id, int64_t message, struct err *);

/* Those that publisher and admins have not been told of, though the contact was, oldest first. */
int store_clear_each_unreported(struct store *, clear_fn *, void *context, struct err *);
/* Those of one revision up to this id have been reported: such that count, or such that do not. */
int store_clear_set_reported(
    struct store *, int64_t revision, bool counted, int64_t most_id, struct err *);
/* All of one revision, oldest first. */
int store_clear_each(struct store *, int64_t revision, clear_fn *, void *context, struct err *);

#endif
