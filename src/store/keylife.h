/* The life of keys: what was said of their expiry, notices to those whose key expired, new keys
 * that wait for an admin. */
#ifndef DEWLINE_STORE_KEYLIFE_H
#define DEWLINE_STORE_KEYLIFE_H

#include "store/certificates.h"
#include "store/people.h"

/* Somebody with a certificate: a contact or a publisher. */
struct key_owner {
	int64_t contact; /* 0 for a publisher */
	int64_t publisher; /* 0 for a contact */
	char address[STORE_ADDRESS_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	int64_t expires; /* as reach_expires */
	int64_t told; /* the last stage of rules/keylife.h that was told */
};
typedef int key_owner_fn(void *context, const struct key_owner *, struct err *);

/* Everybody whose confirmed certificate ends at `until` or before, and who was not told yet that it
 * has; the first to end first. `untold` stands for those to whom nothing was said. */
int store_key_each_expiring(
    struct store *, int64_t until, int64_t untold, key_owner_fn *, void *context, struct err *);
/* Everybody whose certificate is retired, revoked or taken out of use, so that nothing reaches them,
 * and of whom that was not told yet: with `expires` 0. */
int store_key_each_lost(struct store *, key_owner_fn *, void *context, struct err *);
/* Records that a stage was told; *fresh is false when it was already. expires 0, stage 0: that it is
 * lost. */
int store_key_told(struct store *, const char *fingerprint, int64_t expires, int64_t stage,
    int64_t now, bool *fresh, struct err *);

/* A notice that leaves in the clear because its recipient's key has expired. The one way to record
 * a message that is not sealed: message, batch and delivery at once. */
struct key_notice {
	const struct key_owner *owner;
	const char *message_id;
	int64_t created_at;
	struct view head;
	struct view body;
};
int store_key_notice_add(struct store *, const struct key_notice *, int64_t *message, struct err *);

/* No mail is sealed any more for this certificate's encryption subkey, which its owner revoked
 * without making another: as if it had expired now. *closed, when not NULL, is 0
 * when it had ended before. */
int store_key_close(
    struct store *, const char *fingerprint, int64_t now, int64_t *closed, struct err *);

/* A new key that somebody asks to be known by. */
struct key_successor {
	char fingerprint[FINGERPRINT_SIZE];
	char former[FINGERPRINT_SIZE];
	int64_t contact;
	int64_t publisher;
	char address[STORE_ADDRESS_SIZE]; /* of the person; when read */
	int64_t arrival;
	int64_t asked_at;
};
typedef int key_successor_fn(void *context, const struct key_successor *, struct err *);

/* In place of another one that the same person asked for before. *added is false when somebody else
 * asks for this key. */
int store_key_successor_put(
    struct store *, const struct key_successor *, bool *added, struct err *);
/* Of those who are still there. */
int store_key_successor_each(struct store *, key_successor_fn *, void *context, struct err *);
/* Whether anybody asks to be known by this certificate. */
int store_key_successor_exists(struct store *, const char *fingerprint, bool *found, struct err *);

/* Gives a person another certificate. What waits to be sealed for the former one goes to the new
 * one. The certificates' states are the caller's business. */
int store_contact_rekey(struct store *, int64_t contact, const char *fingerprint, struct err *);
int store_publisher_rekey(struct store *, int64_t publisher, const char *fingerprint, struct err *);

#endif
