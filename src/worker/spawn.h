/* Starting and killing processes of the gateway.
 *
 * Every process but dewlined itself is made here: a new process group, no core file, the parent's
 * death kills it, one end of a SOCK_SEQPACKET pair as its only way to talk. Only the starter
 * (dewlined, or a test) forks. The gate, which must not be able to fork something mightier than
 * itself, asks the starter through a control socket; both sides of that are here too. */
#ifndef DEWLINE_WORKER_SPAWN_H
#define DEWLINE_WORKER_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "worker/pulse.h"

/* The gate is none of a pool: dewlined has it started, and nobody may ask for it over the gate's
 * control socket. */
enum worker_kind { WORKER_READER, WORKER_VAULT, WORKER_COURIER, WORKER_GATE, WORKER_KINDS };

enum { WORKER_STATUS_OUTDATED = 122 };

/* "reader", "vault", "courier", "gate". */
const char *worker_kind_name(enum worker_kind kind);

/* What a worker of one kind runs: serves frames on fd until the other side closes it; the return
 * value is the exit status. Runs in the new process. */
typedef int worker_main_fn(const void *settings, int fd);

struct worker_program {
	worker_main_fn *run;
	const void *settings; /* alive as long as the starter */
};

/* Forks a process that runs `program`. In the child every descriptor above 2 but its socket is
 * closed, standard input is empty, and all signals are at their defaults. `name` must outlive the
 * program. Our socket end is close-on-exec. */
int process_start(const char *name, struct worker_program program, pid_t *pid, int *fd,
    struct err *err);
/* The same on a socket that there is: ours stays ours, the child has a copy. */
int process_start_on(
    const char *name, struct worker_program program, int socket, pid_t *pid, struct err *err);

/* Who starts and kills workers for a pool: directly (tests, benches) or by asking dewlined. */
struct starter;
/* Forks in this process. programs[] has WORKER_KINDS entries and is copied. */
struct starter *starter_direct(const struct worker_program programs[WORKER_KINDS]);
/* Asks the process at the other end of `control`, which runs starter_serve. Takes over control. */
struct starter *starter_remote(int control);
/* Has workers of any kind from another service, by connecting to its socket (worker/link.h). Their
 * process ids are numbers of ours. */
struct starter *starter_connected(const char *path);
/* Kills the workers that a direct or connected starter made and that still live. */
void starter_free(struct starter *starter);

/* A new worker: its process id (also its group) and our end of its socket. */
int starter_start(struct starter *starter, enum worker_kind kind, pid_t *pid, int *fd,
    struct err *err);
/* Kills the whole process group at once (SIGKILL) and reaps it. Returns the wait status (waitpid), 0
 * where that is not known. */
int starter_kill(struct starter *starter, pid_t pid);
/* Asks a process to end (SIGTERM); it is still to be killed, which also reaps it. */
void starter_ask_to_end(struct starter *starter, pid_t pid);

/* A starter that has a process of its own: for workers who may do what the process that serves the
 * gate may not, for a child never gets more than its parent has. That process enters a sandbox with
 * `confine`, unless that is NULL, and then does nothing but start and kill workers of this kind; when our side is freed it
 * kills those that live, calls `leave` unless that is NULL, and ends. Whoever frees the starter reaps
 * `pid`. Both functions get the settings of the program, which outlive it. */
typedef int worker_confine_fn(const void *settings, struct err *err);
struct starter_program {
	worker_confine_fn *confine;
	void (*leave)(const void *settings);
};
int starter_process(enum worker_kind kind, struct worker_program program,
    struct starter_program own, pid_t *pid, struct starter **out, struct err *err);

/* Tells the process at the other end that we are ready, or that we still go on. */
void starter_alive(struct starter *starter);
/* Tells it what happened, for STATE/pulse; nothing here fails where nobody hears it. */
void starter_tell(struct starter *starter, enum pulse_kind kind, const char *text);

/* The serving side: answers one request waiting on `control`. 1: answered. 0: the other side is
 * gone. -1: it asked for what it may not, or cannot be answered; it is to be ended. */
struct starter_children;
struct starter_children *starter_children_new(const struct worker_program programs[WORKER_KINDS]);
/* Has the workers of a kind started by another starter, which stays the caller's. */
void starter_children_via(
    struct starter_children *children, enum worker_kind kind, struct starter *starter);
int starter_serve(struct starter_children *children, int control, struct err *err);
/* True when a worker found that the sandbox which was made at our start does not fit the machine any
 * more (its exit status was WORKER_STATUS_OUTDATED): only a new start of everything helps. */
bool starter_is_outdated(const struct starter_children *children);
/* True when the other side has said starter_alive since the last call. */
bool starter_take_alive(struct starter_children *children);
/* `told` is called, from within starter_serve, with what the other side says by starter_tell: its
 * words, which prove nothing. */
typedef void starter_told_fn(void *context, enum pulse_kind kind, const char *text);
void starter_children_listen(
    struct starter_children *children, starter_told_fn *told, void *context);
/* Kills every child that starter_serve made and that still lives, with its group. */
void starter_children_free(struct starter_children *children);

#endif
