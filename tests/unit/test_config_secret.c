#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/secret.h"

static char directory[] = "/tmp/dl.XXXXXX";
static char file[64];

static const char *put(const char *name, struct view content)
{
	static char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	assert_int_equal(file_write(path, content, 0600, &err), 0);
	return path;
}

static int setup(void **state)
{
	struct err err;
	char credentials[64];
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(credentials, sizeof credentials, "%s/given", directory);
	assert_int_equal(file_make_dir(credentials, 0700, &err), 0);
	snprintf(file, sizeof file, "%s", put("file", VIEW("of the file\r\nmore\n")));
	return 0;
}

static int teardown(void **state)
{
	struct err err;
	(void)state;
	return file_remove_tree(directory, &err);
}

static void give_credentials(void)
{
	char path[64];
	snprintf(path, sizeof path, "%s/given", directory);
	setenv("CREDENTIALS_DIRECTORY", path, 1);
}

static void reads(const char *name, const char *setting, const char *expected)
{
	struct buf secret = SECRET_EMPTY;
	struct err err;
	if (secret_read(name, setting, &secret, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_text(&secret), expected);
	buf_release(&secret);
}

static void fails(const char *name, const char *setting, const char *why)
{
	struct buf secret = SECRET_EMPTY;
	struct err err = {.text = ""};
	assert_int_equal(secret_read(name, setting, &secret, &err), -1);
	assert_int_equal(secret.len, 0);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" should say \"%s\"", err.text, why);
	buf_release(&secret);
}

static void first_line_of_the_file_counts(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	reads("a", file, "of the file");
	reads("a", put("plain", VIEW(" with blanks ")), " with blanks ");
}

static void credential_of_that_name_goes_before_the_file(void **state)
{
	(void)state;
	give_credentials();
	reads("a", file, "of the file");
	put("given/a", VIEW("given\n"));
	reads("a", file, "given");
	reads("a", "", "given");
	reads("b", file, "of the file");
}

static void named_credential_is_taken_and_nothing_else(void **state)
{
	(void)state;
	give_credentials();
	put("given/a", VIEW("given\n"));
	put("given/c", VIEW("another\n"));
	reads("a", "credential:c", "another");
	fails("a", "credential:missing", "given/missing");
	unsetenv("CREDENTIALS_DIRECTORY");
	fails("a", "credential:c", "credential:c: the service manager hands over no credentials");
}

static void credential_names_leave_no_directory(void **state)
{
	(void)state;
	assert_true(secret_is_credential(view_of("credential:smarthost-password")));
	assert_false(secret_is_credential(view_of("credential:")));
	assert_false(secret_is_credential(view_of("credential:../x")));
	assert_false(secret_is_credential(view_of("credential:a/b")));
	assert_false(secret_is_credential(view_of("/credential:a")));
}

static void what_is_no_secret_is_an_error_that_says_where(void **state)
{
	char large[SECRET_MAX];
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	memset(large, 'x', sizeof large);
	fails("gateway-passphrase", "", "gateway-passphrase: ");
	fails("a", "/nonexistent/x", "/nonexistent/x");
	fails("a", put("empty", VIEW("")), "/empty");
	fails("a", put("blank", VIEW("\nsecond\n")), "/blank");
	fails("a", put("nul", VIEW("a\0b\n")), "/nul");
	fails("a", put("large", (struct view){large, sizeof large}), "/large: it is too long");
}

static void file_that_everybody_can_read_is_refused_and_a_credential_is_not(void **state)
{
	struct err err;
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_check("a", file, &err), 0);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(secret_check("a", file, &err), -1);
	assert_non_null(strstr(err.text, "chmod 600 "));
	assert_non_null(strstr(err.text, file));
	assert_int_equal(chmod(file, 0602), 0);
	assert_int_equal(secret_check("a", file, &err), -1);
	give_credentials();
	assert_int_equal(chmod(put("given/a", VIEW("given\n")), 0644), 0);
	assert_int_equal(secret_check("a", file, &err), 0);
	assert_int_equal(secret_check("b", "credential:a", &err), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_check("a", "credential:a", &err), 0);
	assert_int_equal(secret_check("a", "", &err), 0);
	assert_int_equal(secret_check("a", "/nonexistent/x", &err), 0); /* reading says so */
	assert_int_equal(chmod(file, 0600), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_line_of_the_file_counts),
	    cmocka_unit_test(credential_of_that_name_goes_before_the_file),
	    cmocka_unit_test(named_credential_is_taken_and_nothing_else),
	    cmocka_unit_test(credential_names_leave_no_directory),
	    cmocka_unit_test(what_is_no_secret_is_an_error_that_says_where),
	    cmocka_unit_test(file_that_everybody_can_read_is_refused_and_a_credential_is_not),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("config_secret", tests, setup, teardown);
}
