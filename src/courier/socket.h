/* TCP to a mail server, with deadlines. */
#ifndef DEWLINE_COURIER_SOCKET_H
#define DEWLINE_COURIER_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Resolves host (a name or an address) and tries each of its addresses, connect_ms milliseconds at
 * most for each. The socket is non-blocking and close-on-exec, with TCP_NODELAY and keep-alive. On
 * failure err (ERR_PEER) says host, port and the last reason. */
int socket_open(const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err);

/* Waits until the socket has one of the poll(2) events, an error or a hang-up. False when
 * `deadline` (clock_monotonic_ms) came first. */
bool socket_wait(int fd, short events, int64_t deadline);

#endif
