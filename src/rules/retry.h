/* When to try a delivery again, and when to give up. */
#ifndef DEWLINE_RULES_RETRY_H
#define DEWLINE_RULES_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_times {
	int64_t first; /* seconds before the second attempt */
	int64_t most; /* the longest pause */
	int64_t give_up; /* seconds after the first attempt */
};

/* True with the time of the next attempt after `attempts` (at least 1) failed ones: the pause
 * doubles from `first` to `most`, and the last attempt is at the deadline, `give_up` seconds after
 * first_at. False when that has passed. */
bool retry_next(const struct retry_times *times, int64_t attempts, int64_t first_at, int64_t now,
    int64_t *next_at);

#endif
