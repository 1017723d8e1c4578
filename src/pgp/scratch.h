/* A directory for a while, below one that is ours. Its lock says that somebody is at work in it; one without
 * a lock was left by a process that was killed. */
#ifndef DEWLINE_PGP_SCRATCH_H
#define DEWLINE_PGP_SCRATCH_H

#include <limits.h>

#include "base/err.h"

enum scratch_kind {
	SCRATCH_CERTIFICATES, /* certificates.*: where certificates are looked at */
	SCRATCH_KEYRING, /* building-*: a keyring that gets another name when it is whole */
};

/* What stands before the name of a directory that somebody removes: that needs no lock, for two may do it
 * at once. */
#define SCRATCH_REMOVING "removing-"

struct scratch {
	char path[PATH_MAX]; /* "" when there is none */
	int lock;
};

/* Removes from `dir` what killed processes have left of these. */
void scratch_remove_left(const char *dir);

/* Makes such a directory in `dir`, mode 0700, after scratch_remove_left. */
int scratch_make(struct scratch *scratch, const char *dir, enum scratch_kind kind, struct err *err);
/* It was renamed, and is no scratch any more. */
void scratch_keep(struct scratch *scratch);
/* Removes it with all in it; harmless when there is none. */
int scratch_remove(struct scratch *scratch, struct err *err);

#endif
