/* The agreement that members sign before they get advisories: its versions, who was asked, and what
 * they answered. */
#ifndef DEWLINE_STORE_AGREEMENTS_H
#define DEWLINE_STORE_AGREEMENTS_H

#include "pgp/certificate.h"
#include "store/store.h"

enum {
	AGREEMENT_TOKEN_SIZE = 17, /* 80 bits in base32, with NUL */
	AGREEMENT_STANDING_MAX = 32, /* of older versions no signature counts any more */
	AGREEMENT_TEXT_MAX = 256 * 1024, /* bytes */
};

struct agreement {
	int64_t version; /* 1, 2, ... given by the store */
	int64_t published_at;
	int64_t required_from;
	int64_t expires; /* 0: never */
	struct view text;
};
typedef int agreement_fn(void *context, const struct agreement *, struct err *err);

/* agreement->version is filled. */
int store_agreement_add(struct store *, struct agreement *, struct err *);
/* By number, or the newest for 0. The text is put into `text`; agreement->text is empty. */
int store_agreement_get(struct store *, int64_t version, struct agreement *, struct buf *text,
    bool *found, struct err *);
/* All, by number, with their texts. */
int store_agreement_each(struct store *, agreement_fn *, void *context, struct err *);

/* What one contact answered to each of the newest versions: the answer that was signed last. */
struct agreement_row {
	int64_t version;
	int64_t required_from;
	int64_t expires;
	int64_t signed_at; /* 0: no answer */
	char answer[STORE_ID_SIZE]; /* accept, decline, leave; "" */
};
struct agreement_standing {
	size_t count;
	struct agreement_row rows[AGREEMENT_STANDING_MAX]; /* newest first */
};
int store_agreement_standing(
    struct store *, int64_t contact, struct agreement_standing *, struct err *);

struct agreement_request {
	int64_t id;
	int64_t version;
	int64_t contact;
	char token[AGREEMENT_TOKEN_SIZE];
	int64_t asked_at; /* first */
	int64_t mailed_at; /* last */
	int64_t reminders;
	int64_t message; /* the newest mail that asked */
};
typedef int agreement_request_fn(void *context, const struct agreement_request *, struct err *err);

/* *added is false where this contact was asked for this version already. id is filled. */
int store_agreement_request_add(
    struct store *, struct agreement_request *, bool *added, struct err *);
/* One more mail for it, by what it was before: *updated is false where somebody was faster. */
int store_agreement_request_again(struct store *, const struct agreement_request *before,
    const struct agreement_request *after, bool *updated, struct err *);
int store_agreement_request_by_token(
    struct store *, const char *token, struct agreement_request *, bool *found, struct err *);
int store_agreement_request_get(struct store *, int64_t version, int64_t contact,
    struct agreement_request *, bool *found, struct err *);
/* Ids of contacts of members that take part or are invited (not suspended, not left) whom nobody
 * asked for this version yet. */
int store_agreement_each_unasked(struct store *, int64_t version,
    int (*fn)(void *context, int64_t contact, struct err *err), void *context, struct err *);
/* Requests for this version, of the same contacts, that have no answer; by id. */
int store_agreement_each_unanswered(
    struct store *, int64_t version, agreement_request_fn *, void *context, struct err *);

struct agreement_answer {
	int64_t id;
	int64_t version;
	int64_t contact;
	int64_t arrival; /* the raw reply: the evidence */
	char answer[STORE_ID_SIZE];
	int64_t signed_at;
	int64_t received_at;
	char fingerprint[FINGERPRINT_SIZE];
};
typedef int agreement_answer_fn(void *context, const struct agreement_answer *, struct err *err);

int store_agreement_answer_add(struct store *, struct agreement_answer *, struct err *);
/* Of all contacts, removed ones too, with this address; by signing time. */
int store_agreement_answer_each(
    struct store *, const char *address, agreement_answer_fn *, void *context, struct err *);

/* A stranger's request to join, for the admin. */
struct join_request {
	int64_t id;
	int64_t arrival;
	char organisation[STORE_NAME_SIZE];
	char address[STORE_ADDRESS_SIZE]; /* as the stranger wrote it */
	char name[STORE_NAME_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	int64_t received_at;
	char state[STORE_ID_SIZE]; /* open, dismissed */
	struct view certificate; /* minimal */
};
typedef int join_request_fn(void *context, const struct join_request *, struct err *err);

/* *added is false where this certificate has an open request already, or `most` are open. */
int store_join_request_add(
    struct store *, struct join_request *, int64_t most, bool *added, struct err *);
/* Open ones, or all, by id. */
int store_join_request_each(
    struct store *, bool all, join_request_fn *, void *context, struct err *);
/* *dismissed is false where no such request is open. */
int store_join_request_dismiss(struct store *, int64_t id, bool *dismissed, struct err *);

#endif
