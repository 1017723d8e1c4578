#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "dewlined/state.h"

static char directory[] = "/tmp/dl.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	struct err err;
	return file_remove_tree(directory, &err);
}

static const char *below(const char *name, char out[static 64])
{
	snprintf(out, 64, "%s/%s", directory, name);
	return out;
}

static void refused(const char *state, const char *why)
{
	struct err err = {.text = ""};
	assert_int_equal(state_take(state, &err), -1);
	if (strstr(err.text, why) == NULL || strstr(err.text, state) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void directory_open_to_others_is_refused(void **state)
{
	(void)state;
	const mode_t modes[] = {0755, 0710, 0701, 0770};
	char path[64];
	below("open", path);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		refused(path, "chmod 700");
	}
}

static void missing_directory_or_another_kind_of_file_is_refused(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	refused(below("missing", path), "dewctl init");
	assert_int_equal(file_write(below("file", path), VIEW(""), 0600, &err), 0);
	refused(path, "no directory");
}

static void directory_of_somebody_else_is_refused(void **state)
{
	(void)state;
	char path[64];
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(below("other", path), 0700), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	refused(path, "another user");
}

static void store_that_is_missing_is_refused(void **state)
{
	(void)state;
	char path[64];
	char store[80];
	struct err err = {.text = ""};
	assert_int_equal(mkdir(below("empty", path), 0700), 0);
	assert_int_equal(state_find_store(path, &err), -1);
	assert_non_null(strstr(err.text, "run `dewctl init`"));
	snprintf(store, sizeof store, "%s/store.db", path);
	assert_int_equal(file_write(store, VIEW(""), 0600, &err), 0);
	assert_int_equal(state_find_store(path, &err), 0);
}

/* As after a backup that root put back with cp. */
static void store_of_somebody_else_is_refused(void **state)
{
	(void)state;
	char path[64];
	char store[80];
	struct err err = {.text = ""};
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(below("restored", path), 0700), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	snprintf(store, sizeof store, "%s/store.db", path);
	assert_int_equal(file_write(store, VIEW(""), 0600, &err), 0);
	const pid_t daemon = fork();
	if (daemon == 0) {
		if (chmod(directory, 0711) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		_exit(state_find_store(path, &err) == -1 && strstr(err.text, "chown") != NULL ? 0
											      : 1);
	}
	int status;
	waitpid(daemon, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A process that takes the directory as dewlined does, and has it until it is killed. */
static pid_t first_daemon(int (*take)(const char *path, struct err *err), const char *path)
{
	int ready[2];
	char taken = 'n';
	assert_int_equal(pipe(ready), 0);
	const pid_t first = fork();
	if (first == 0) {
		struct err err;
		taken = take(path, &err) == 0 ? 'y' : 'n';
		if (write(ready[1], &taken, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &taken, 1), 1);
	assert_int_equal(taken, 'y');
	close(ready[0]);
	close(ready[1]);
	return first;
}

static void end(pid_t first)
{
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
}

static void second_daemon_is_refused_and_told_who_has_the_state(void **state)
{
	(void)state;
	char path[64], other[64], holder[32];
	struct err err;
	assert_int_equal(mkdir(below("state", path), 0700), 0);
	assert_int_equal(file_write(below("state/lock", other), VIEW(""), 0600, &err), 0);
	const pid_t first = first_daemon(state_take, path);
	snprintf(holder, sizeof holder, "in use by process %d (", (int)first);
	refused(path, holder);
	/* Whatever becomes of what lies in it, and by whatever path it is reached. */
	unlink(other);
	refused(path, holder);
	assert_int_equal(file_write(other, VIEW(""), 0600, &err), 0);
	refused(path, holder);
	assert_int_equal(symlink(path, below("link", other)), 0);
	refused(other, holder);
	assert_int_equal(rename(path, below("moved", other)), 0);
	refused(other, holder);
	end(first);
	assert_int_equal(state_take(other, &err), 0); /* the lock went with its process */
}

static void drop_of_another_gateway_is_refused_and_a_missing_one_is_not(void **state)
{
	(void)state;
	char path[64], link[64], holder[32];
	struct err err = {.text = ""};
	assert_int_equal(state_take_drop(below("drop", path), &err), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink(path, below("drop-link", link)), 0);
	const pid_t first = first_daemon(state_take_drop, path);
	assert_int_equal(state_take_drop(link, &err), -1);
	snprintf(holder, sizeof holder, "in use by process %d (", (int)first);
	assert_non_null(strstr(err.text, holder));
	assert_non_null(strstr(err.text, "take each other's mail"));
	end(first);
	assert_int_equal(state_take_drop(path, &err), 0);
}

/* gpg-connect-agent exits with 0 in either case; only a living agent prints its "OK". */
static bool agent_answers(const char *home, const char *option)
{
	char line[256];
	snprintf(line, sizeof line,
	    "gpg-connect-agent %s --homedir %s 'getinfo pid' /bye 2>/dev/null | grep -q OK", option,
	    home);
	return system(line) == 0;
}

static void agent_of_the_state_is_ended(void **state)
{
	(void)state;
	char path[64];
	char home[64];
	if (access("/usr/bin/gpg-connect-agent", X_OK) != 0)
		skip();
	assert_int_equal(mkdir(below("gpg", path), 0700), 0);
	assert_int_equal(mkdir(below("gpg/gnupg", home), 0700), 0);
	assert_int_equal(mkdir(below("gpg/gnupg/r", home), 0700), 0);
	assert_false(agent_answers(home, "--no-autostart"));
	assert_true(agent_answers(home, ""));
	assert_true(agent_answers(home, "--no-autostart"));
	state_stop_agent(path, "r");
	assert_false(agent_answers(home, "--no-autostart"));
}

static void no_agent_to_end_is_no_trouble(void **state)
{
	(void)state;
	char path[64];
	state_stop_agent(below("missing", path), "r");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(directory_open_to_others_is_refused),
	    cmocka_unit_test(missing_directory_or_another_kind_of_file_is_refused),
	    cmocka_unit_test(directory_of_somebody_else_is_refused),
	    cmocka_unit_test(store_that_is_missing_is_refused),
	    cmocka_unit_test(store_of_somebody_else_is_refused),
	    cmocka_unit_test(second_daemon_is_refused_and_told_who_has_the_state),
	    cmocka_unit_test(drop_of_another_gateway_is_refused_and_a_missing_one_is_not),
	    cmocka_unit_test(agent_of_the_state_is_ended),
	    cmocka_unit_test(no_agent_to_end_is_no_trouble),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("dewlined_state", tests, setup, teardown);
}
