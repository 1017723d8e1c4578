#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "worker/sandbox.h"
#include "worker/sandbox_parts.h"

enum { PATH_SIZE = 64, NOT_ENTERED = 200, TOO_FEW = 8, MEGABYTE = 1024 * 1024 };

static char directory[] = "/tmp/dl.XXXXXX";

static const char *below(const char *name, char out[static PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s", directory, name);
	return out;
}

static int setup(void **state)
{
	char path[PATH_SIZE];
	struct err err;
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	return mkdir(below("in", path), 0700) != 0 || mkdir(below("out", path), 0700) != 0 ||
		       file_write(below("in/file", path), VIEW("in"), 0600, &err) != 0 ||
		       file_write(below("out/file", path), VIEW("out"), 0600, &err) != 0
		   ? -1
		   : 0;
}

static int teardown(void **state)
{
	struct err err;
	(void)state;
	return file_remove_tree(directory, &err);
}

/* A child that does one thing; its wait status. */
typedef int deed_fn(void);

static int status_of(deed_fn *deed)
{
	int status;
	const pid_t pid = fork();
	if (pid == 0)
		_exit(deed());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void does(deed_fn *deed, int code)
{
	const int status = status_of(deed);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("wait status 0x%x and not exit status %d", (unsigned)status, code);
}

static void dies(deed_fn *deed)
{
	const int status = status_of(deed);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("wait status 0x%x and not SIGSYS", (unsigned)status);
}

static void quiet(void)
{
	const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(nothing, STDERR_FILENO);
}

static struct config settings(enum config_sandbox mode)
{
	return (struct config){.sandbox = mode};
}

/* -- system calls -- */

static void every_name_in_the_tables_is_one(void **state)
{
	(void)state;
	const char *unknown = sandbox_unknown_call();
	if (unknown != NULL)
		fail_msg("%s is no system call that libseccomp knows", unknown);
}

static void enter(unsigned groups)
{
	const struct config config = settings(CONFIG_SANDBOX_REQUIRED);
	struct sandbox *sandbox = sandbox_new("a test", &config);
	struct err err;
	sandbox_allow(sandbox, groups);
	sandbox_write(sandbox, "/dev/null");
	if (sandbox_enter(sandbox, &err) != 0)
		_exit(NOT_ENTERED);
}

static int opens_without_leave(void)
{
	enter(0);
	return open("/dev/null", O_RDONLY);
}

static int opens_with_leave(void)
{
	enter(CALLS_READ_FILES);
	return open("/dev/null", O_RDONLY) >= 0 ? 0 : errno;
}

static int makes_a_socket(void)
{
	enter(CALLS_READ_FILES | CALLS_WRITE_FILES | CALLS_WATCH);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int makes_an_internet_socket(void)
{
	enter(CALLS_UNIX_SOCKETS);
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int makes_a_packet_socket(void)
{
	enter(CALLS_UNIX_SOCKETS | CALLS_INTERNET);
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int makes_sockets(void)
{
	enter(CALLS_UNIX_SOCKETS | CALLS_INTERNET);
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 && socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int forks(void)
{
	enter(CALLS_READ_FILES | CALLS_WRITE_FILES);
	return fork() == 0 ? 0 : 1;
}

static int makes_a_user_namespace(void)
{
	enter(CALLS_FORK);
	return unshare(CLONE_NEWUSER);
}

static int executes(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	enter(CALLS_FORK | CALLS_CODE);
	return execv("/bin/true", argv);
}

static int makes_code(void)
{
	enter(0);
	mmap(NULL, MEGABYTE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int turns_data_into_code(void)
{
	enter(0);
	void *data =
	    mmap(NULL, MEGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return 1;
	mprotect(data, MEGABYTE, PROT_READ | PROT_EXEC);
	return 0;
}

static int aborts(void)
{
	enter(0);
	abort();
}

static int computes(void)
{
	enter(0);
	char *large = malloc(64 * MEGABYTE);
	if (large == NULL)
		return 1;
	memset(large, 1, 64 * MEGABYTE);
	free(large);
	struct stat about;
	const int memory = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return write(memory, "x", 1) == 1 && fstat(memory, &about) == 0 && about.st_size == 1 &&
		       fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE) == 0 && isatty(memory) == 0
		   ? 0
		   : 2;
}

static void call_without_leave_ends_the_process(void **state)
{
	(void)state;
	deed_fn *const deeds[] = {opens_without_leave, makes_a_socket, makes_an_internet_socket,
	    makes_a_packet_socket, forks, makes_a_user_namespace, executes, makes_code,
	    turns_data_into_code};
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		dies(deeds[i]);
}

static void call_with_leave_works(void **state)
{
	(void)state;
	does(opens_with_leave, 0);
	does(makes_sockets, 0);
	does(computes, 0);
}

static void abort_is_an_abort(void **state)
{
	(void)state;
	const int status = status_of(aborts);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* -- files -- */

static int uses_files(void)
{
	const struct config config = settings(CONFIG_SANDBOX_REQUIRED);
	struct sandbox *sandbox = sandbox_new("a test", &config);
	char path[PATH_SIZE], to[PATH_SIZE];
	struct err err;
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES);
	sandbox_write(sandbox, below("in", path));
	sandbox_read(sandbox, below("missing", path));
	if (sandbox_enter(sandbox, &err) != 0)
		return NOT_ENTERED;
	if (open(below("in/file", path), O_RDWR) < 0 || open("/", O_RDONLY) >= 0 || errno != EACCES)
		return 1;
	if (open(below("out/file", path), O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	if (truncate(path, 0) == 0 || unlink(path) == 0 || errno != EACCES)
		return 3;
	if (rename(below("in/file", path), below("out/moved", to)) == 0)
		return 4;
	return link(below("in/file", path), below("in/other", to)) == 0 && unlink(to) == 0 ? 0 : 5;
}

static int only_reads(void)
{
	const struct config config = settings(CONFIG_SANDBOX_REQUIRED);
	struct sandbox *sandbox = sandbox_new("a test", &config);
	char path[PATH_SIZE];
	struct err err;
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES);
	sandbox_read(sandbox, below("in", path));
	if (sandbox_enter(sandbox, &err) != 0)
		return NOT_ENTERED;
	if (open(below("in/file", path), O_RDONLY) < 0)
		return 1;
	if (open(path, O_WRONLY) >= 0 || errno != EACCES)
		return 2;
	return mkdir(below("in/new", path), 0700) != 0 && errno == EACCES ? 0 : 3;
}

static void only_what_is_allowed_can_be_opened(void **state)
{
	(void)state;
	does(uses_files, 0);
	does(only_reads, 0);
}

/* A path in the settings counts for who uses files of the system. */
static int uses_a_path_of_the_settings(void)
{
	struct config config = settings(CONFIG_SANDBOX_REQUIRED);
	char path[PATH_SIZE];
	struct err err;
	snprintf(config.sandbox_read, sizeof config.sandbox_read, "/nowhere:%s/in", directory);
	snprintf(config.sandbox_write, sizeof config.sandbox_write, "%s/out", directory);
	struct sandbox *sandbox = sandbox_new("a test", &config);
	sandbox_system(sandbox);
	if (sandbox_enter(sandbox, &err) != 0)
		return NOT_ENTERED;
	return open(below("in/file", path), O_RDONLY) >= 0 && open(path, O_WRONLY) < 0 &&
		       open(below("out/file", path), O_WRONLY) >= 0 && chmod(path, 0600) == 0
		   ? 0
		   : 1;
}

static void paths_of_the_settings_are_added(void **state)
{
	(void)state;
	does(uses_a_path_of_the_settings, 0);
}

/* -- limits -- */

static int takes_too_much(void)
{
	const struct config config = settings(CONFIG_SANDBOX_REQUIRED);
	struct sandbox *sandbox = sandbox_new("a test", &config);
	struct rlimit limit;
	struct err err;
	sandbox_limit(sandbox, RLIMIT_AS, (uint64_t)64 * MEGABYTE);
	sandbox_limit(sandbox, RLIMIT_NOFILE, TOO_FEW);
	sandbox_allow(sandbox, CALLS_READ_FILES);
	sandbox_write(sandbox, "/dev/null");
	if (sandbox_enter(sandbox, &err) != 0)
		return NOT_ENTERED;
	if (malloc((size_t)128 * MEGABYTE) != NULL)
		return 1;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max != TOO_FEW)
		return 2;
	for (int i = 0; i < TOO_FEW; i++) {
		if (open("/dev/null", O_RDONLY) < 0)
			return errno == EMFILE ? 0 : 3;
	}
	return 4;
}

static void limits_hold(void **state)
{
	(void)state;
	does(takes_too_much, 0);
}

/* -- a kernel that lacks something -- */

/* As on a kernel without it: the call that begins everything says so. */
static void take_away(const char *call)
{
	const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(call), 0) != 0 ||
	    seccomp_load(filter) != 0)
		_exit(NOT_ENTERED);
}

static int starts_without(const char *call, const char *name, enum config_sandbox mode)
{
	const struct config config = settings(mode);
	struct err err = {.text = ""};
	take_away(call);
	quiet();
	const int result = sandbox_check(&config, &err);
	if (result == 0)
		return sandbox_enter(sandbox_new("a test", &config), &err) == 0 ? 0 : 1;
	return strstr(err.text, name) != NULL && strstr(err.text, "\"relaxed\"") != NULL &&
		       sandbox_enter(sandbox_new("a test", &config), &err) != 0
		   ? 2
		   : 3;
}

static int lacks_landlock(void)
{
	return starts_without("landlock_create_ruleset", "Landlock", CONFIG_SANDBOX_REQUIRED);
}

static int lacks_filters(void)
{
	return starts_without("seccomp", "seccomp filters", CONFIG_SANDBOX_REQUIRED);
}

static int lacks_landlock_relaxed(void)
{
	return starts_without("landlock_create_ruleset", "Landlock", CONFIG_SANDBOX_RELAXED);
}

static int lacks_filters_relaxed(void)
{
	return starts_without("seccomp", "seccomp filters", CONFIG_SANDBOX_RELAXED);
}

static int half_relaxed(void)
{
	const struct config config = settings(CONFIG_SANDBOX_RELAXED);
	struct err err;
	take_away("landlock_create_ruleset");
	if (sandbox_enter(sandbox_new("a test", &config), &err) != 0)
		return NOT_ENTERED;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static void what_the_kernel_lacks_is_refused_by_name(void **state)
{
	(void)state;
	does(lacks_landlock, 2);
	does(lacks_filters, 2);
}

static void relaxed_does_without_what_is_missing_and_with_the_rest(void **state)
{
	(void)state;
	does(lacks_landlock_relaxed, 0);
	does(lacks_filters_relaxed, 0);
	dies(half_relaxed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_in_the_tables_is_one),
	    cmocka_unit_test(call_without_leave_ends_the_process),
	    cmocka_unit_test(call_with_leave_works),
	    cmocka_unit_test(abort_is_an_abort),
	    cmocka_unit_test(only_what_is_allowed_can_be_opened),
	    cmocka_unit_test(paths_of_the_settings_are_added),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(what_the_kernel_lacks_is_refused_by_name),
	    cmocka_unit_test(relaxed_does_without_what_is_missing_and_with_the_rest),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("worker_sandbox", tests, setup, teardown);
}
