/* Telling the service manager how we are: the sd_notify protocol (systemd's sd_notify(3)) without its
 * library. */
#ifndef DEWLINE_DEWLINED_NOTIFY_H
#define DEWLINE_DEWLINED_NOTIFY_H

#include <stdbool.h>

struct notify;

/* Takes NOTIFY_SOCKET out of the environment, so that no child speaks for us. Never NULL; without
 * that variable it does nothing. */
struct notify *notify_new(void);
void notify_free(struct notify *notify);
/* True when a service manager listens. */
bool notify_is_heard(const struct notify *notify);

/* Sends lines such as "READY=1\nSTATUS=...". A failure is of no consequence to us and is not told. */
void notify_send(const struct notify *notify, const char *lines);

#endif
