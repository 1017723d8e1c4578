/* The other side of worker/link.h: one process that answers one connection.
 *
 * Whoever was connected (systemd's Accept=yes, systemd-socket-activate, inetd) gives us the socket.
 * A small watcher stays between it and the worker: it does nothing but look at the socket, so that
 * a worker that is stuck in a dialogue is killed in the moment in which the gate wants it. */
#ifndef DEWLINE_WORKER_REMOTE_H
#define DEWLINE_WORKER_REMOTE_H

#include "base/err.h"
#include "worker/spawn.h"

/* Finds the connection: descriptor 3 where LISTEN_PID and LISTEN_FDS say so (sd_listen_fds(3)),
 * else descriptor 0. Moves it out of the way of 0 to 2, which become /dev/null where they were it.
 * -1: there is none of the right kind, or whoever is at its other end is not ours (link_is_ours).
 */
int remote_socket(struct err *err);

/* Runs `program` on the socket, which it takes over, until the other side is done with it or the
 * worker ends, and then makes sure that the worker and all that it started are gone. `confine` is
 * entered before that with the program's settings. Returns the exit status. */
int remote_serve(
    const char *name, struct worker_program program, worker_confine_fn *confine, int fd);

#endif
