/* How it stands with the IMAP mailbox that is emptied into the drop, kept for `dewctl check` and
 * over restarts. */
#ifndef DEWLINE_STORE_MAILBOX_H
#define DEWLINE_STORE_MAILBOX_H

#include "store/store.h"

struct mailbox_state {
	int64_t down_since; /* 0: it is, or never was, in reach */
	bool down_told; /* the admins have got a mail about it */
	int64_t reached_at; /* when it was last opened; 0: never */
	int64_t left; /* messages that stay in it because they cannot be taken */
	bool left_told; /* the admins have got a mail about the newest of them */
	int64_t left_validity; /* UIDVALIDITY and the highest UID of those */
	int64_t left_uid;
	char down_reason[STORE_REASON_SIZE];
	char left_reason[STORE_REASON_SIZE]; /* of the newest */
};

/* All zero where nothing is kept. */
int store_mailbox_get(struct store *, struct mailbox_state *, struct err *);
int store_mailbox_set(struct store *, const struct mailbox_state *, struct err *);

#endif
