#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "patience.h"
#include "worker/link.h"
#include "worker/remote.h"

enum { SOMEBODY = 65534, LONG_S = 1000, PATIENCE_MS = 5000 };

static char directory[] = "/tmp/dl.XXXXXX";
static char path[64];
static pid_t service;

#define assert_works(expression)                                                                   \
	do {                                                                                       \
		if ((expression) != 0)                                                             \
			fail_msg("%s", err.text);                                                  \
	} while (0)

/* A worker that says who it is, and who its child is, and is then stuck in both. */
static int stuck_main(const void *settings, int fd)
{
	(void)settings;
	const pid_t child = fork();
	if (child == 0) {
		sleep(LONG_S);
		_exit(0);
	}
	const pid_t pids[] = {getpid(), child};
	if (send(fd, pids, sizeof pids, 0) != (ssize_t)sizeof pids)
		return 1;
	/* "leave" ends it in good order; it looks once only. */
	char word[8] = "";
	if (recv(fd, word, sizeof word - 1, 0) > 0 && strcmp(word, "leave") == 0)
		return 0;
	for (;;)
		sleep(LONG_S);
}

static int no_sandbox(const void *settings, struct err *err)
{
	(void)settings;
	(void)err;
	return 0;
}

/* Like a service manager's socket with Accept=yes: a process for each connection, which finds it as
 * descriptor 0. */
static _Noreturn void serve(int listening)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		const int fd = accept(listening, NULL, NULL);
		if (fd < 0 || fork() != 0) {
			close(fd);
			continue;
		}
		struct err err;
		signal(SIGCHLD, SIG_DFL);
		dup2(fd, STDIN_FILENO);
		close(fd);
		close(listening);
		const int connection = remote_socket(&err);
		if (connection < 0)
			_exit(1);
		_exit(remote_serve(
		    "courier", (struct worker_program){stuck_main, NULL}, no_sandbox, connection));
	}
}

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/courier", directory);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	const int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listening, 8), 0);
	service = fork();
	if (service == 0)
		serve(listening);
	close(listening);
	return service > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct err err;
	(void)state;
	kill(service, SIGKILL);
	waitpid(service, NULL, 0);
	return file_remove_tree(directory, &err);
}

struct worker {
	int64_t number;
	int fd;
	pid_t pids[2]; /* the worker and its child */
};

static struct worker start(struct links *links)
{
	struct worker worker;
	struct err err;
	assert_works(link_start(links, &worker.number, &worker.fd, &err));
	assert_int_equal(recv(worker.fd, worker.pids, sizeof worker.pids, 0), sizeof worker.pids);
	return worker;
}

static bool lives(pid_t pid)
{
	char stat[64], state = 'Z';
	snprintf(stat, sizeof stat, "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(stat, "re");
	if (file == NULL)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z';
}

static void assert_gone_soon(pid_t pid)
{
	const int64_t until = clock_monotonic_ms() + patient(PATIENCE_MS);
	while (lives(pid) && clock_monotonic_ms() < until)
		usleep(10000);
	assert_false(lives(pid));
}

static void worker_that_is_stuck_is_gone_when_its_end_returns(void **state)
{
	(void)state;
	struct links *links = links_new(path);
	struct worker worker = start(links), other = start(links);
	assert_true(worker.number > LINK_NUMBERS && worker.number != other.number);
	assert_true(lives(worker.pids[0]));
	assert_true(link_end(links, worker.number));
	assert_false(lives(worker.pids[0]));
	assert_gone_soon(worker.pids[1]);
	assert_true(lives(other.pids[0]));
	assert_false(link_end(links, worker.number));
	close(worker.fd);
	close(other.fd);
	links_free(links);
	assert_false(lives(other.pids[0]));
}

static void worker_whose_gate_is_gone_ends(void **state)
{
	(void)state;
	struct links *links = links_new(path);
	int tell[2];
	struct worker worker;
	assert_int_equal(pipe(tell), 0);
	const pid_t gate = fork();
	if (gate == 0) {
		worker = start(links);
		if (write(tell[1], &worker, sizeof worker) != (ssize_t)sizeof worker)
			_exit(1);
		sleep(LONG_S);
		_exit(0);
	}
	assert_int_equal(read(tell[0], &worker, sizeof worker), sizeof worker);
	assert_true(lives(worker.pids[0]));
	kill(gate, SIGKILL);
	waitpid(gate, NULL, 0);
	assert_gone_soon(worker.pids[0]);
	assert_gone_soon(worker.pids[1]);
	close(tell[0]);
	close(tell[1]);
	links_free(links);
}

static void worker_that_ends_is_seen_to_end(void **state)
{
	(void)state;
	struct links *links = links_new(path);
	struct worker worker = start(links);
	char nothing;
	assert_int_equal(send(worker.fd, "leave", sizeof "leave", 0), sizeof "leave");
	assert_int_equal(recv(worker.fd, &nothing, 1, 0), 0);
	assert_gone_soon(worker.pids[1]); /* what it started has no reason to live either */
	assert_true(link_end(links, worker.number));
	close(worker.fd);
	links_free(links);
}

static void killed_worker_is_seen_to_end(void **state)
{
	(void)state;
	struct links *links = links_new(path);
	struct worker worker = start(links);
	char nothing;
	kill(worker.pids[0], SIGKILL);
	assert_int_equal(recv(worker.fd, &nothing, 1, 0), 0);
	close(worker.fd);
	links_free(links);
}

static void nobody_at_the_socket_is_an_error_that_names_it(void **state)
{
	(void)state;
	char nowhere[80];
	struct err err;
	int64_t number;
	int fd;
	snprintf(nowhere, sizeof nowhere, "%s/nowhere", directory);
	struct links *links = links_new(nowhere);
	assert_int_equal(link_start(links, &number, &fd, &err), -1);
	assert_non_null(strstr(err.text, nowhere));
	links_free(links);
}

/* As another user: it is refused, and no worker is started. */
static void connection_of_another_user_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(directory, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(chown(path, SOMEBODY, SOMEBODY), 0);
	const pid_t stranger = fork();
	if (stranger == 0) {
		struct err err;
		int64_t number;
		int fd;
		char byte;
		if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0)
			_exit(1);
		struct links *links = links_new(path);
		/* The listener is root, so this side goes on; the other side must not. */
		if (link_start(links, &number, &fd, &err) != 0)
			_exit(2);
		_exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 3);
	}
	int status;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(chown(directory, 0, 0), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_no_connection_is_refused(void **state)
{
	(void)state;
	struct err err;
	int ends[2];
	const int input = dup(STDIN_FILENO);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	dup2(ends[0], STDIN_FILENO);
	assert_int_equal(remote_socket(&err), -1);
	assert_non_null(strstr(err.text, "no connection of the gate"));
	dup2(input, STDIN_FILENO);
	close(input);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(worker_that_is_stuck_is_gone_when_its_end_returns),
	    cmocka_unit_test(worker_whose_gate_is_gone_ends),
	    cmocka_unit_test(worker_that_ends_is_seen_to_end),
	    cmocka_unit_test(killed_worker_is_seen_to_end),
	    cmocka_unit_test(nobody_at_the_socket_is_an_error_that_names_it),
	    cmocka_unit_test(connection_of_another_user_is_refused),
	    cmocka_unit_test(what_is_no_connection_is_refused),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("worker_link", tests, setup, teardown);
}
