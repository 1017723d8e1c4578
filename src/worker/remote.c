#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "worker/link.h"
#include "worker/remote.h"

enum { FIRST_PASSED = 3 /* SD_LISTEN_FDS_START */ };

static int passed_number(const char *name)
{
	const char *text = getenv(name);
	int64_t number;
	return text != NULL && text_number(view_of(text), 0, INT32_MAX, &number) ? (int)number : -1;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof value;
	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* Nothing must speak on the connection by writing to standard output. */
static int move_away(int fd, struct err *err)
{
	const int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_PASSED);
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (moved < 0 || nothing < 0)
		return err_system(err, "cannot move the connection");
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++) {
		if (option(standard, SO_DOMAIN) == AF_UNIX &&
		    option(standard, SO_TYPE) == SOCK_SEQPACKET)
			dup2(nothing, standard);
	}
	if (fd > STDERR_FILENO)
		close(fd);
	close(nothing);
	return moved;
}

int remote_socket(struct err *err)
{
	const bool passed = passed_number("LISTEN_PID") == (int)getpid();
	if (passed && passed_number("LISTEN_FDS") != 1)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the service manager passes several sockets: it should be one connection "
		    "(Accept=yes)");
	const int fd = passed ? FIRST_PASSED : STDIN_FILENO;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (option(fd, SO_DOMAIN) != AF_UNIX || option(fd, SO_TYPE) != SOCK_SEQPACKET ||
	    option(fd, SO_ACCEPTCONN) != 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "descriptor %d is no connection of the gate: this is started by the service "
		    "manager, for each connection to a sequential packet socket",
		    fd);
	return link_is_ours(fd, err) ? move_away(fd, err) : -1;
}

/* Until one of them is at its end. */
static void watch(int fd, int signals)
{
	struct pollfd watched[] = {
	    {.fd = fd, .events = POLLRDHUP},
	    {.fd = signals, .events = POLLIN},
	};
	while (poll(watched, sizeof watched / sizeof watched[0], -1) < 0 && errno == EINTR)
		;
}

static int end_worker(pid_t pid)
{
	int status = 0;
	siginfo_t info = {.si_pid = 0};
	const bool by_itself =
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!by_itself)
		return EXIT_SUCCESS;
	if (WIFSIGNALED(status))
		log_error("killed by signal %d", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int remote_serve(
    const char *name, struct worker_program program, worker_confine_fn *confine, int fd)
{
	struct err err;
	pid_t pid;
	sigset_t watched;
	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
	int result = signals < 0 ? err_system(&err, "cannot watch signals")
				 : confine(program.settings, &err);
	if (result == 0)
		result = process_start_on(name, program, fd, &pid, &err);
	if (result != 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	watch(fd, signals);
	result = end_worker(pid);
	close(signals);
	close(fd); /* this tells the gate that the worker is gone */
	return result;
}
