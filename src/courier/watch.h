/* The IMAP source: empties the mailbox into the drop, waits for more, and says what happens.
 *
 * No message is lost and none removed that is not ours to remove:
 *   W1  a message is removed on the server only after its file and its name in drop/new are synced
 *   W2  it is removed by UID, within the UIDVALIDITY under which it was fetched
 *   W3  fetched twice, it has the same file name, and the gate takes the same bytes once
 *   W4  what is not taken (too large, not given out) stays, is said in every round, and keeps no
 *       other from being taken
 */
#ifndef DEWLINE_COURIER_WATCH_H
#define DEWLINE_COURIER_WATCH_H

#include "config/config.h"
#include "courier/imap_link.h"
#include "worker/pool.h"

struct watch;

/* config and limits must outlive it. Reads the password and the trusted CAs at once, as the process
 * may lose access to files later; what cannot be read is tried again with every watch_serve. */
struct watch *watch_new(const struct config *config, const struct imap_limits *limits);
/* NULL is harmless. */
void watch_free(struct watch *watch);

/* Serves one request: logs in, and goes on until the connection ends or the gate wants something.
 * -1 only when the gate cannot be told any more. */
int watch_serve(struct watch *watch, struct pool_service *service, struct err *err);

#endif
