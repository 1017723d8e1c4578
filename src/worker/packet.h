/* One packet on a SOCK_SEQPACKET socket, with at most one descriptor beside it. The layer under
 * frames and under the starter's control socket; nobody else needs it. */
#ifndef DEWLINE_WORKER_PACKET_H
#define DEWLINE_WORKER_PACKET_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Sends head and body as one packet, and a copy of the descriptor `passed` unless it is -1. Blocks;
 * on a non-blocking socket for at most five seconds. -1: ERR_PEER when the other side is gone or
 * does not read, ERR_DAEMON when the kernel has no room. */
int packet_send(int fd, struct view head, struct view body, int passed, struct err *err);

/* Receives one packet of at most `size` bytes; its length in *len. *passed is the descriptor that
 * came with it (close-on-exec, the caller's), or -1. 1: here it is. 0: the other side closed. -1:
 * ERR_PEER, with ERR_NOW when a non-blocking socket has nothing yet; otherwise the packet was too
 * long, came with more than one descriptor, or the connection broke. */
int packet_receive(int fd, void *out, size_t size, size_t *len, int *passed, struct err *err);

#endif
