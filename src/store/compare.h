/* What the log tells, held against what the tables say.
 *
 * The chain shows any edit of the log itself. Whoever edits a table behind the log's back
 * contradicts it: an answer, a delivery, a person's key or a revision of which the log knows
 * nothing, or other than it knows them, and an answer whose kept mail is not the one that the log
 * names. Entries of before the log named that mail hold the rest only. */
#ifndef DEWLINE_STORE_COMPARE_H
#define DEWLINE_STORE_COMPARE_H

#include "store/store.h"

/* `what` is one line for people. A result other than 0 ends the comparison with that error. */
typedef int difference_fn(void *context, const char *what, struct err *err);

/* Calls fn once for each difference, in the order of the tables. */
int store_compare(struct store *, difference_fn *fn, void *context, struct err *err);

#endif
