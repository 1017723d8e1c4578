/* What lies in the drop and cannot be taken now, kept for `dewctl check` and over restarts. */
#ifndef DEWLINE_STORE_STUCK_H
#define DEWLINE_STORE_STUCK_H

#include "store/store.h"

struct stuck_state {
	int64_t since; /* 0: nothing is stuck */
	bool told; /* the admins have got a mail about it */
	int64_t count; /* files and directories, in the last walk through the drop */
	char reason[STORE_REASON_SIZE]; /* of the first of them */
};

/* All zero where nothing is kept. */
int store_stuck_get(struct store *, struct stuck_state *, struct err *);
int store_stuck_set(struct store *, const struct stuck_state *, struct err *);

#endif
