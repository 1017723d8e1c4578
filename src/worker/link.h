/* Workers that another service runs: each is what answers one connection to a socket.
 *
 * A worker's process is not our child, so it cannot be killed and reaped from here. To kill it is
 * to say that we send nothing more (shutdown); the other side (worker/remote.h) then kills its
 * process at once, whatever it is doing, and closes the connection only when that process is gone.
 * We wait for that, so that no two workers ever have one request.
 *
 * Both sides hold the other to be of our own user; the service manager, root, may have opened the
 * socket for it. */
#ifndef DEWLINE_WORKER_LINK_H
#define DEWLINE_WORKER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	LINK_PATH_SIZE = 108, /* of sun_path (unix(7)) */
	/* Numbers of workers begin here, above every process id (proc(5), pid_max). */
	LINK_NUMBERS = 1 << 24,
};

struct links;

/* Connections to the SOCK_SEQPACKET socket at `path`, none yet. */
struct links *links_new(const char *path);

/* Closes all, like link_end. */
void links_free(struct links *links);

/* A new worker: its number, and a descriptor of the connection for whoever asks it. -1: nobody
 * answers there, or somebody who is not ours. */
int link_start(struct links *links, int64_t *number, int *fd, struct err *err);

/* Kills a worker. False when there is none of this number. */
bool link_end(struct links *links, int64_t number);

/* True when the process at the other end of a connected socket is our user's, or root's. */
bool link_is_ours(int fd, struct err *err);

#endif
