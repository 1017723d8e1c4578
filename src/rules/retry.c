#include "config.h"

#include "rules/retry.h"

bool retry_next(const struct retry_times *times, int64_t attempts, int64_t first_at, int64_t now,
    int64_t *next_at)
{
	int64_t pause = times->first;
	for (int64_t i = 1; i < attempts && pause < times->most; i++)
		pause *= 2;
	if (pause > times->most)
		pause = times->most;
	*next_at = now + pause;
	if (first_at == 0)
		return true;
	const int64_t last = first_at + times->give_up;
	if (*next_at > last) /* the last attempt is at the deadline, not some time after it */
		*next_at = last;
	return now < last;
}
