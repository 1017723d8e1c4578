/* What the dates of good signatures say of the gateway's clock.
 *
 * A mail is signed before it comes. One that seems to come from the future was signed by a clock that
 * is ahead of ours; where the clocks of several who have nothing to do with each other are, it is ours
 * that is slow. Where all mail seems to be old, ours may be fast. */
#ifndef DEWLINE_RULES_WITNESS_H
#define DEWLINE_RULES_WITNESS_H

#include <stddef.h>
#include <stdint.h>

enum {
	WITNESS_AGE_S = 3 * 86400, /* mail that came longer ago says nothing any more */
	WITNESS_SLOW_LEAST = 2, /* signers ahead of us who show that it is we */
	WITNESS_FAST_LEAST = 3, /* signers behind us; mail may also have taken its time */
	WITNESS_FAST_S = 900,
};

enum witness_word {
	WITNESS_NOTHING, /* too few mails came */
	WITNESS_LEVEL, /* our clock agrees with theirs */
	WITNESS_THEIRS, /* one signer's clock is ahead of ours, and the others' are not */
	WITNESS_EITHER, /* the one who wrote is ahead of us */
	WITNESS_SLOW, /* ours is slow, by about `off` */
	WITNESS_FAST, /* ours seems to be fast, by `off` at most */
};

struct witness_verdict {
	enum witness_word word;
	int64_t off; /* seconds, positive; of THEIRS and EITHER by how much theirs is ahead */
	size_t ahead; /* how many signers are ahead of us by more than the skew, */
	size_t count; /* of so many */
};

/* `ahead`: of the newest mail of each signer, by how many seconds it was dated after it came;
 * sorted here. `skew`: seconds that a signer's clock may be off. */
struct witness_verdict witness_judge(int64_t *ahead, size_t count, int64_t skew);

#endif
