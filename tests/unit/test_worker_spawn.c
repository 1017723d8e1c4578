#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/frame.h"
#include "worker/spawn.h"

enum { PATIENCE_MS = 5000 };

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* Gone, or dead and only waiting for init to take note. */
static bool is_dead(pid_t pid)
{
	char path[64];
	char state = 'Z';
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state == 'Z' || state == 'X';
}

static bool dies_soon(pid_t pid)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
		if (is_dead(pid))
			return true;
		usleep(5000);
	}
	return false;
}

static int run(worker_main_fn *fn, const void *settings)
{
	struct err err;
	pid_t pid;
	int fd;
	int status;
	assert_int_equal(
	    process_start("child", (struct worker_program){fn, settings}, &pid, &fd, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* -- what a child finds -- */

static int main_descriptors(const void *settings, int fd)
{
	(void)settings;
	char byte;
	for (int i = 0; i < 1024; i++) {
		if ((fcntl(i, F_GETFD) >= 0) != (i <= 2 || i == fd))
			return i + 1;
	}
	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
		return 200;
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 201;
}

static void child_has_its_socket_and_no_other_descriptor(void **state)
{
	(void)state;
	int extra[2];
	assert_int_equal(pipe(extra), 0); /* without close-on-exec */
	const int high = fcntl(extra[0], F_DUPFD, 900);
	assert_int_equal(run(main_descriptors, NULL), 0);
	close(extra[0]);
	close(extra[1]);
	close(high);
}

static void on_signal(int number)
{
	(void)number;
}

static int main_signals(const void *settings, int fd)
{
	(void)settings;
	(void)fd;
	struct sigaction action;
	sigset_t mask;
	const int numbers[] = {SIGTERM, SIGPIPE, SIGCHLD, SIGHUP};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		sigaction(numbers[i], NULL, &action);
		if (action.sa_handler != SIG_DFL)
			return numbers[i];
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	return sigismember(&mask, SIGTERM) || sigismember(&mask, SIGUSR1) ? 100 : 0;
}

static void child_has_default_signals_and_an_empty_mask(void **state)
{
	(void)state;
	sigset_t mask;
	sigset_t former;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, &former);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run(main_signals, NULL), 0);
	sigset_t now;
	sigprocmask(SIG_SETMASK, &former, &now);
	assert_true(sigismember(&now, SIGUSR1));
	assert_false(sigismember(&now, SIGTERM));
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

static int main_limits(const void *settings, int fd)
{
	(void)fd;
	struct rlimit core;
	int death = 0;
	char name[16] = "";
	prctl(PR_GET_PDEATHSIG, &death);
	prctl(PR_GET_NAME, name);
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_max != 0 || prctl(PR_GET_DUMPABLE) != 0)
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	if (death != SIGKILL || getpgid(0) != getpid())
		return 3;
	return strcmp(name, "child") == 0 && strcmp(settings, "settings") == 0 ? 0 : 4;
}

static void child_leads_a_group_and_leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(run(main_limits, "settings"), 0);
}

static void our_end_is_close_on_exec(void **state)
{
	(void)state;
	struct err err;
	pid_t pid;
	int fd;
	assert_int_equal(
	    process_start("child", (struct worker_program){main_limits, ""}, &pid, &fd, &err), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(getpgid(pid), pid);
	waitpid(pid, NULL, 0);
	close(fd);
}

/* -- death of the parent -- */

static int main_forever(const void *settings, int fd)
{
	(void)settings;
	(void)fd;
	wait_for_ever();
}

struct shared {
	volatile pid_t child;
	volatile pid_t grandchild;
};

static struct shared *shared_new(void)
{
	void *memory = mmap(
	    NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	return memory;
}

static void killing_the_parent_kills_the_child(void **state)
{
	(void)state;
	struct shared *shared = shared_new();
	const pid_t parent = fork();
	if (parent == 0) {
		struct err err;
		pid_t pid;
		int fd;
		if (process_start(
			"child", (struct worker_program){main_forever, NULL}, &pid, &fd, &err) != 0)
			_exit(1);
		shared->child = pid;
		wait_for_ever();
	}
	while (shared->child == 0)
		usleep(1000);
	usleep(20000);
	assert_false(is_dead(shared->child));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_true(dies_soon(shared->child));
	munmap(shared, sizeof *shared);
}

/* -- starters -- */

static int main_with_grandchild(const void *settings, int fd)
{
	struct shared *shared = (struct shared *)(uintptr_t)settings;
	(void)fd;
	const pid_t pid = fork();
	if (pid == 0) {
		wait_for_ever();
	}
	shared->grandchild = pid;
	wait_for_ever();
}

static int main_echo(const void *settings, int fd)
{
	(void)settings;
	struct frame frame;
	struct err err;
	while (frame_receive(fd, &frame, &err) == 1) {
		frame_send(fd, frame.type, frame.number, frame.body, &err);
		frame_release(&frame);
	}
	return 0;
}

static void programs_of(struct worker_program programs[WORKER_KINDS], struct shared *shared)
{
	programs[WORKER_READER] = (struct worker_program){main_echo, NULL};
	programs[WORKER_VAULT] = (struct worker_program){main_with_grandchild, shared};
	programs[WORKER_COURIER] = (struct worker_program){main_forever, NULL};
	programs[WORKER_GATE] = (struct worker_program){NULL, NULL};
}

static bool echoes(int fd)
{
	struct frame frame;
	struct err err;
	if (frame_send(fd, 1, 2, VIEW("hello"), &err) != 0 || frame_receive(fd, &frame, &err) != 1)
		return false;
	const bool same = view_is(frame.body, "hello");
	frame_release(&frame);
	return same;
}

/* What any starter must do; runs in the test itself or as a gate that has only a control socket. */
static int use_starter(struct starter *starter, struct shared *shared)
{
	struct err err;
	pid_t reader;
	pid_t vault;
	pid_t courier;
	int fd[3];
	if (starter_start(starter, WORKER_READER, &reader, &fd[0], &err) != 0 || !echoes(fd[0]))
		return 1;
	if (starter_start(starter, WORKER_VAULT, &vault, &fd[1], &err) != 0 ||
	    starter_start(starter, WORKER_COURIER, &courier, &fd[2], &err) != 0)
		return 2;
	shared->child = courier;
	while (shared->grandchild == 0)
		usleep(1000);
	if (is_dead(vault) || is_dead(shared->grandchild))
		return 3;
	starter_kill(starter, vault);
	if (kill(vault, 0) != -1 || errno != ESRCH || !dies_soon(shared->grandchild))
		return 4;
	starter_kill(starter, reader);
	if (is_dead(courier))
		return 5;
	for (size_t i = 0; i < 3; i++)
		close(fd[i]);
	return 0;
}

static void direct_starter_kills_the_group_and_what_is_left(void **state)
{
	(void)state;
	struct shared *shared = shared_new();
	struct worker_program programs[WORKER_KINDS];
	programs_of(programs, shared);
	struct starter *starter = starter_direct(programs);
	assert_int_equal(use_starter(starter, shared), 0);
	starter_free(starter);
	assert_true(is_dead(shared->child));
	munmap(shared, sizeof *shared);
}

static int main_gate(const void *settings, int fd)
{
	struct starter *starter = starter_remote(fd);
	const int result = use_starter(starter, (struct shared *)(uintptr_t)settings);
	starter_free(starter);
	return result;
}

static void remote_starter_works_through_starter_serve(void **state)
{
	(void)state;
	struct shared *shared = shared_new();
	struct worker_program programs[WORKER_KINDS];
	struct err err;
	pid_t gate;
	int control;
	int status;
	programs_of(programs, shared);
	struct starter_children *children = starter_children_new(programs);
	assert_int_equal(process_start("gate", (struct worker_program){main_gate, shared}, &gate,
			     &control, &err),
	    0);
	int result;
	while ((result = starter_serve(children, control, &err)) == 1)
		;
	assert_int_equal(result, 0);
	assert_int_equal(waitpid(gate, &status, 0), gate);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(is_dead(shared->child));
	starter_children_free(children);
	assert_true(is_dead(shared->child));
	close(control);
	munmap(shared, sizeof *shared);
}

/* The serving side trusts nothing: each of these ends in -1. */
static void serving_side_refuses(struct view packet)
{
	struct worker_program programs[WORKER_KINDS];
	struct err err;
	int control[2];
	programs_of(programs, NULL);
	struct starter_children *children = starter_children_new(programs);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control), 0);
	assert_int_equal(send(control[0], packet.data, packet.len, 0), (ssize_t)packet.len);
	assert_int_equal(starter_serve(children, control[1], &err), -1);
	starter_children_free(children);
	close(control[0]);
	close(control[1]);
}

static void starter_serve_refuses(uint32_t verb, int64_t number)
{
	struct buf packet = BUF_EMPTY(BUF_SMALL);
	put_u32(&packet, verb);
	put_i64(&packet, number);
	serving_side_refuses(buf_view(&packet));
	buf_release(&packet);
}

static void starter_serve_refuses_malformed_requests(void **state)
{
	(void)state;
	serving_side_refuses(VIEW("x"));
	serving_side_refuses(VIEW("\0\0\0\1\0\0\0\0\0\0\0\0\0"));
	starter_serve_refuses(1, WORKER_KINDS);
	starter_serve_refuses(1, -1);
	starter_serve_refuses(3, 0);
	starter_serve_refuses(0, 0);
}

static void starter_serve_kills_nobody_but_its_own_children(void **state)
{
	(void)state;
	const pid_t stranger = fork();
	if (stranger == 0) {
		wait_for_ever();
	}
	starter_serve_refuses(2, stranger);
	starter_serve_refuses(2, -1);
	starter_serve_refuses(2, 0);
	assert_false(is_dead(stranger));
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
}

static int main_asks_in_vain(const void *settings, int fd)
{
	struct starter *starter = starter_remote(fd);
	struct err err;
	pid_t pid;
	int worker;
	const int result = starter_start(starter, WORKER_COURIER, &pid, &worker, &err);
	starter_free(starter);
	return result != 0 && strstr(err.text, settings) != NULL ? 0 : 1;
}

static void remote_starter_says_why_a_worker_cannot_be_started(void **state)
{
	static const char nowhere[] = "/nonexistent/socket";
	struct worker_program programs[WORKER_KINDS];
	struct err err;
	pid_t gate;
	int control;
	int status;
	(void)state;
	programs_of(programs, NULL);
	struct starter_children *children = starter_children_new(programs);
	struct starter *connected = starter_connected(nowhere);
	starter_children_via(children, WORKER_COURIER, connected);
	assert_int_equal(process_start("gate", (struct worker_program){main_asks_in_vain, nowhere},
			     &gate, &control, &err),
	    0);
	while (starter_serve(children, control, &err) == 1)
		;
	assert_int_equal(waitpid(gate, &status, 0), gate);
	assert_int_equal(status, 0);
	starter_children_free(children);
	starter_free(connected);
	close(control);
}

static void remote_starter_says_when_the_other_side_is_gone(void **state)
{
	(void)state;
	int control[2];
	struct err err;
	pid_t pid;
	int fd;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control), 0);
	struct starter *starter = starter_remote(control[0]);
	close(control[1]);
	assert_int_equal(starter_start(starter, WORKER_READER, &pid, &fd, &err), -1);
	starter_free(starter);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(child_has_its_socket_and_no_other_descriptor),
	    cmocka_unit_test(child_has_default_signals_and_an_empty_mask),
	    cmocka_unit_test(child_leads_a_group_and_leaves_no_core),
	    cmocka_unit_test(our_end_is_close_on_exec),
	    cmocka_unit_test(killing_the_parent_kills_the_child),
	    cmocka_unit_test(direct_starter_kills_the_group_and_what_is_left),
	    cmocka_unit_test(remote_starter_works_through_starter_serve),
	    cmocka_unit_test(starter_serve_refuses_malformed_requests),
	    cmocka_unit_test(starter_serve_kills_nobody_but_its_own_children),
	    cmocka_unit_test(remote_starter_says_why_a_worker_cannot_be_started),
	    cmocka_unit_test(remote_starter_says_when_the_other_side_is_gone),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("worker_spawn", tests, NULL, NULL);
}
