/* Four eyes for admins: what one asked for and another one has to approve. */
#ifndef DEWLINE_STORE_APPROVALS_H
#define DEWLINE_STORE_APPROVALS_H

#include "pgp/certificate.h"
#include "store/store.h"

struct approval {
	int64_t id; /* given by the store */
	char kind[STORE_ID_SIZE]; /* key.confirm, contact.rekey, publisher.rekey, publisher.add */
	char address[STORE_ADDRESS_SIZE]; /* of the person concerned, "" for none */
	char name[STORE_NAME_SIZE]; /* of a new publisher, else "" */
	char fingerprint[FINGERPRINT_SIZE];
	char state[STORE_ID_SIZE]; /* open, done, rejected */
	char asked_by[STORE_NAME_SIZE];
	int64_t asked_uid; /* user of the operating system */
	int64_t asked_at;
	char decided_by[STORE_NAME_SIZE]; /* "" while it is open */
	int64_t decided_uid;
	int64_t decided_at;
};
typedef int approval_fn(void *context, const struct approval *, struct err *);

/* *added is false where the same is open already; approval->id is that of the open one in both
 * cases. */
int store_approval_add(struct store *, struct approval *, bool *added, struct err *);
int store_approval_get(struct store *, int64_t id, struct approval *, bool *found, struct err *);
/* The open ones, or all, in their order. */
int store_approval_each(struct store *, bool all, approval_fn *, void *context, struct err *);
/* Closes an open one as `state`, done or rejected. *closed is false where it is not open. The store
 * refuses (an error) that one user asks and approves. */
int store_approval_close(struct store *, int64_t id, const char *state, const char *by, int64_t uid,
    int64_t now, bool *closed, struct err *);

#endif
