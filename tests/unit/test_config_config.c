#include "config.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/config.h"

#define REQUIRED                                                                                   \
	"state = \"state\";\n"                                                                     \
	"drop = \"/drop\";\n"                                                                      \
	"gateway: { address = \"gate@example.org\"; list = \"all@example.org\"; };\n"
#define SMARTHOST "smarthost: { host = \"mail.example.org\"; };\n"

enum { SETTINGS_MOST = 100, NAME_SIZE = 64 };

struct names {
	char name[SETTINGS_MOST][NAME_SIZE];
	size_t count;
};

static char directory[] = "/tmp/dl.XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/test.cfg", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	struct err err;
	return file_remove_tree(directory, &err);
}

static void write_file(const char *text)
{
	struct err err;
	assert_int_equal(file_write(path, view_of(text), 0600, &err), 0);
}

static void load(const char *text, struct config *config)
{
	struct err err;
	write_file(text);
	if (config_load(path, config, &err) != 0)
		fail_msg("refused: %s", err.text);
}

/* Refused, and the message begins `FILE:line: setting: ` (line 0: `FILE: setting: `) and holds what
 * is allowed. */
static void refused(const char *text, int line, const char *setting, const char *allowed)
{
	struct config config;
	struct err err = {.text = ""};
	char begin[160];
	write_file(text);
	if (line > 0)
		snprintf(begin, sizeof begin, "%s:%d: %s", path, line, setting);
	else
		snprintf(begin, sizeof begin, "%s: %s", path, setting);
	assert_int_equal(config_load(path, &config, &err), -1);
	if (strncmp(err.text, begin, strlen(begin)) != 0 || strstr(err.text, allowed) == NULL)
		fail_msg("\"%s\" should begin \"%s\" and say \"%s\"", err.text, begin, allowed);
	assert_int_equal(err.whom, ERR_DAEMON);
	assert_int_equal(err.when, ERR_NEVER);
}

/* -- good files -- */

static void defaults_stand_for_what_is_left_out(void **state)
{
	(void)state;
	struct config config;
	load(REQUIRED SMARTHOST, &config);
	char state_path[PATH_MAX];
	assert_non_null(realpath(directory, state_path));
	strcat(state_path, "/state");
	assert_string_equal(config.file, path);
	assert_string_equal(config.state, state_path);
	assert_string_equal(config.drop, "/drop");
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	assert_string_equal(config.gateway.prefix, "DEW");
	assert_string_equal(config.gateway.return_path, "gate@example.org");
	assert_int_equal(config.smarthost.port, 587);
	assert_int_equal(config.smarthost.tls, CONFIG_TLS_STARTTLS);
	assert_string_equal(config.smarthost.user, "");
	assert_int_equal(config.smarthost.connections, 2);
	assert_int_equal(config.retry.first, 60);
	assert_int_equal(config.retry.most, 3600);
	assert_int_equal(config.retry.give_up, 2 * 86400);
	assert_int_equal(config.sealing.vaults, 0);
	assert_int_equal(config.sealing.batch, 300);
	assert_int_equal(config.sealing.shard, 300);
	assert_int_equal(config.limits.message, 35000000);
	assert_int_equal(config.limits.plaintext, 64000000);
	assert_int_equal(config.limits.header, 65536);
	assert_int_equal(config.limits.headers, 500);
	assert_int_equal(config.limits.parts, 200);
	assert_int_equal(config.limits.nesting, 10);
	assert_int_equal(config.limits.clock_skew, 300);
	assert_int_equal(config.limits.drop_age, 2 * 86400);
}

static void values_of_every_type_are_taken(void **state)
{
	(void)state;
	struct config config;
	load(
	    "state = \"/s\"; drop = \"d/e\"; log_level = \"debug\";\n"
	    "gateway: { name = \"Fr\xc3\xbchwarnung\"; prefix = \"AB2\"; address = \"a@b.org\";\n"
	    "  list = \"l@b.org\"; return_path = \"bounce@b.org\"; };\n"
	    "smarthost: { host = \"::1\"; port = 465; tls = \"tls\"; ca_file = \"ca.pem\";\n"
	    "  helo = \"gate.b.org\"; user = \"me\"; password_file = \"/p\"; connections = 64; };\n"
	    "retry: { first = 90; most = \"15m\"; give_up = \"1w\"; };\n",
	    &config);
	assert_string_equal(config.state, "/s");
	assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(config.gateway.name, "Fr\xc3\xbchwarnung");
	assert_string_equal(config.gateway.prefix, "AB2");
	assert_string_equal(config.gateway.return_path, "bounce@b.org");
	assert_string_equal(config.smarthost.host, "::1");
	assert_int_equal(config.smarthost.tls, CONFIG_TLS_TLS);
	assert_string_equal(config.smarthost.helo, "gate.b.org");
	assert_string_equal(config.smarthost.user, "me");
	assert_int_equal(config.smarthost.connections, 64);
	assert_int_equal(config.retry.first, 90);
	assert_int_equal(config.retry.most, 900);
	assert_int_equal(config.retry.give_up, 7 * 86400);
}

static void plain_smarthost_is_taken_on_loopback_only(void **state)
{
	(void)state;
	struct config config;
	const char *good[] = {"localhost", "LocalHost", "127.0.0.1", "127.9.8.7", "::1"};
	const char *bad[] = {"mail.example.org", "10.0.0.1", "::2", "localhost.example.org",
	    "127.example.org", "::ffff:10.0.0.1", "128.0.0.1", "126.255.255.255"};
	char text[512];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		snprintf(text, sizeof text,
		    REQUIRED "smarthost: { host = \"%s\"; tls = \"none\"; };\n", good[i]);
		load(text, &config);
		assert_int_equal(config.smarthost.tls, CONFIG_TLS_NONE);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text,
		    REQUIRED "smarthost: { host = \"%s\";\n tls = \"none\"; };\n", bad[i]);
		refused(text, 5, "smarthost.tls: ", "127.0.0.0/8, ::1 or localhost");
	}
}

/* -- refusals -- */

static void unknown_setting_is_refused_with_those_allowed(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost: {\n host = \"a\";\n prot = 25; };\n", 6, "smarthost.prot: ",
	    "allowed here: host, port, tls, ca_file, helo, user, password_file, connections");
	refused(REQUIRED SMARTHOST "cleartext = true;\n", 5, "cleartext: ",
	    "allowed here: state, drop, log_level, user, sandbox, sandbox_read, "
	    "sandbox_write, gateway, smarthost, imap, courier, retry");
	refused(REQUIRED SMARTHOST "gatewa: { };\n", 5, "gatewa: ", "unknown setting");
	refused(REQUIRED SMARTHOST "limits: { parts: { }; };\n", 5, "limits.parts: ", "a number");
}

static void setting_twice_is_refused(void **state)
{
	(void)state;
	refused(REQUIRED SMARTHOST "drop = \"/other\";\n", 5, "duplicate", "allowed");
}

static void syntax_error_is_refused_with_its_line(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost {\n", 4, "syntax error", "name = value");
	refused("state = \"x", 1, "", "allowed");
}

static void group_that_is_no_group_is_refused(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost = \"mail.example.org\";\n", 4,
	    "smarthost: ", "must be a group: smarthost: { ... }");
}

static void required_settings_are_required(void **state)
{
	(void)state;
	refused(REQUIRED, 0, "smarthost.host: is required", "a host name or an IP address");
	refused(SMARTHOST, 0, "state: is required", "a path");
	refused("state = \"/s\";\n" SMARTHOST, 0, "drop: is required", "a path");
	refused("state = \"/s\"; drop = \"/d\";\n" SMARTHOST, 0, "gateway.address: is required",
	    "a mail address");
	refused("state = \"/s\"; drop = \"/d\"; gateway: { address = \"a@b.org\"; };\n" SMARTHOST,
	    0, "gateway.list: is required", "a mail address");
	refused("state = \"\";\n", 1, "state: ", "a path");
}

static void numbers_out_of_bounds_or_of_another_type_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"0", "65536", "-1", "99999999999999999999L", "\"587\"", "587.0", "true",
	    "[587]", "(587)", "4294967883L"};
	char text[512];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text,
		    REQUIRED "smarthost: { host = \"a\";\n\n port = %s; };\n", bad[i]);
		refused(text, 6, "smarthost.port: ", "a number from 1 to 65535");
	}
}

/* libconfig 1.5 hands over another number in its place, 1.7.3 calls it an error of syntax. */
static void number_that_no_type_can_hold_is_refused_in_its_line(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost: { host = \"a\";\n\n port = 99999999999999999999; };\n", 6, "",
	    "");
}

static void bad_durations_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"\"\"", "\"4 hours\"", "\"0s\"", "0", "-5", "\"2w\"", "\"1.5h\"",
	    "1.5", "\"h\"", "604801"};
	char text[512];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, REQUIRED SMARTHOST "retry: { most = %s; };\n", bad[i]);
		refused(text, 5, "retry.most: ", "a duration from 1s to 1w");
	}
}

static void bad_choices_are_refused(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost: { host = \"localhost\"; tls = \"off\"; };\n", 4,
	    "smarthost.tls: ", "one of \"starttls\", \"tls\", \"none\"");
	refused(REQUIRED SMARTHOST "log_level = \"\";\n", 5, "log_level: ", "one of \"error\"");
	refused(REQUIRED SMARTHOST "log_level = 2;\n", 5, "log_level: ", "one of \"error\"");
}

static void bad_addresses_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"", "gate", "gate@", "@example.org", "a@b.org\\r\\nRCPT TO:<c@d.org>",
	    "Gate <gate@example.org>", "a@b.org, c@d.org"};
	char text[512];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text,
		    "state = \"/s\"; drop = \"/d\";\ngateway: { list = \"a@b.org\"; address = "
		    "\"%s\"; };\n",
		    bad[i]);
		refused(text, 2, "gateway.address: ", "a mail address");
	}
}

static void bad_hosts_are_refused(void **state)
{
	(void)state;
	const char *bad[] = {"", "mail example", "mail:25", "-mail", "mail..org", "smtp://mail",
	    "mail\\n", "[::1]", "user@mail"};
	char text[512];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, REQUIRED "smarthost: { host = \"%s\"; };\n", bad[i]);
		refused(text, 4, "smarthost.host: ", "a host name or an IP address");
	}
}

static void text_that_would_inject_lines_is_refused(void **state)
{
	(void)state;
	refused("gateway: { name = \"a\\r\\nBcc: b\"; };\n", 1, "gateway.name: ", "one line");
	refused("gateway: { name = \"a\\xe2\\x80\\xae\"; };\n", 1, "gateway.name: ", "one line");
	refused("gateway: { name = \"\\xff\"; };\n", 1, "gateway.name: ", "one line");
	refused("gateway: { name = \"\"; };\n", 1, "gateway.name: ", "one line");
	refused("gateway: { prefix = \"dew\"; };\n", 1, "gateway.prefix: ", "A-Z");
	refused("gateway: { prefix = \"2A\"; };\n", 1, "gateway.prefix: ", "A-Z");
	refused("gateway: { prefix = \"ABCDEFGHIJKLM\"; };\n", 1, "gateway.prefix: ", "A-Z");
	refused("drop = \"/a\\nb\";\n", 1, "drop: ", "a path");
}

static void state_path_too_long_for_sockets_is_refused(void **state)
{
	(void)state;
	char text[512];
	char long_path[82];
	struct config config;
	memset(long_path, 'x', sizeof long_path);
	long_path[0] = '/';
	long_path[81] = '\0';
	snprintf(text, sizeof text, "\nstate = \"%s\";\n", long_path);
	refused(text, 2, "state: ", "at most 80 bytes");
	long_path[80] = '\0';
	snprintf(text, sizeof text,
	    "state = \"%s\"; drop = \"/d\"; gateway: { address = \"a@b.org\"; list = \"l@b.org\"; "
	    "};" SMARTHOST,
	    long_path);
	load(text, &config);
	assert_string_equal(config.state, long_path);
}

static void password_never_travels_in_the_clear(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost: { host = \"localhost\"; tls = \"none\";\n user = \"u\";\n"
			 " password_file = \"/p\"; };\n",
	    5, "smarthost.user: ", "\"starttls\" or \"tls\"");
}

static void user_and_password_file_go_together(void **state)
{
	(void)state;
	refused(REQUIRED "smarthost: { host = \"a\"; user = \"u\"; };\n", 4,
	    "smarthost.user: ", "password_file");
	refused(REQUIRED "smarthost: { host = \"a\"; password_file = \"/p\"; };\n", 4,
	    "smarthost.password_file: ", "smarthost.user");
}

static void return_path_without_room_for_its_tag_is_refused(void **state)
{
	(void)state;
	struct config config;
	refused(
	    "state = \"/s\"; drop = \"/d\"; gateway: { address = \"a@b.org\"; list = \"a@b.org\";\n"
	    "return_path = \"1234567890123456789012345678@b.org\"; };\n" SMARTHOST,
	    2, "gateway.return_path: ", "at most 27 characters");
	refused("state = \"/s\"; drop = \"/d\"; gateway: { list = \"a@b.org\";\n"
		"address = \"1234567890123456789012345678@b.org\"; };\n" SMARTHOST,
	    0, "gateway.return_path: ", "at most 27 characters");
	load("state = \"/s\"; drop = \"/d\"; gateway: { list = \"a@b.org\";\n"
	     "address = \"123456789012345678901234567@b.org\"; };\n" SMARTHOST,
	    &config);
}

static void retry_times_must_fit_together(void **state)
{
	(void)state;
	refused(
	    REQUIRED SMARTHOST "retry: { first = \"2h\"; };\n", 0, "retry.most: ", "retry.first");
	refused(REQUIRED SMARTHOST
	    "retry: { first = \"2h\"; most = \"2h\";\n give_up = \"1h\"; };\n",
	    6, "retry.give_up: ", "retry.first");
}

static void file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	struct config config;
	struct err err = {.text = ""};
	assert_int_equal(config_load("/nonexistent/x.cfg", &config, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/x.cfg"));
	assert_int_equal(config_load(directory, &config, &err), -1);
	assert_non_null(strstr(err.text, directory));
}

/* -- the commented file and the manual page -- */

static void add_name(struct names *names, const char *group, struct view name)
{
	assert_true(names->count < SETTINGS_MOST);
	snprintf(names->name[names->count++], NAME_SIZE, "%s%.*s", group, (int)name.len, name.data);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void names_of_table(struct names *names)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	config_print_settings(out);
	fclose(out);
	struct view rest = {text, len};
	struct view line;
	while (view_next_line(&rest, &line)) {
		if (line.len > 0 && line.data[0] != '\t')
			add_name(names, "", line);
	}
	free(text);
}

/* Takes the "#" from each line that shows a default, and notes the setting of each line. */
static void take_apart(struct view rest, struct names *names, struct buf *uncommented)
{
	char group[NAME_SIZE] = "";
	struct view line;
	while (view_next_line(&rest, &line)) {
		struct view text = view_trim(line);
		if (text.len > 1 && text.data[0] == '#' && text.data[1] >= 'a' &&
		    text.data[1] <= 'z')
			text = view_part(text, 1, text.len);
		buf_add_view(uncommented, text);
		buf_add_char(uncommented, '\n');
		struct view name = view_part(text, 0, strcspn(text.len > 0 ? text.data : "", " :"));
		if (text.len == 0 || text.data[0] == '#')
			continue;
		if (view_is(text, "};"))
			group[0] = '\0';
		else if (text.data[text.len - 1] == '{')
			snprintf(group, sizeof group, "%.*s.", (int)name.len, name.data);
		else
			add_name(names, group, name);
	}
}

static void same_names(struct names *found, struct names *wanted)
{
	qsort(found->name, found->count, NAME_SIZE, compare_names);
	qsort(wanted->name, wanted->count, NAME_SIZE, compare_names);
	for (size_t i = 0; i < wanted->count && i < found->count; i++)
		assert_string_equal(found->name[i], wanted->name[i]);
	assert_int_equal(found->count, wanted->count);
}

static void sample_names_every_setting_with_its_default(void **state)
{
	(void)state;
	struct names table = {.count = 0};
	struct names sample = {.count = 0};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct buf uncommented = BUF_EMPTY(BUF_SMALL);
	struct config as_it_is;
	struct config spelled_out;
	struct err err;
	assert_int_equal(file_read(TEST_SRCDIR "/conf/dewline.cfg", &text, &err), 0);
	names_of_table(&table);
	assert_true(table.count > 20);
	take_apart(buf_view(&text), &sample, &uncommented);
	same_names(&sample, &table);
	load(buf_text(&text), &as_it_is);
	load(buf_text(&uncommented), &spelled_out);
	assert_memory_equal(&as_it_is, &spelled_out, sizeof as_it_is);
	buf_release(&text);
	buf_release(&uncommented);
}

static void manual_page_names_every_setting(void **state)
{
	(void)state;
	struct names table = {.count = 0};
	struct names page = {.count = 0};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct err err;
	struct view line;
	bool after_tag = false;
	assert_int_equal(file_read(TEST_SRCDIR "/src/config/dewline.cfg.5", &text, &err), 0);
	names_of_table(&table);
	struct view rest = buf_view(&text);
	while (view_next_line(&rest, &line)) {
		if (after_tag && view_starts_nocase(line, ".B "))
			add_name(&page, "", view_part(line, 3, line.len));
		after_tag = view_is(line, ".TP");
	}
	same_names(&page, &table);
	buf_release(&text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_stand_for_what_is_left_out),
	    cmocka_unit_test(values_of_every_type_are_taken),
	    cmocka_unit_test(plain_smarthost_is_taken_on_loopback_only),
	    cmocka_unit_test(unknown_setting_is_refused_with_those_allowed),
	    cmocka_unit_test(setting_twice_is_refused),
	    cmocka_unit_test(syntax_error_is_refused_with_its_line),
	    cmocka_unit_test(group_that_is_no_group_is_refused),
	    cmocka_unit_test(required_settings_are_required),
	    cmocka_unit_test(numbers_out_of_bounds_or_of_another_type_are_refused),
	    cmocka_unit_test(number_that_no_type_can_hold_is_refused_in_its_line),
	    cmocka_unit_test(bad_durations_are_refused),
	    cmocka_unit_test(bad_choices_are_refused),
	    cmocka_unit_test(bad_addresses_are_refused),
	    cmocka_unit_test(bad_hosts_are_refused),
	    cmocka_unit_test(text_that_would_inject_lines_is_refused),
	    cmocka_unit_test(state_path_too_long_for_sockets_is_refused),
	    cmocka_unit_test(password_never_travels_in_the_clear),
	    cmocka_unit_test(user_and_password_file_go_together),
	    cmocka_unit_test(return_path_without_room_for_its_tag_is_refused),
	    cmocka_unit_test(retry_times_must_fit_together),
	    cmocka_unit_test(file_that_cannot_be_read_is_named),
	    cmocka_unit_test(sample_names_every_setting_with_its_default),
	    cmocka_unit_test(manual_page_names_every_setting),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("config_config", tests, setup, teardown);
}
