/* Bounces: what came back to the return path of a delivery. */
#ifndef DEWLINE_STORE_BOUNCES_H
#define DEWLINE_STORE_BOUNCES_H

#include "store/messages.h"

enum { STORE_LINES_SIZE = 640 };

struct bounce {
	int64_t id;
	int64_t delivery;
	int64_t arrival;
	int64_t received_at;
	char verdict[STORE_ID_SIZE]; /* of rules/bounced.h */
	char action[STORE_ID_SIZE]; /* as the report says; unproven */
	char status[STORE_ID_SIZE];
	char recipient[STORE_ADDRESS_SIZE];
	char diagnostic[STORE_REASON_SIZE];
	char lines[STORE_LINES_SIZE]; /* its first lines, one below the other */
	int64_t instead; /* the delivery to another contact in place of this one, 0: none */
	bool told; /* publisher and admins know of it, or need not */
	/* Of the delivery and its message; filled by the listings. */
	int64_t message;
	int64_t contact; /* 0: a publisher or an admin */
	char address[STORE_ADDRESS_SIZE];
	char instead_address[STORE_ADDRESS_SIZE]; /* "" when there is none */
};
typedef int bounce_fn(void *context, const struct bounce *, struct err *err);

int store_bounce_add(struct store *, const struct bounce *, struct err *);
/* How many bounces of a delivery are failures; with `replies` how many are what people or programs
 * wrote to its return path. */
int store_bounce_count(
    struct store *, int64_t delivery, bool replies, int64_t *count, struct err *);
/* Those that somebody must be told of, oldest first. */
int store_bounce_each_untold(struct store *, bounce_fn *, void *context, struct err *);
/* Those of one message up to this id are told. */
int store_bounce_set_told(struct store *, int64_t message, int64_t most_id, struct err *);
/* All of one advisory (0: of everything), oldest first. */
int store_bounce_each(struct store *, int64_t advisory, bounce_fn *, void *context, struct err *);

/* How many deliveries came back from `since` on and were not answered either; the address of the
 * last one, "" when there is none. */
int store_bounce_open(struct store *, int64_t since, int64_t *count,
    char address[static STORE_ADDRESS_SIZE], struct err *);

#endif
