/* Locks on directories. The lock is on the directory itself and not on a file in it, which somebody
 * could remove or replace; it is the same one by whatever path the directory is reached. */
#ifndef DEWLINE_BASE_LOCK_H
#define DEWLINE_BASE_LOCK_H

#include <stdbool.h>

#include "base/err.h"

enum { LOCK_HOLDER_SIZE = 64 };

/* Takes an exclusive lock on the directory, which is held until this process and all that it forks have
 * ended. Returns 0: we have it now; 1: another process has it; -1: it cannot be locked (flock(2)),
 * with errno. */
int lock_take(const char *directory, struct err *err);

/* The same, until *lock is closed. */
int lock_open(const char *directory, int *lock, struct err *err);

/* Whether another process has it. False also where that cannot be found out. */
bool lock_is_held(const char *directory);

/* Who has it, for people: "process 1234 (dewlined)"; "another process" where the system does not say. */
void lock_holder(const char *directory, char out[static LOCK_HOLDER_SIZE]);

#endif
