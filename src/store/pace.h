/* How far the clock is believed (rules/pace.h), and what the dates of signatures say of it, kept over
 * restarts and for `dewctl check`. */
#ifndef DEWLINE_STORE_PACE_H
#define DEWLINE_STORE_PACE_H

#include "base/clock.h"
#include "pgp/certificate.h"
#include "store/store.h"

/* A moment at which the clock was believed, or would have had that time. */
struct pace_mark {
	int64_t now; /* 0: there was none yet */
	int64_t running; /* both as in struct clock_reading */
	char boot[CLOCK_BOOT_SIZE];
};

struct pace_state {
	struct pace_mark mark;
	int64_t since; /* by the clock, when it was first seen to be off; 0: it is believed */
	int64_t ahead; /* seconds by which it was too far then, 0: it was not */
	int64_t behind; /* or by which it was put back */
	bool started; /* the machine was started anew before that */
	bool told; /* the admins have got a mail about it */
	bool slow_told; /* ... and one that the clock is slow, by what signatures say */
};

/* All zero where nothing is kept. */
int store_pace_get(struct store *, struct pace_state *, struct err *);
int store_pace_set(struct store *, const struct pace_state *, struct err *);

/* The newest mail that the holder of a certificate has proven to have written: by how many seconds it
 * is dated after it came, and when it came. */
struct witness {
	char fingerprint[FINGERPRINT_SIZE];
	char address[STORE_ADDRESS_SIZE]; /* whose, when read; "" where nobody has it any more */
	int64_t ahead;
	int64_t seen_at;
};
typedef int witness_fn(void *context, const struct witness *, struct err *err);

int store_witness_set(struct store *, const struct witness *, struct err *);
/* Those seen at `since` or later. */
int store_witness_each(struct store *, int64_t since, witness_fn *, void *context, struct err *);
/* After the clock was set they say nothing any more. */
int store_witness_forget(struct store *, struct err *);

#endif
