/* Watching over the gate: dewlined after its start.
 *
 * Starts the gate, starts and kills workers for it (starter_serve), and starts it anew when it dies,
 * with a pause that grows while it cannot live. Nothing here reads mail, keys or the store. A starter
 * process that dies cannot be made anew, for we have given up the rights that it had: then all ends,
 * and it is for the service manager to start us again. */
#ifndef DEWLINE_DEWLINED_SUPERVISE_H
#define DEWLINE_DEWLINED_SUPERVISE_H

#include <stdint.h>

#include "base/err.h"
#include "worker/spawn.h"

/* How long the gate may take to end in good order before it is killed. */
enum { SUPERVISE_GRACE_MS = 10 * 1000 };

struct supervision {
	struct worker_program gate; /* its descriptor is the control socket, for starter_remote */
	struct worker_program workers[WORKER_KINDS];
	/* Where `confine` is set, workers of that kind have a starter process of their own, made
	 * before we are confined. */
	struct starter_program starters[WORKER_KINDS];
	/* Where a path is set, workers of that kind are had from another service; NULL or "": not. */
	const char *sockets[WORKER_KINDS];
	struct starter_program gate_starter; /* of the process that starts the gate */
	worker_confine_fn *confine; /* ourselves, with the gate's settings; NULL: not at all */
	int64_t grace_ms;
	struct pulse_file *pulse; /* where it is noted how it goes; NULL: nowhere */
};

/* Enters the sandbox of dewlined itself (worker_confine_fn): settings is `const struct config *`. */
int supervise_confine(const void *settings, struct err *err);

/* Runs until SIGTERM or SIGINT, then ends the gate in good order and kills all workers; a second such
 * signal does not wait. SIGHUP only says that a restart is needed. Tells the service manager, where
 * there is one, when it is ready and when it stops; for that one it ends at once, with the gate's last
 * error, where the first gate ends before it was ready: a service that is waited for in vain is said
 * to hang. 0: ended as asked. */
int supervise(const struct supervision *supervision, struct err *err);

#endif
