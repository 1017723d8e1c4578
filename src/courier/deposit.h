/* Putting mail into the drop, as an MTA does (Maildir): written and synced in tmp, moved to new. */
#ifndef DEWLINE_COURIER_DEPOSIT_H
#define DEWLINE_COURIER_DEPOSIT_H

#include "base/buf.h"
#include "base/err.h"

enum { DEPOSIT_NAME_SIZE = 128 };

/* A file name for a message of a mailbox: from UIDVALIDITY, UID and content, so that the same one
 * fetched again has the same name, and no other message ever has it. */
void deposit_name(
    uint32_t validity, uint32_t uid, struct view message, char out[static DEPOSIT_NAME_SIZE]);

/* Writes the message into drop/new. It lasts once deposit_sync has returned as well. A file that is
 * there under this name is replaced: it holds the same. ERR_DAEMON on failure. */
int deposit(const char *drop, const char *name, struct view message, struct err *err);
int deposit_sync(const char *drop, struct err *err);

/* Removes what a courier that was killed has left in drop/tmp, once it is a day and a half old. */
void deposit_clean(const char *drop);

#endif
