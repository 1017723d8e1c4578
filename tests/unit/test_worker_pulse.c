#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/pulse.h"

static char directory[] = "/tmp/dl.XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/pulse", directory);
	return 0;
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
	unlink(path);
	return 0;
}

static struct pulse seen(void)
{
	struct pulse pulse;
	struct err err;
	bool found;
	assert_int_equal(pulse_read(path, &pulse, &found, &err), 0);
	assert_true(found);
	return pulse;
}

static void what_is_noted_is_read(void **state)
{
	(void)state;
	const int64_t before = clock_now();
	struct pulse_file *file = pulse_open(path);
	assert_int_equal(seen().stage, PULSE_STARTS);
	assert_int_equal(seen().pid, getpid());
	pulse_stage(file, PULSE_RUNS);
	pulse_note(file, PULSE_ERROR, "no\nroom");
	const struct pulse pulse = seen();
	assert_int_equal(pulse.stage, PULSE_RUNS);
	assert_true(pulse.since >= before && pulse.seen >= before);
	assert_true(pulse.seen_ms <= clock_monotonic_ms());
	assert_int_equal(pulse_count(&pulse, PULSE_ERROR, before), 1);
	assert_int_equal(pulse_count(&pulse, PULSE_GATE_END, 0), 0);
	assert_null(strchr(pulse.logs[PULSE_ERROR].last, '\n'));
	pulse_free(file);
}

static void ends_are_kept_over_a_new_start_and_a_killed_dewlined_is_one(void **state)
{
	(void)state;
	struct pulse_file *file = pulse_open(path);
	pulse_note(file, PULSE_GATE_END, "first");
	pulse_stage(file, PULSE_RUNS);
	pulse_free(file); /* as a kill does */
	file = pulse_open(path);
	struct pulse pulse = seen();
	assert_int_equal(pulse_count(&pulse, PULSE_GATE_END, 0), 1);
	assert_int_equal(pulse_count(&pulse, PULSE_DAEMON_END, 0), 1);
	assert_non_null(strstr(pulse.logs[PULSE_DAEMON_END].last, "without a word"));
	pulse_stage(file, PULSE_ENDED);
	pulse_free(file);
	file = pulse_open(path);
	pulse = seen();
	assert_int_equal(pulse_count(&pulse, PULSE_DAEMON_END, 0), 1);
	pulse_free(file);
}

static void only_the_last_hour_is_counted_and_never_more_than_there_is_room(void **state)
{
	(void)state;
	struct pulse_file *file = pulse_open(path);
	for (int i = 0; i < 3 * PULSE_KEPT; i++)
		pulse_note(file, PULSE_WORKER_END, "again");
	const struct pulse pulse = seen();
	assert_int_equal(pulse_count(&pulse, PULSE_WORKER_END, 0), PULSE_KEPT);
	assert_int_equal(
	    pulse_count(&pulse, PULSE_WORKER_END, pulse_last_at(&pulse, PULSE_WORKER_END) + 1), 0);
	pulse_free(file);
}

static void text_of_any_length_is_cut_between_characters(void **state)
{
	(void)state;
	struct pulse_file *file = pulse_open(path);
	for (size_t shift = 0; shift < 4; shift++) {
		char text[3 * PULSE_TEXT_SIZE] = "";
		for (size_t i = 0; i < shift; i++)
			text[i] = 'a';
		while (strlen(text) + 4 < sizeof text)
			strcat(text, "\xe2\x82\xac");
		pulse_note(file, PULSE_ERROR, text);
		const struct pulse pulse = seen();
		const char *last = pulse.logs[PULSE_ERROR].last;
		assert_true(strlen(last) >= PULSE_TEXT_SIZE - 4);
		assert_true(text_is_utf8(view_of(last)));
	}
	pulse_free(file);
}

static void foreign_or_torn_file_is_none(void **state)
{
	(void)state;
	struct pulse pulse;
	struct err err;
	bool found = true;
	assert_int_equal(pulse_read(path, &pulse, &found, &err), 0);
	assert_false(found);
	static const char *const contents[] = {"", "dewpulse", "some other file of this name"};
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		assert_int_equal(file_write(path, view_of(contents[i]), 0600, &err), 0);
		assert_int_equal(pulse_read(path, &pulse, &found, &err), 0);
		assert_false(found);
		struct pulse_file *file = pulse_open(path); /* and is written over */
		assert_int_equal(seen().stage, PULSE_STARTS);
		pulse_free(file);
		assert_int_equal(truncate(path, 100), 0);
		assert_int_equal(pulse_read(path, &pulse, &found, &err), 0);
		assert_false(found);
	}
}

/* The next change finds room again; until then all goes on. */
static void what_cannot_be_written_holds_nothing_up(void **state)
{
	(void)state;
	struct err err;
	char missing[96];
	snprintf(missing, sizeof missing, "%s/none/pulse", directory);
	struct pulse_file *file = pulse_open(missing);
	assert_non_null(file);
	pulse_note(file, PULSE_ERROR, "unheard");
	pulse_stage(file, PULSE_ENDED);
	pulse_free(file);
	pulse_note(NULL, PULSE_ERROR, "unheard");
	pulse_seen(NULL);
	pulse_stage(NULL, PULSE_RUNS);
	pulse_free(NULL);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	file = pulse_open(path);
	pulse_note(file, PULSE_ERROR, "not through a link");
	pulse_free(file);
	bool found;
	struct pulse pulse;
	assert_int_equal(pulse_read(path, &pulse, &found, &err), -1);
}

int main(void)
{
	log_open("test", LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_is_noted_is_read, begin),
	    cmocka_unit_test_setup(
		ends_are_kept_over_a_new_start_and_a_killed_dewlined_is_one, begin),
	    cmocka_unit_test_setup(
		only_the_last_hour_is_counted_and_never_more_than_there_is_room, begin),
	    cmocka_unit_test_setup(text_of_any_length_is_cut_between_characters, begin),
	    cmocka_unit_test_setup(foreign_or_torn_file_is_none, begin),
	    cmocka_unit_test_setup(what_cannot_be_written_holds_nothing_up, begin),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
