#include "config.h"

#include <stddef.h>

#include "rules/tries.h"

enum { MINUTE = 60, HOUR = 3600 };

bool tries_next(int64_t tries, bool claimed, int64_t *pause)
{
	static const int64_t known[] = {
	    MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, TRIES_LONGEST_S};
	static const int64_t stranger[] = {10 * MINUTE};
	const int64_t most = claimed ? TRIES_KNOWN_MOST : TRIES_STRANGER_MOST;
	_Static_assert(
	    sizeof known / sizeof known[0] == TRIES_KNOWN_MOST - TRIES_AT_ONCE, "one pause each");
	_Static_assert(
	    sizeof stranger / sizeof stranger[0] == TRIES_STRANGER_MOST - TRIES_AT_ONCE, "likewise");
	if (tries >= most)
		return false;
	const size_t at = tries < TRIES_AT_ONCE ? 0 : (size_t)(tries - TRIES_AT_ONCE);
	*pause = claimed ? known[at] : stranger[at];
	return true;
}

int64_t tries_patience(int64_t tries)
{
	return tries < TRIES_AT_ONCE ? 1 : tries - TRIES_AT_ONCE + 2;
}
