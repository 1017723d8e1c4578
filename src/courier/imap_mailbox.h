/* One mailbox: what lies in it, taking a message, and taking messages away (RFC 3501, RFC 4315,
 * RFC 6851). Messages are named by UID, so that what other clients do meanwhile hits no other. */
#ifndef DEWLINE_COURIER_IMAP_MAILBOX_H
#define DEWLINE_COURIER_IMAP_MAILBOX_H

#include "courier/imap_link.h"

enum { IMAP_LISTED_MAX = 256 };

/* Opens the mailbox for writing. *validity is its UIDVALIDITY. With `target` not empty, also sees
 * to it that there is such a mailbox. An error when messages cannot be taken away one by one: then
 * none is taken at all, or each would be taken for ever. */
int imap_select(struct imap_link *link, const char *mailbox, const char *target, uint32_t *validity,
    struct err *err);

struct imap_listed {
	uint32_t uid;
	uint64_t size; /* bytes, as the server says */
};
struct imap_list {
	size_t count;
	struct imap_listed messages[IMAP_LISTED_MAX];
};
/* The next messages from imap_place on, which moves behind them. Flags do not matter: a message
 * that somebody has read, flagged or marked as deleted is as good as any. No message: that was all.
 */
int imap_list_next(struct imap_link *link, struct imap_list *list, struct err *err);

/* Called with the whole message. -1 ends the link. */
typedef int imap_message_fn(void *context, struct view message, struct err *err);

/* Fetches a message of at most `most` bytes and leaves its flags as they are. *got: `take` has had
 * it. Otherwise `why` says what the server said, and is empty when there is no such message any
 * more. */
int imap_fetch(struct imap_link *link, uint32_t uid, uint64_t most, imap_message_fn *take,
    void *context, bool *got, char why[static COURIER_TEXT_SIZE], struct err *err);

/* Deletes the messages, or moves them to `target` when that is not empty. Nothing else that is
 * marked as deleted goes with them. Some may be gone already. */
int imap_remove(struct imap_link *link, const uint32_t *uids, size_t count, const char *target,
    struct err *err);

#endif
