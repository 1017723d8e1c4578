/* A directory for a while, below one that is ours. */
#ifndef DEWLINE_PGP_SCRATCH_H
#define DEWLINE_PGP_SCRATCH_H

#include <limits.h>

#include "base/err.h"

struct scratch {
	char path[PATH_MAX]; /* "" when there is none */
	int lock; /* says that somebody is at work in it */
};

/* Makes DIR/certificates.XXXXXX, mode 0700. Removes those that a killed process has left there: older than
 * an hour, and locked by nobody. */
int scratch_make(struct scratch *scratch, const char *dir, struct err *err);
/* Removes it with all in it; harmless when there is none. */
int scratch_remove(struct scratch *scratch, struct err *err);

#endif
