/* The state directory as dewlined finds and leaves it. */
#ifndef DEWLINE_DEWLINED_STATE_H
#define DEWLINE_DEWLINED_STATE_H

#include <stdbool.h>

#include "base/err.h"

/* Makes sure that the directory is ours alone (our user's, mode 0700). */
int state_look(const char *state, struct err *err);

/* The same, and locks it (base/lock.h) until this process ends. Refuses when another process has it, and
 * says which. */
int state_take(const char *state, struct err *err);

/* Locks the drop likewise, so that no other gateway takes its mail. One that cannot be locked is a warning
 * in the log: it may be missing for a while, or on a file system that knows no locks. */
int state_take_drop(const char *drop, struct err *err);

/* Makes sure that there is a store, and that we may write it: refuses where `dewctl init` was not
 * run, or where a store put back from a backup belongs to another user. */
int state_find_store(const char *state, struct err *err);

/* True when `dewctl init` was not run; `err` then says what is missing. */
bool state_is_missing(const char *state, struct err *err);

/* Ends the gpg-agent of a place in STATE/gnupg (pgp/place.h), if there is one, and waits until it
 * is gone; each for at most five seconds. */
void state_stop_agent(const char *state, const char *place);

/* Removes the locks that a GnuPG which was killed has left in STATE/gnupg, and the directories of killed
 * processes (pgp/scratch.h): once the state is taken. */
void state_unlock_gnupg(const char *state);

#endif
