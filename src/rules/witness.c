#include "config.h"

#include <stdlib.h>

#include "rules/witness.h"

static int compare(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left;
	const int64_t b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

struct witness_verdict witness_judge(int64_t *ahead, size_t count, int64_t skew)
{
	struct witness_verdict verdict = {.word = WITNESS_NOTHING, .count = count};
	if (count == 0)
		return verdict;
	qsort(ahead, count, sizeof *ahead, compare);
	while (verdict.ahead < count && ahead[count - 1 - verdict.ahead] > skew)
		verdict.ahead++;
	const int64_t most = ahead[count - 1];
	if (verdict.ahead >= WITNESS_SLOW_LEAST && verdict.ahead * 2 >= count) {
		verdict.word = WITNESS_SLOW;
		verdict.off = ahead[count - 1 - verdict.ahead / 2];
	} else if (verdict.ahead > 0) {
		verdict.word = count == 1 ? WITNESS_EITHER : WITNESS_THEIRS;
		verdict.off = most;
	} else if (count >= WITNESS_FAST_LEAST && most < -WITNESS_FAST_S) {
		verdict.word = WITNESS_FAST;
		verdict.off = -most;
	} else {
		verdict.word = WITNESS_LEVEL;
	}
	return verdict;
}
