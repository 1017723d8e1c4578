#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
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
#include "config/config.h"
#include "dewlined/ready.h"

static char directory[] = "/tmp/dl.XXXXXX";
static struct config config;

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	return chmod(directory, 0755);
}

static int teardown(void **state)
{
	(void)state;
	struct err err;
	return file_remove_tree(directory, &err);
}

static int begin(void **state)
{
	(void)state;
	config = (struct config){.gateway = {.address = "g@gw.example", .list = "all@gw.example"}};
	snprintf(config.file, sizeof config.file, "/etc/dewline.cfg");
	snprintf(config.state, sizeof config.state, "%s", directory);
	snprintf(config.drop, sizeof config.drop, "%s/drop", directory);
	return 0;
}

typedef int ready_fn(const struct config *config, struct err *err);

static void refuses(ready_fn *ready, const char *const *words)
{
	struct err err = {.text = ""};
	assert_int_equal(ready(&config, &err), -1);
	for (; *words != NULL; words++) {
		if (strstr(err.text, *words) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err.text, *words);
	}
}
#define REFUSES(ready, ...) refuses((ready), (const char *const[]){__VA_ARGS__, NULL})

static void sample_that_nobody_edited_is_refused(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(ready_configuration(&config, &err), 0);
	snprintf(config.gateway.list, sizeof config.gateway.list, "advisories@example.org");
	REFUSES(ready_configuration, "/etc/dewline.cfg", "gateway.list", "sample");
	snprintf(config.gateway.address, sizeof config.gateway.address, "Dewline@Example.org");
	REFUSES(ready_configuration, "gateway.address", "an address of yours");
	snprintf(config.gateway.list, sizeof config.gateway.list, "all@gw.example");
	REFUSES(ready_configuration, "gateway.address");
}

static void address_of_the_sample_is_the_one_that_is_shipped(void **state)
{
	(void)state;
	struct err err;
	struct config shipped;
	assert_int_equal(config_load(TEST_SRCDIR "/conf/dewline.cfg", &shipped, &err), 0);
	assert_int_equal(ready_configuration(&shipped, &err), -1);
	snprintf(shipped.gateway.address, sizeof shipped.gateway.address, "g@gw.example");
	assert_int_equal(ready_configuration(&shipped, &err), -1);
	snprintf(shipped.gateway.list, sizeof shipped.gateway.list, "all@gw.example");
	assert_int_equal(ready_configuration(&shipped, &err), 0);
}

static void user_that_the_system_does_not_know_is_refused(void **state)
{
	(void)state;
	snprintf(config.user, sizeof config.user, "no-such-user-here");
	REFUSES(ready_user, "/etc/dewline.cfg: user", "no-such-user-here", "make that user");
}

/* What root may do, it is not asked for: as somebody else, in a process of its own. */
static int refuses_as_nobody(const char *words)
{
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		struct err err = {.text = ""};
		const uid_t nobody = 65534;
		if (geteuid() == 0 && setresuid(nobody, nobody, nobody) != 0)
			_exit(2);
		_exit(ready_drop(&config, &err) == -1 && strstr(err.text, words) != NULL ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void drop_that_cannot_be_read_and_written_is_refused(void **state)
{
	(void)state;
	static const char *const parts[] = {"", "/new", "/cur", "/tmp"};
	const mode_t modes[] = {0000, 0500, 0300, 0600};
	char part[128];
	struct err err;
	REFUSES(ready_drop, "drop/new", "No such file or directory", "make it");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		snprintf(part, sizeof part, "%s/drop%s", directory, parts[i]);
		assert_int_equal(mkdir(part, 0777), 0);
		assert_int_equal(chmod(part, 0777), 0);
	}
	assert_int_equal(ready_drop(&config, &err), 0);
	for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
		snprintf(part, sizeof part, "%s/drop/new", directory);
		assert_int_equal(chmod(part, modes[m]), 0);
		assert_int_equal(refuses_as_nobody("(Permission denied): give the drop"), 0);
		assert_int_equal(chmod(part, 0777), 0);
	}
	snprintf(part, sizeof part, "%s/drop/cur", directory);
	assert_int_equal(rmdir(part), 0);
	assert_int_equal(ready_drop(&config, &err), 0); /* with a warning: mail goes on */
}

int main(void)
{
	log_open("test", LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(sample_that_nobody_edited_is_refused, begin),
	    cmocka_unit_test_setup(address_of_the_sample_is_the_one_that_is_shipped, begin),
	    cmocka_unit_test_setup(user_that_the_system_does_not_know_is_refused, begin),
	    cmocka_unit_test_setup(drop_that_cannot_be_read_and_written_is_refused, begin),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
