/* Giving up root for good. */
#ifndef DEWLINE_BASE_USER_H
#define DEWLINE_BASE_USER_H

#include <sys/types.h>

#include "base/err.h"

/* The user and the main group of this name. -1 when there is no such user, or it is root. */
int user_find(const char *name, uid_t *uid, gid_t *gid, struct err *err);

/* For a process of root: takes this user's identity and groups, all three of each, drops every
 * capability, and makes sure that there is no way back. After -1 do nothing more. */
int user_become(const char *name, struct err *err);

#endif
