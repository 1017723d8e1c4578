/* What shows that something of a former epoch (epoch.h) is not on record: a restore has lost it. */
#ifndef DEWLINE_STORE_LOST_H
#define DEWLINE_STORE_LOST_H

#include "store/store.h"

enum lost_kind {
	LOST_ANSWER, /* signed by a contact, with a token that is unknown here */
	LOST_NUMBER, /* that a publisher names */
	LOST_RETURN_PATH, /* of a delivery that is unknown here */
	LOST_KINDS
};

/* Who is to be told still. */
enum lost_told { LOST_WRITER_UNTOLD, LOST_ADMINS_UNTOLD, LOST_TOLD };

struct lost_trace {
	int64_t id;
	enum lost_kind kind;
	char subject[STORE_REASON_SIZE]; /* "DEW-2026-0007", "delivery 12 to a@b.example: ..." */
	int64_t arrival;
	int64_t contact; /* who wrote, 0: no contact */
	int64_t publisher; /* likewise */
	int64_t received_at;
	enum lost_told told;
	char address[STORE_ADDRESS_SIZE]; /* of who wrote, "" for nobody known; filled by the listing */
};
typedef int lost_fn(void *context, const struct lost_trace *, struct err *err);

/* Once for each kind, subject and arrival. */
int store_lost_add(struct store *, const struct lost_trace *, struct err *);
/* Those of whom `told` is so, oldest first. */
int store_lost_each(
    struct store *, enum lost_told told, lost_fn *, void *context, struct err *);
/* One is told of from now on; all up to this id that were to be told to the admins. */
int store_lost_set_told(struct store *, int64_t id, enum lost_told told, struct err *);
int store_lost_set_admins_told(struct store *, int64_t most_id, struct err *);
/* How many came since this time. */
int store_lost_count(struct store *, int64_t since, int64_t *count, struct err *);

#endif
