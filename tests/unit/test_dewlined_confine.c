/* Each process of the gateway tries what it must not, from the inside: prepared and confined by the
 * functions that its own main calls, one within the other as they are in the daemon. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "courier/courier.h"
#include "dewlined/supervise.h"
#include "gate/gate.h"
#include "mail/charset.h"
#include "mail/reader.h"
#include "other_clock.h"
#include "pgp/vault.h"
#include "store/store.h"
#include "worker/sandbox_parts.h"

enum {
	PATH_SIZE = 128,
	NOT_CONFINED = 200,
	WORKS = 0,
	KILLED = 1000, /* by SIGSYS, in place of an errno */
	LANDLOCK_WITH_PORTS = 4,
	LANDLOCK_WITH_SIGNALS = 6,
	MAIL_MAX = 1024 * 1024,
	BOMB = 1024 * 1024 * 1024,
};

static char directory[] = "/tmp/dl.XXXXXX";
static struct config config;
static uint16_t other_port;
static int landlock; /* its version, asked while we may */

static const char *below(const char *name, char out[static PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s", directory, name);
	return out;
}

/* -- the attempts: 0 or an errno -- */

typedef int attempt_fn(void);

static int try_open(const char *name, int flags)
{
	char path[PATH_SIZE];
	return open(below(name, path), flags | O_CLOEXEC, 0600) >= 0 ? WORKS : errno;
}

static int open_foreign_file(void)
{
	return try_open("foreign", O_RDONLY);
}

static int open_system_file(void)
{
	return open("/etc/group", O_RDONLY | O_CLOEXEC) >= 0 ? WORKS : errno;
}

static int make_foreign_file(void)
{
	return try_open("made", O_WRONLY | O_CREAT);
}

static int open_store(void)
{
	return try_open("state/store.db", O_RDONLY);
}

static int open_key(void)
{
	return try_open("state/gnupg/key", O_RDONLY);
}

static int write_to_home(void)
{
	return try_open("state/gnupg/made", O_WRONLY | O_CREAT);
}

static int read_mail(void)
{
	return try_open("drop/new/mail", O_RDONLY);
}

static int write_mail(void)
{
	return try_open("drop/tmp/made", O_WRONLY | O_CREAT);
}

static int read_password(void)
{
	return try_open("secrets/password", O_RDONLY);
}

static int set_mail_aside(void)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	below("drop/new/mail", from);
	below("drop/cur/mail", to);
	return rename(from, to) == 0 && rename(to, from) == 0 ? WORKS : errno;
}

static int try_connect(int64_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? WORKS : errno;
}

static int connect_to_smarthost(void)
{
	return try_connect(config.smarthost.port);
}

/* Before version 4 of Landlock ports cannot be told apart. */
static int connect_elsewhere(void)
{
	const int failure = try_connect(other_port);
	return landlock < LANDLOCK_WITH_PORTS && failure == WORKS ? EACCES : failure;
}

static int make_local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? WORKS : errno;
}

static struct sockaddr_un couriers_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/couriers", directory);
	return address;
}

static int connect_to_couriers(int fd)
{
	const struct sockaddr_un address = couriers_address();
	if (fd < 0)
		return errno;
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? WORKS : errno;
}

static int connect_to_couriers_by_packets(void)
{
	return connect_to_couriers(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int connect_to_couriers_by_a_stream(void)
{
	return connect_to_couriers(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* One that is of the right type already. */
static int connect_to_couriers_by_half_a_pair(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return errno;
	close(ends[1]);
	shutdown(ends[0], SHUT_RDWR);
	return connect_to_couriers(ends[0]);
}

static int make_datagram_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0 ? WORKS : errno;
}

static int make_pair(void)
{
	int ends[2];
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? WORKS : errno;
}

static int execute_shell(void)
{
	char *const argv[] = {
	    (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t) "exit 0", NULL};
	execv("/bin/sh", argv);
	return errno;
}

/* Executable for all: only the sandbox can stand against it. */
static int execute_from_home(void)
{
	char path[PATH_SIZE];
	char *const argv[] = {(char *)(uintptr_t) "key", NULL};
	chmod(below("state/gnupg/key", path), 0700);
	execv(path, argv);
	return errno;
}

static int execute_gpg(void)
{
	char *const argv[] = {(char *)(uintptr_t) "gpg", (char *)(uintptr_t) "--version", NULL};
	const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(nothing, STDOUT_FILENO);
	execvp("gpg", argv);
	return errno;
}

static int fork_a_child(void)
{
	const pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? WORKS : errno;
}

static int signal_parent(void)
{
	const int failure = kill(getppid(), 0) == 0 ? WORKS : errno;
	return landlock < LANDLOCK_WITH_SIGNALS && failure == WORKS ? EPERM : failure;
}

/* What a process that may not kill(2) could have the kernel do when something comes in. */
static int signal_parent_by_descriptor(void)
{
	return fcntl(STDIN_FILENO, F_SETOWN, getppid()) == 0 ? WORKS : errno;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? WORKS : errno;
}

static int make_code(void)
{
	return mmap(NULL, MAIL_MAX, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		       MAP_FAILED
		   ? WORKS
		   : errno;
}

static int change_root(void)
{
	return chroot("/tmp") == 0 ? WORKS : errno;
}

static int take_all_memory(void)
{
	for (size_t taken = 0; taken < BOMB; taken += MAIL_MAX) {
		if (malloc(MAIL_MAX) == NULL)
			return ENOMEM;
	}
	return WORKS;
}

/* -- the processes -- */

typedef int become_fn(struct err *err);

static int become_dewlined(struct err *err)
{
	return supervise_confine(&config, err);
}

static int become_gate(struct err *err)
{
	char path[PATH_SIZE];
	struct store *store;
	if (gate_confine_starter(&config, err) != 0 ||
	    store_open(below("state/store.db", path), &store, err) != 0)
		return -1;
	return gate_confine(&config, err);
}

static int become_reader(struct err *err)
{
	if (become_dewlined(err) != 0)
		return -1;
	charset_keep();
	return reader_confine(&config, err);
}

/* In the process that starts vaults, and in the vault. */
static int become_vault(struct err *err)
{
	return vault_confine(&config, err) != 0 ? -1 : vault_confine(&config, err);
}

/* As dewctl, which has no other sandbox. */
static int become_who_runs_gpg(struct err *err)
{
	return vault_confine_programs(&config, err);
}

static int become_courier(struct err *err)
{
	return courier_confine_starter(&config, err) != 0 ? -1 : courier_confine(&config, err);
}

static int become_courier_starter(struct err *err)
{
	return courier_confine_starter(&config, err);
}

struct
try {
	become_fn *become;
	attempt_fn *attempt;
};

static int try_main(const void *settings, int fd)
{
	const struct try *try = settings;
	struct err err;
	(void)fd;
	if (try->become(&err) == 0)
		return try->attempt();
	log_error("%s", err.text);
	return NOT_CONFINED;
}

static int outcome(become_fn *become, attempt_fn *attempt)
{
	const struct try try = {become, attempt};
	struct err err;
	pid_t pid;
	int fd;
	int status;
	assert_int_equal(
	    process_start("test", (struct worker_program){try_main, &try}, &pid, &fd, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLED;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

struct expected {
	const char *what;
	attempt_fn *attempt;
	int outcome;
};

static void holds(become_fn *become, const struct expected *expected, size_t count)
{
	bool good = true;
	for (size_t i = 0; i < count; i++) {
		const int got = outcome(become, expected[i].attempt);
		if (got == expected[i].outcome)
			continue;
		print_error("%s: %s and not %s\n", expected[i].what,
		    got == KILLED ? "killed" : strerror(got),
		    expected[i].outcome == KILLED ? "killed" : strerror(expected[i].outcome));
		good = false;
	}
	assert_true(good);
}

#define HOLDS(become, table) holds(become, table, sizeof(table) / sizeof((table)[0]))

static void dewlined_reaches_no_network_and_executes_nothing(void **state)
{
	static const struct expected expected[] = {
	    {"a file of others", open_foreign_file, EACCES},
	    {"a file of the system", open_system_file, EACCES},
	    {"a new file elsewhere", make_foreign_file, EACCES},
	    {"the password", read_password, EACCES},
	    {"its store", open_store, EACCES},
	    {"mail", read_mail, EACCES},
	    {"the gateway's key", open_key, EACCES},
	    {"the smarthost", connect_to_smarthost, KILLED},
	    {"a shell", execute_shell, KILLED},
	    {"gpg", execute_gpg, KILLED},
	    {"the memory of others", trace_parent, KILLED},
	    {"signals to others", signal_parent, EPERM},
	    {"another root", change_root, KILLED},
	    {"a child", fork_a_child, WORKS},
	};
	(void)state;
	HOLDS(become_dewlined, expected);
}

static void gate_has_its_store_and_drop_and_no_keys_no_network_no_program(void **state)
{
	static const struct expected expected[] = {
	    {"its store", open_store, WORKS},
	    {"mail", read_mail, WORKS},
	    {"mail set aside", set_mail_aside, WORKS},
	    {"the gateway's key", open_key, EACCES},
	    {"the GnuPG home", write_to_home, EACCES},
	    {"a file of others", open_foreign_file, EACCES},
	    {"a file of the system", open_system_file, EACCES},
	    {"a new file elsewhere", make_foreign_file, EACCES},
	    {"the password", read_password, EACCES},
	    {"the smarthost", connect_to_smarthost, KILLED},
	    {"a local socket", make_local_socket, KILLED},
	    {"a shell", execute_shell, KILLED},
	    {"a child", fork_a_child, KILLED},
	    {"signals to others", signal_parent, KILLED},
	    {"signals by way of a descriptor", signal_parent_by_descriptor, KILLED},
	    {"the memory of others", trace_parent, KILLED},
	    {"new code", make_code, KILLED},
	};
	(void)state;
	HOLDS(become_gate, expected);
}

static void reader_opens_connects_and_executes_nothing(void **state)
{
	static const struct expected expected[] = {
	    {"mail", read_mail, KILLED},
	    {"its store", open_store, KILLED},
	    {"the gateway's key", open_key, KILLED},
	    {"a file of others", open_foreign_file, KILLED},
	    {"a new file elsewhere", make_foreign_file, KILLED},
	    {"the smarthost", connect_to_smarthost, KILLED},
	    {"a local socket", make_local_socket, KILLED},
	    {"a shell", execute_shell, KILLED},
	    {"a child", fork_a_child, KILLED},
	    {"signals to others", signal_parent, KILLED},
	    {"signals by way of a descriptor", signal_parent_by_descriptor, KILLED},
	    {"the memory of others", trace_parent, KILLED},
	    {"new code", make_code, KILLED},
	    {"all memory", take_all_memory, ENOMEM},
	};
	(void)state;
	HOLDS(become_reader, expected);
}

static void vault_has_its_home_and_runs_gnupg_alone(void **state)
{
	static const struct expected expected[] = {
	    {"the GnuPG home", write_to_home, WORKS},
	    {"the gateway's key", open_key, WORKS},
	    {"gpg", execute_gpg, WORKS},
	    {"a local socket", make_local_socket, WORKS},
	    {"couriers of another service, by packets", connect_to_couriers_by_packets,
		EPROTONOSUPPORT},
	    {"couriers of another service, by a stream", connect_to_couriers_by_a_stream,
		EPROTOTYPE},
	    {"couriers of another service, by half a pair", connect_to_couriers_by_half_a_pair,
		EISCONN},
	    {"the service manager", make_datagram_socket, EPROTONOSUPPORT},
	    {"its store", open_store, EACCES},
	    {"mail", read_mail, EACCES},
	    {"a file of others", open_foreign_file, EACCES},
	    {"a file of the system", open_system_file, EACCES},
	    {"a new file elsewhere", make_foreign_file, EACCES},
	    {"the password", read_password, EACCES},
	    {"the smarthost", connect_to_smarthost, KILLED},
	    {"a shell", execute_shell, EACCES},
	    {"signals to others", signal_parent, EPERM},
	    {"the memory of others", trace_parent, KILLED},
	    {"another root", change_root, KILLED},
	};
	(void)state;
	HOLDS(become_vault, expected);
}

static void who_runs_gpg_without_a_sandbox_executes_nothing_else(void **state)
{
	static const struct expected expected[] = {
	    {"gpg", execute_gpg, WORKS},
	    {"a shell", execute_shell, EACCES},
	    {"what lies in the home", execute_from_home, EACCES},
	    {"a file of others", open_foreign_file, WORKS},
	    {"a file that is moved", set_mail_aside, WORKS},
	    {"the smarthost", connect_to_smarthost, WORKS},
	};
	(void)state;
	HOLDS(become_who_runs_gpg, expected);
}

static void courier_has_the_network_and_no_keys_no_store_no_program(void **state)
{
	static const struct expected expected[] = {
	    {"the smarthost", connect_to_smarthost, WORKS},
	    {"the password", read_password, WORKS},
	    {"another server", connect_elsewhere, EACCES},
	    {"mail", read_mail, EACCES},
	    {"a new mail", write_mail, EACCES},
	    {"its store", open_store, EACCES},
	    {"the gateway's key", open_key, EACCES},
	    {"a file of others", open_foreign_file, EACCES},
	    {"a file of the system", open_system_file, EACCES},
	    {"a new file elsewhere", make_foreign_file, EACCES},
	    {"the gpg-agent", make_local_socket, EAFNOSUPPORT},
	    {"a shell", execute_shell, KILLED},
	    {"a child", fork_a_child, KILLED},
	    {"signals to others", signal_parent, KILLED},
	    {"signals by way of a descriptor", signal_parent_by_descriptor, KILLED},
	    {"the memory of others", trace_parent, KILLED},
	};
	(void)state;
	HOLDS(become_courier, expected);
}

static void starter_of_couriers_has_what_they_have_and_children(void **state)
{
	static const struct expected expected[] = {
	    {"a child", fork_a_child, WORKS},
	    {"a pair of sockets for it", make_pair, WORKS},
	    {"the gpg-agent", make_local_socket, EAFNOSUPPORT},
	    {"its store", open_store, EACCES},
	    {"the gateway's key", open_key, EACCES},
	    {"a shell", execute_shell, KILLED},
	};
	(void)state;
	HOLDS(become_courier_starter, expected);
}

static void courier_of_a_mailbox_writes_to_the_drop(void **state)
{
	static const struct expected expected[] = {
	    {"a new mail", write_mail, WORKS},
	    {"its store", open_store, EACCES},
	    {"a new file elsewhere", make_foreign_file, EACCES},
	};
	(void)state;
	snprintf(config.imap.server, sizeof config.imap.server, "127.0.0.1");
	HOLDS(become_courier, expected);
	config.imap.server[0] = '\0';
}

/* -- the place -- */

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof address;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(fd, SOMAXCONN) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return -1;
	*port = ntohs(address.sin_port);
	return 0;
}

static int listen_for_couriers(void)
{
	const struct sockaddr_un address = couriers_address();
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
			       listen(fd, SOMAXCONN) != 0
		   ? -1
		   : 0;
}

static int setup(void **state)
{
	static const char *const directories[] = {
	    "state", "state/gnupg", "drop", "drop/tmp", "drop/new", "drop/cur", "secrets"};
	static const char *const files[] = {
	    "foreign", "state/gnupg/key", "drop/new/mail", "secrets/password"};
	char path[PATH_SIZE];
	struct err err;
	uint16_t port;
	(void)state;
	landlock = landlock_version();
	if (mkdtemp(directory) == NULL || listen_somewhere(&port) != 0 ||
	    listen_somewhere(&other_port) != 0 || listen_for_couriers() != 0)
		return -1;
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		if (mkdir(below(directories[i], path), 0700) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (file_write(below(files[i], path), VIEW("x\n"), 0600, &err) != 0)
			return -1;
	}
	below("state", config.state);
	below("drop", config.drop);
	below("secrets/password", config.smarthost.password_file);
	config.smarthost.port = port;
	config.limits.message = MAIL_MAX;
	config.limits.plaintext = MAIL_MAX;
	allow_other_clock(&config);
	return store_create(below("state/store.db", path), &err);
}

static int teardown(void **state)
{
	struct err err;
	(void)state;
	return file_remove_tree(directory, &err);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dewlined_reaches_no_network_and_executes_nothing),
	    cmocka_unit_test(gate_has_its_store_and_drop_and_no_keys_no_network_no_program),
	    cmocka_unit_test(reader_opens_connects_and_executes_nothing),
	    cmocka_unit_test(vault_has_its_home_and_runs_gnupg_alone),
	    cmocka_unit_test(who_runs_gpg_without_a_sandbox_executes_nothing_else),
	    cmocka_unit_test(courier_has_the_network_and_no_keys_no_store_no_program),
	    cmocka_unit_test(starter_of_couriers_has_what_they_have_and_children),
	    cmocka_unit_test(courier_of_a_mailbox_writes_to_the_drop),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewlined_confine", tests, setup, teardown);
}
