/* When a mail is looked at anew that ended the worker which read or opened it, and when no more.
 *
 * The first two tries come at once, with two workers. What may have been at fault besides the mail (a
 * machine out of memory, a GnuPG that is being exchanged, somebody who kills processes) passes, so the
 * further ones are spread over time. Their number is bounded: whoever writes a mail that ends every
 * worker gets so many of them and no more, and a stranger the fewest. */
#ifndef DEWLINE_RULES_TRIES_H
#define DEWLINE_RULES_TRIES_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TRIES_AT_ONCE = 2,
	TRIES_STRANGER_MOST = TRIES_AT_ONCE + 1,
	TRIES_KNOWN_MOST = TRIES_AT_ONCE + 5,
	TRIES_LONGEST_S = 24 * 3600, /* pause */
};

/* After `tries` that failed. `claimed`: the mail says that it is from somebody known here. True with
 * the seconds until the next try; false: there is none. */
bool tries_next(int64_t tries, bool claimed, int64_t *pause);

/* Of those that follow the first two: a machine that is slow today has more time each time. The factor
 * for a deadline, at least 1. */
int64_t tries_patience(int64_t tries);

#endif
