#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/frame.h"
#include "worker/pool.h"
#include "worker/spawn.h"

enum { CHILD_SOCKET = 3, STATUS_NOT_STARTED = 125, NULL_MAJOR = 1, NULL_MINOR = 3 };

static const char *const kind_names[WORKER_KINDS] = {
    [WORKER_READER] = "reader",
    [WORKER_VAULT] = "vault",
    [WORKER_COURIER] = "courier",
    [WORKER_GATE] = "gate",
};

const char *worker_kind_name(enum worker_kind kind)
{
	return kind_names[kind];
}

/* Handlers are the parent's and would run with its data; ignored signals would stay ignored in
 * every program that the child starts. */
static void default_signals(void)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* KILL, STOP and the C library's own refuse */
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_null_device(int fd)
{
	struct stat about;
	return fstat(fd, &about) == 0 && S_ISCHR(about.st_mode) &&
	       about.st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
}

/* Leaves 0 (as /dev/null), 1, 2 and the socket, which becomes CHILD_SOCKET. A 0 that is the null device
 * already stays: its name may be gone, or be that of another file, which a sandbox does not reach. */
static int keep_descriptors(int socket)
{
	if (socket != CHILD_SOCKET && dup3(socket, CHILD_SOCKET, O_CLOEXEC) < 0)
		return -1;
	if (close_range(CHILD_SOCKET + 1, ~0U, 0) != 0)
		return -1;
	if (is_null_device(STDIN_FILENO))
		return 0;
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		return -1;
	if (nothing > STDERR_FILENO)
		close(nothing);
	return 0;
}

/* Says why in the log, and to whoever asks this kind of worker. */
static _Noreturn void cannot_start(const char *name, const char *what)
{
	struct err why;
	struct err err;
	err_system(&why, "it cannot start: %s", what);
	log_error("%s: %s", name, why.text);
	for (int kind = 0; kind < WORKER_GATE; kind++) {
		if (strcmp(name, kind_names[kind]) == 0)
			frame_send(CHILD_SOCKET, POOL_TROUBLE, 0, view_of(why.text), &err);
	}
	_exit(STATUS_NOT_STARTED);
}

static _Noreturn void child(
    const char *name, const struct worker_program *program, int socket, pid_t parent)
{
	const struct rlimit no_core = {0, 0};
	setpgid(0, 0);
	default_signals();
	/* A parent that died before prctl sends nothing any more: look again after it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(STATUS_NOT_STARTED);
	if (keep_descriptors(socket) != 0)
		cannot_start(name, "/dev/null cannot be opened");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		cannot_start(name, "it cannot protect itself");
	prctl(PR_SET_NAME, name);
	log_rename(name);
	_exit(program->run(program->settings, CHILD_SOCKET));
}

int process_start_on(
    const char *name, struct worker_program program, int socket, pid_t *pid, struct err *err)
{
	sigset_t all;
	sigset_t former;
	const pid_t parent = getpid();
	/* No handler of ours may run in the child before its signals are at their defaults. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &former);
	*pid = fork();
	if (*pid == 0)
		child(name, &program, socket, parent);
	int result = 0;
	if (*pid < 0)
		result = err_system(err, "cannot start the %s", name);
	else
		setpgid(*pid, *pid); /* the child does so too: whoever comes first */
	sigprocmask(SIG_SETMASK, &former, NULL);
	return result;
}

int process_start(
    const char *name, struct worker_program program, pid_t *pid, int *fd, struct err *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_system(err, "cannot make a socket pair for the %s", name);
	const int result = process_start_on(name, program, ends[1], pid, err);
	close(ends[1]);
	*fd = ends[0];
	if (result != 0) {
		close(ends[0]);
		*fd = -1;
	}
	return result;
}
