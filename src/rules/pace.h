/* Whether the clock may be believed, and which time to go by.
 *
 * A clock that jumps ahead would release what is held before its hour. It is believed where it went
 * on at the pace of the machine's running time, where the kernel says that it is synchronised, and
 * where an admin has confirmed it; else time goes on at that pace from where it was believed last.
 * So what waits for an hour comes late at worst, and nothing waits for ever. */
#ifndef DEWLINE_RULES_PACE_H
#define DEWLINE_RULES_PACE_H

#include "base/clock.h"
#include "store/pace.h"

enum {
	PACE_STEP_S = 60, /* what a time service or a hand may correct at once */
	PACE_START_S = 900, /* how long a machine may have been off, nobody knowing the hour */
};

enum pace {
	PACE_STEADY,
	PACE_AHEAD, /* the clock is further than it can be */
	PACE_BEHIND, /* it was put back */
};

struct pace_verdict {
	enum pace pace;
	int64_t now; /* to go by: the clock's time, or the one that it should have if that is less */
	int64_t off; /* seconds by which the clock is further than it should be; negative: less far */
	bool started; /* since the machine was started anew: then it may also have been off */
	bool stepped; /* it is believed, and yet `off` is more than a correction: someone set it */
};

/* Where `boot` is not known, running time that goes back tells of a new start. */
struct pace_verdict pace_judge(const struct pace_mark *mark, const struct clock_reading *reading);

/* The mark that is to be kept after that. */
void pace_renew(
    struct pace_mark *mark, const struct clock_reading *reading, const struct pace_verdict *verdict);

#endif
