/* The IMAP mailbox: a courier watches it and puts what comes into the drop, where step 1 finds it.
 *
 * The request to watch has no end of its own. When it ends all the same (the connection broke, the
 * server was restarted, the courier died) it is asked again, after a pause that grows; after a
 * refused login the pauses are long, for servers lock accounts. How it stands is kept in the store;
 * `dewctl check` shows it, and the admins get a mail when it lasts. */
#ifndef DEWLINE_GATE_MAILBOX_H
#define DEWLINE_GATE_MAILBOX_H

#include "gate/context.h"

/* Does nothing where imap.server is not set. */
int mailbox_start(struct gate *gate, struct err *err);
void mailbox_stop(struct gate *gate);

/* For the schedule: mail to the admins, when the mailbox has been out of reach for imap.alarm, or
 * when messages stay in it that cannot be taken. Once for each time that this begins. */
void mailbox_check(struct gate *gate, int64_t now);

#endif
