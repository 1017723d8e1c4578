#include "config.h"

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
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "dewlined/supervise.h"
#include "patience.h"

enum {
	PATIENCE_MS = 10000,
	LONG_GRACE_MS = 8000,
	SHORT_GRACE_MS = 300,
	WORKERS = 3,
	LOOK_US = 5000,
	QUIET_US = 200000
};

/* How the fake gate behaves. */
enum mode { GOOD, DIES_AT_ONCE, DEAF, TALKS_NONSENSE, CLOSES_CONTROL, SPEAKS, COMPLAINS };

/* Seen by the daemon, the gate, the workers and the test alike. */
struct shared {
	volatile enum mode mode;
	volatile int starts;
	volatile int ready; /* starts that came as far as to have their workers */
	volatile pid_t gate;
	volatile pid_t workers[WORKERS];
	volatile int asked_to_end;
	volatile bool saw_notify_socket;
	volatile bool may_speak;
	char pulse[64]; /* the path of its file, "" for none */
};
static struct shared *shared;

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static int main_worker(const void *settings, int fd)
{
	(void)settings;
	(void)fd;
	wait_for_ever();
}

static int behave(struct starter *starter, int control)
{
	sigset_t set;
	int number;
	switch (shared->mode) {
	case GOOD:
		break;
	case DIES_AT_ONCE:
		return 3;
	case DEAF:
		wait_for_ever();
	case TALKS_NONSENSE:
		send(control, "nonsense", 8, 0);
		wait_for_ever();
	case CLOSES_CONTROL:
		starter_free(starter);
		wait_for_ever();
	case COMPLAINS:
		starter_tell(starter, PULSE_WORKER_END, "a vault was lost: it ended");
		starter_tell(starter, PULSE_ERROR, "the disk is full");
		return 1;
	case SPEAKS:
		while (!shared->may_speak)
			usleep(LOOK_US);
		starter_alive(starter);
		starter_alive(starter);
		break;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &number);
	shared->asked_to_end++;
	starter_kill(starter, shared->workers[0]); /* still served while it ends */
	starter_free(starter);
	return 0;
}

static int main_gate(const void *settings, int control)
{
	struct err err;
	sigset_t set;
	(void)settings;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	shared->starts++;
	shared->gate = getpid();
	shared->saw_notify_socket = getenv("NOTIFY_SOCKET") != NULL;
	struct starter *starter = starter_remote(control);
	for (int kind = 0; kind < WORKERS; kind++) {
		pid_t pid;
		int fd;
		if (starter_start(starter, (enum worker_kind)kind, &pid, &fd, &err) != 0)
			return 1;
		shared->workers[kind] = pid;
	}
	shared->ready++;
	return behave(starter, control);
}

/* Gone, or dead and only waiting for its parent to take note. */
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
	for (int ms = 0; ms < patient(PATIENCE_MS); ms += 5) {
		if (is_dead(pid))
			return true;
		usleep(5000);
	}
	return false;
}

static void await_ready(int count)
{
	for (int ms = 0; ms < patient(PATIENCE_MS) && shared->ready < count; ms += 5)
		usleep(5000);
	assert_true(shared->ready >= count);
}

static int setup(void **state)
{
	(void)state;
	shared =
	    mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(shared, sizeof *shared);
}

/* A process that does what dewlined does after its start. */
static pid_t start_daemon(enum mode mode, int64_t grace_ms)
{
	shared->mode = mode;
	const pid_t parent = getpid();
	const pid_t daemon = fork();
	if (daemon != 0)
		return daemon;
	struct pulse_file *pulse = shared->pulse[0] != '\0' ? pulse_open(shared->pulse) : NULL;
	const struct supervision supervision = {
	    .pulse = pulse,
	    .gate = {main_gate, NULL},
	    .workers = {{main_worker, NULL}, {main_worker, NULL}, {main_worker, NULL}},
	    .grace_ms = grace_ms,
	};
	struct err err;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(quiet, STDERR_FILENO);
	_exit(supervise(&supervision, &err) == 0 ? 0 : 1);
}

static void ends_well(pid_t daemon)
{
	int status;
	assert_int_equal(waitpid(daemon, &status, 0), daemon);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(is_dead(shared->gate));
	for (int i = 0; i < WORKERS; i++)
		assert_true(shared->workers[i] == 0 || is_dead(shared->workers[i]));
}

static void sigterm_ends_the_gate_in_good_order_and_all_workers(void **state)
{
	(void)state;
	const int signals[] = {SIGTERM, SIGINT};
	for (int i = 0; i < 2; i++) {
		const pid_t daemon = start_daemon(GOOD, patient(LONG_GRACE_MS));
		await_ready(i + 1);
		const int64_t asked = clock_monotonic_ms();
		kill(daemon, signals[i]);
		ends_well(daemon);
		assert_int_equal(shared->asked_to_end, i + 1);
		assert_true(clock_monotonic_ms() - asked < patient(LONG_GRACE_MS) / 2);
	}
}

static void gate_that_does_not_end_is_killed_after_its_grace(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(DEAF, SHORT_GRACE_MS);
	await_ready(1);
	const int64_t asked = clock_monotonic_ms();
	kill(daemon, SIGTERM);
	ends_well(daemon);
	assert_true(clock_monotonic_ms() - asked >= SHORT_GRACE_MS);
	assert_true(clock_monotonic_ms() - asked < patient(LONG_GRACE_MS) / 2);
}

static void second_signal_does_not_wait(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(DEAF, patient(LONG_GRACE_MS));
	await_ready(1);
	const int64_t asked = clock_monotonic_ms();
	kill(daemon, SIGTERM);
	usleep(100000);
	kill(daemon, SIGTERM);
	ends_well(daemon);
	assert_true(clock_monotonic_ms() - asked < patient(LONG_GRACE_MS) / 2);
}

static void dead_gate_is_started_anew_without_its_old_workers(void **state)
{
	(void)state;
	pid_t old[WORKERS];
	const pid_t daemon = start_daemon(GOOD, patient(LONG_GRACE_MS));
	await_ready(1);
	for (int i = 0; i < WORKERS; i++)
		old[i] = shared->workers[i];
	const pid_t gate = shared->gate;
	kill(gate, SIGKILL);
	await_ready(2);
	assert_true(shared->gate != gate);
	assert_false(is_dead(shared->gate));
	for (int i = 0; i < WORKERS; i++) {
		assert_true(is_dead(old[i]));
		assert_false(is_dead(shared->workers[i]));
	}
	kill(daemon, SIGTERM);
	ends_well(daemon);
}

static void gate_that_cannot_live_is_not_started_in_a_spin(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(DIES_AT_ONCE, patient(LONG_GRACE_MS));
	usleep(1500000);
	/* At 0, 100, 300, 700 and 1500 ms. */
	assert_in_range(shared->starts, 2, 5);
	kill(daemon, SIGTERM);
	ends_well(daemon);
}

static void gate_that_asks_for_nonsense_is_replaced(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(TALKS_NONSENSE, SHORT_GRACE_MS);
	await_ready(1);
	const pid_t gate = shared->gate;
	await_ready(2);
	assert_true(is_dead(gate));
	kill(daemon, SIGTERM);
	ends_well(daemon);
}

static void gate_without_control_socket_is_replaced(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(CLOSES_CONTROL, SHORT_GRACE_MS);
	await_ready(1);
	const pid_t gate = shared->gate;
	await_ready(2);
	assert_true(is_dead(gate));
	kill(daemon, SIGTERM);
	ends_well(daemon);
}

static void hang_up_signal_changes_nothing(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(GOOD, patient(LONG_GRACE_MS));
	await_ready(1);
	const pid_t gate = shared->gate;
	kill(daemon, SIGHUP);
	usleep(100000);
	assert_false(is_dead(daemon));
	assert_false(is_dead(gate));
	assert_int_equal(shared->starts, 1);
	kill(daemon, SIGTERM);
	ends_well(daemon);
}

static void killing_the_daemon_ends_everything(void **state)
{
	(void)state;
	const pid_t daemon = start_daemon(DEAF, patient(LONG_GRACE_MS));
	await_ready(1);
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
	assert_true(dies_soon(shared->gate));
	for (int i = 0; i < WORKERS; i++)
		assert_true(dies_soon(shared->workers[i]));
}

/* The next datagram begins with `text`. */
static void told(int fd, const char *text)
{
	char line[256] = "";
	const struct timeval patience = {.tv_sec = patient(PATIENCE_MS) / 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_true(recv(fd, line, sizeof line - 1, 0) > 0);
	if (strncmp(line, text, strlen(text)) != 0)
		fail_msg("told \"%s\" and not \"%s\"", line, text);
}

/* In the place of a service manager; the socket of what it is told. */
static int listen_in(const char *directory, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "%s/notify", directory);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
	return fd;
}

static pid_t start_service(const struct sockaddr_un *address, enum mode mode)
{
	setenv("NOTIFY_SOCKET", address->sun_path, 1);
	const pid_t daemon = start_daemon(mode, patient(LONG_GRACE_MS));
	unsetenv("NOTIFY_SOCKET");
	return daemon;
}

static void service_whose_gate_cannot_start_ends_at_once(void **state)
{
	(void)state;
	char directory[] = "/tmp/dl.XXXXXX";
	struct sockaddr_un address;
	int status;
	assert_non_null(mkdtemp(directory));
	const int fd = listen_in(directory, &address);
	const pid_t daemon = start_service(&address, COMPLAINS);
	assert_int_equal(waitpid(daemon, &status, 0), daemon);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(shared->starts, 1);
	close(fd);
	unlink(address.sun_path);
	rmdir(directory);
}

/* Whoever looks, with no gate running, reads how often and why it ended. */
static void ends_and_last_words_are_kept(void **state)
{
	(void)state;
	char directory[] = "/tmp/dl.XXXXXX";
	struct pulse pulse = {.stage = PULSE_ENDED};
	struct err err;
	bool found;
	assert_non_null(mkdtemp(directory));
	snprintf(shared->pulse, sizeof shared->pulse, "%s/pulse", directory);
	const pid_t daemon = start_daemon(COMPLAINS, patient(LONG_GRACE_MS));
	for (int ms = 0; ms < patient(PATIENCE_MS); ms += 5) {
		assert_int_equal(pulse_read(shared->pulse, &pulse, &found, &err), 0);
		if (found && pulse_count(&pulse, PULSE_GATE_END, 0) >= 2)
			break;
		usleep(LOOK_US);
	}
	assert_true(pulse_count(&pulse, PULSE_GATE_END, 0) >= 2);
	assert_string_equal(pulse.logs[PULSE_GATE_END].last,
	    "the gate ended (exit status 1), its last error: the disk is full");
	assert_string_equal(pulse.logs[PULSE_WORKER_END].last, "a vault was lost: it ended");
	assert_int_not_equal(pulse.stage, PULSE_RUNS);
	kill(daemon, SIGTERM);
	ends_well(daemon);
	unlink(shared->pulse);
	rmdir(directory);
}

static void gate_that_runs_is_seen_to(void **state)
{
	(void)state;
	char directory[] = "/tmp/dl.XXXXXX";
	struct pulse pulse = {.stage = PULSE_ENDED};
	struct err err;
	bool found;
	assert_non_null(mkdtemp(directory));
	snprintf(shared->pulse, sizeof shared->pulse, "%s/pulse", directory);
	const pid_t daemon = start_daemon(SPEAKS, patient(LONG_GRACE_MS));
	await_ready(1);
	assert_int_equal(pulse_read(shared->pulse, &pulse, &found, &err), 0);
	assert_true(found && pulse.stage == PULSE_STARTS);
	shared->may_speak = true;
	for (int ms = 0; ms < patient(PATIENCE_MS) && pulse.stage != PULSE_RUNS; ms += 5) {
		assert_int_equal(pulse_read(shared->pulse, &pulse, &found, &err), 0);
		usleep(LOOK_US);
	}
	assert_int_equal(pulse.stage, PULSE_RUNS);
	kill(daemon, SIGTERM);
	ends_well(daemon);
	unlink(shared->pulse);
	rmdir(directory);
}

static void service_manager_is_told(void **state)
{
	(void)state;
	char directory[] = "/tmp/dl.XXXXXX";
	struct sockaddr_un address;
	assert_non_null(mkdtemp(directory));
	const int fd = listen_in(directory, &address);
	const pid_t daemon = start_service(&address, SPEAKS);
	await_ready(1);
	usleep(QUIET_US);
	char early;
	assert_int_equal(recv(fd, &early, 1, MSG_DONTWAIT), -1); /* it runs, but is not ready */
	shared->may_speak = true;
	told(fd, "READY=1\n");
	told(fd, "WATCHDOG=1");
	assert_false(shared->saw_notify_socket);
	kill(daemon, SIGTERM);
	told(fd, "STOPPING=1");
	ends_well(daemon);
	close(fd);
	unlink(address.sun_path);
	rmdir(directory);
}

int main(int argc, char **argv)
{
#define SUPERVISE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    SUPERVISE_TEST(sigterm_ends_the_gate_in_good_order_and_all_workers),
	    SUPERVISE_TEST(gate_that_does_not_end_is_killed_after_its_grace),
	    SUPERVISE_TEST(second_signal_does_not_wait),
	    SUPERVISE_TEST(dead_gate_is_started_anew_without_its_old_workers),
	    SUPERVISE_TEST(gate_that_cannot_live_is_not_started_in_a_spin),
	    SUPERVISE_TEST(gate_that_asks_for_nonsense_is_replaced),
	    SUPERVISE_TEST(gate_without_control_socket_is_replaced),
	    SUPERVISE_TEST(hang_up_signal_changes_nothing),
	    SUPERVISE_TEST(killing_the_daemon_ends_everything),
	    SUPERVISE_TEST(service_manager_is_told),
	    SUPERVISE_TEST(service_whose_gate_cannot_start_ends_at_once),
	    SUPERVISE_TEST(ends_and_last_words_are_kept),
	    SUPERVISE_TEST(gate_that_runs_is_seen_to),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewlined_supervise", tests, NULL, NULL);
}
