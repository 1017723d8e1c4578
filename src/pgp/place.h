/* A place of one's own for a gpg-agent: gpg and its agent find each other by the directory that
 * they are told, so whoever runs gpg in another directory uses another agent. The daemon's agent
 * was therefore started by the daemon, within its sandbox, whoever else has started one in the main
 * home: dewctl, or somebody by hand.
 *
 *     DIR/r/     the daemon's vaults
 *     DIR/t/     dewlined -t
 *     DIR/cN/    dewctl, one of these for each that runs
 *
 * Each holds configuration of its own, and links to the keys in DIR. Where keys are made or changed
 * that is done in DIR itself. No GPGME in here. */
#ifndef DEWLINE_PGP_PLACE_H
#define DEWLINE_PGP_PLACE_H

#include <limits.h>

#include "base/err.h"

#define PLACE_RUN "r"
#define PLACE_TRY "t"
enum { PLACE_NAME_MAX = 3 };

/* The place's directory. */
void place_path(const char *home, const char *name, char out[static PATH_MAX]);

/* Makes the main home `home` and the place in it where they are missing, with links, and writes the
 * configuration of both. The vault's sandbox makes no links: dewlined does it before. */
int place_make(const char *home, const char *name, struct err *err);

/* Removes the lock files that a GnuPG which was killed has left in a directory. Each names a process,
 * and GnuPG waits for it as long as any process has that number, which after a new start of the
 * machine is somebody else's. For whoever has the directory to himself, before gpg is run. */
void place_unlock(const char *dir);
/* The same in the main home `home` and in all below it but dewctl's places, and with the temporary
 * files of base/file.h: for the daemon. */
void place_unlock_all(const char *home);

/* Connects to the agent that listens at `socket` and waits, some seconds, for its greeting: one
 * that is about to end gives none. -1: none is there. */
int place_connect(const char *socket);

/* Tells the agent at the other end to end, waits until it is gone, some seconds, and closes fd. */
void place_end_agent(int fd);

#endif
