/* What a process may do, held to by force: Landlock for files and ports, seccomp for system calls,
 * resource limits for memory and descriptors.
 *
 * A process says what it needs, and enters; from then on nothing else is possible for it and for
 * all that it starts, and there is no way back. A path that is not allowed gives EACCES. A system
 * call that is not allowed ends the process with SIGSYS: whoever reaps it says so in the log
 * (sandbox_explain), for no code of ours makes such a call in good order. A child can only have
 * less than its parent, so each process of the gateway enters its own sandbox within its parent's.
 *
 * Builds with sanitizers (DEWLINE_SANITIZED) keep to the limits of memory files and descriptors
 * only: at its end a sanitizer traces its own process, reads /proc and may run a symboliser. */
#ifndef DEWLINE_WORKER_SANDBOX_H
#define DEWLINE_WORKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

/* Groups of system calls. What every process needs stands in none of them: memory, time, signals of
 * its own, descriptors that it has, sleeping until something happens on them. */
enum sandbox_calls {
	CALLS_READ_FILES = 1 << 0,
	CALLS_WRITE_FILES = 1 << 1,
	/* To connect to any of this machine that the user may: Landlock does not look at those. The
	 * gpg-agent listens for streams; a service's couriers (packets) and the service manager
	 * (datagrams) do not. */
	CALLS_UNIX_SOCKETS = 1 << 2,
	CALLS_UNIX_STREAMS = 1 << 8,
	CALLS_INTERNET = 1 << 3, /* IPv4, IPv6, and asking the kernel about its routes */
	CALLS_WATCH = 1 << 4, /* inotify, signalfd, pipes: what an event loop waits for */
	CALLS_FORK = 1 << 5, /* children: fork, wait, kill, pairs of sockets; a narrower sandbox */
	CALLS_RUN = 1 << 6, /* execve, and what other people's programs need besides */
	CALLS_CODE = 1 << 7, /* memory that is code: loading libraries */
};

struct sandbox;

/* A sandbox that allows nothing yet. `who` stands in its errors: "the reader". */
struct sandbox *sandbox_new(const char *who, const struct config *config);

/* Paths that may be used: files, or directories with all below them. One that does not exist when
 * the sandbox is entered, or is "", is passed over. Where a file is replaced later by another of
 * the same name, allow its directory. run: executing, and reading. */
void sandbox_read(struct sandbox *sandbox, const char *path);
void sandbox_write(struct sandbox *sandbox, const char *path);
void sandbox_run(struct sandbox *sandbox, const char *path);
/* A file that is replaced by another of the same name while the process lives: its directory may be
 * read, for the new file is another one to the kernel. Where that would be too much (/etc, or what
 * holds the state or the drop) it is the file alone, and a replaced one is out of reach until the
 * next start of the gateway. */
void sandbox_read_renewed(struct sandbox *sandbox, const char *file);
/* The place of a secret (config/secret.h), likewise. */
void sandbox_read_secret(struct sandbox *sandbox, const char *name, const char *setting);
/* What programs of the system need to start: shared libraries and their cache, time zones, random
 * numbers, nothing; and what the setting sandbox_read and sandbox_write add. */
void sandbox_system(struct sandbox *sandbox);
/* A TCP port that may be connected to, on any host. */
void sandbox_connect(struct sandbox *sandbox, int64_t port);
/* The notify socket of the service manager may be an abstract one. */
void sandbox_abstract_sockets(struct sandbox *sandbox);
/* `groups` of enum sandbox_calls, by or. */
void sandbox_allow(struct sandbox *sandbox, unsigned groups);
/* An upper bound for setrlimit(2): RLIMIT_AS, ... A lower one that is in force stays. */
void sandbox_limit(struct sandbox *sandbox, int resource, uint64_t most);

/* Enters, and frees the sandbox. What the kernel does not offer is an error, unless the setting
 * `sandbox` says "relaxed": then it is done without. -1: do not go on. */
int sandbox_enter(struct sandbox *sandbox, struct err *err);

/* Withholds execution alone, of everything but the paths with `run`, and frees the sandbox: for a
 * program that people run, which reads and writes where they say. Where the kernel has no Landlock
 * it does nothing. */
int sandbox_enter_programs(struct sandbox *sandbox, struct err *err);

/* Says what of this the kernel does not offer, in words. False when nothing is missing. */
enum { SANDBOX_MISSING_SIZE = 256 };
bool sandbox_is_missing(char what[static SANDBOX_MISSING_SIZE]);
/* What is missing is an error that names the setting, or with "relaxed" a warning in the log. */
int sandbox_check(const struct config *config, struct err *err);

/* Logs, when a wait status (waitpid) says so, that `who` was stopped by its sandbox. */
void sandbox_explain(const char *who, long pid, int status);

/* For a test: the first name of a system call in our tables that libseccomp does not know, or NULL.
 */
const char *sandbox_unknown_call(void);

#endif
