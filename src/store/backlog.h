/* Work that the gateway has taken on and not done yet. */
#ifndef DEWLINE_STORE_BACKLOG_H
#define DEWLINE_STORE_BACKLOG_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct backlog {
	int64_t mails; /* received, not done with, and not told to wait */
	int64_t unsealed; /* deliveries whose message is not sealed for them */
	int64_t untried; /* sealed deliveries that are due, and were never handed to a courier */
	int64_t drafts; /* held ones whose hour has come, or that nobody was asked to approve yet */
	int64_t withdrawals; /* asked for by an admin */
	int64_t since; /* the time of the oldest of all, 0: there is none */
};

/* What has waited since before `before`. */
int store_backlog(struct store *, int64_t before, struct backlog *out, struct err *);

#endif
