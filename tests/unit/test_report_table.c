#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/table.h"

static const struct report_column columns[] = {
    {"member", "MEMBER", REPORT_TEXT},
    {"hidden", NULL, REPORT_TEXT},
    {"tries", "TRIES", REPORT_NUMBER},
    {"sent_at", "SENT AT", REPORT_TIME},
    {"removed", "REMOVED", REPORT_FLAG},
    {"comment", "COMMENT", REPORT_PROSE},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void add_row(struct report *report, const char *member, int64_t tries, const char *comment)
{
	report_add_text(report, member);
	report_add_text(report, "for programs");
	report_add_number(report, tries);
	report_add_time(report, tries == 0 ? 0 : 1795629600);
	report_add_flag(report, tries > 1);
	report_add_text(report, comment);
}

static struct report *two_rows(const char *member, const char *comment)
{
	struct report *table = report_table(columns, COLUMNS, "nothing yet");
	report_row(table);
	add_row(table, member, 12, comment);
	report_row(table);
	add_row(table, "us-de", 0, "");
	return table;
}

/* Prints, frees the report, and compares. */
static void assert_prints(struct report *report, bool json, const char *expected)
{
	char *printed = NULL;
	size_t len = 0;
	struct err err;
	FILE *out = open_memstream(&printed, &len);
	assert_non_null(out);
	assert_int_equal(report_print(report, json, out, &err), 0);
	fclose(out);
	report_free(report);
	assert_string_equal(printed, expected);
	free(printed);
}

static void columns_are_aligned_and_no_line_ends_in_blanks(void **state)
{
	(void)state;
	assert_prints(two_rows("jp", "on it"), false,
	    "MEMBER  TRIES  SENT AT               REMOVED  COMMENT\n"
	    "jp         12  2026-11-25T18:00:00Z  yes      on it\n"
	    "us-de       0                        no\n");
}

static void wide_and_combining_characters_keep_the_columns_aligned(void **state)
{
	(void)state;
	assert_prints(two_rows("\xe6\x97\xa5\xe6\x9c\xac", "e\xcc\x81"), false,
	    "MEMBER  TRIES  SENT AT               REMOVED  COMMENT\n"
	    "\xe6\x97\xa5\xe6\x9c\xac       12  2026-11-25T18:00:00Z  yes      e\xcc\x81\n"
	    "us-de       0                        no\n");
}

static void no_control_character_reaches_a_terminal(void **state)
{
	(void)state;
	assert_prints(two_rows("\x1b[2J\xff", "a\r\n\tb \xe2\x80\xae"), false,
	    "MEMBER    TRIES  SENT AT               REMOVED  COMMENT\n"
	    "\\x1b[2J\xef\xbf\xbd     12  2026-11-25T18:00:00Z  yes      a b \\u202e\n"
	    "us-de         0                        no\n");
}

static void table_without_rows_says_so(void **state)
{
	(void)state;
	assert_prints(report_table(columns, COLUMNS, "nothing yet"), false, "nothing yet\n");
	assert_prints(report_table(columns, COLUMNS, "nothing yet"), true, "[]\n");
}

static void json_has_every_column_with_its_type(void **state)
{
	(void)state;
	assert_prints(two_rows("jp\x1b\xff", "a\nb"), true,
	    "[\n"
	    "  {\n"
	    "    \"member\": \"jp\\\\x1b\\uFFFD\",\n"
	    "    \"hidden\": \"for programs\",\n"
	    "    \"tries\": 12,\n"
	    "    \"sent_at\": \"2026-11-25T18:00:00Z\",\n"
	    "    \"removed\": true,\n"
	    "    \"comment\": \"a\\nb\"\n"
	    "  },\n"
	    "  {\n"
	    "    \"member\": \"us-de\",\n"
	    "    \"hidden\": \"for programs\",\n"
	    "    \"tries\": 0,\n"
	    "    \"sent_at\": null,\n"
	    "    \"removed\": false,\n"
	    "    \"comment\": \"\"\n"
	    "  }\n"
	    "]\n");
}

static const struct report_column record_columns[] = {
    {"number", "Number", REPORT_TEXT},
    {"gateway", "Gateway key", REPORT_TEXT},
    {"revisions", "Revisions", REPORT_NUMBER},
};
static const struct report_column part_columns[] = {{"address", "ADDRESS", REPORT_TEXT}};

static struct report *record_with_tables(void)
{
	struct report *record = report_record(record_columns, 3);
	report_add_text(record, "DEW-2026-0007");
	report_add_none(record);
	report_add_number(record, 2);
	struct report *sent = report_table(part_columns, 1, "nobody");
	report_row(sent);
	report_add_text(sent, "a@example.org");
	report_attach(record, "deliveries", "Deliveries", sent);
	report_attach(record, "acknowledgments", "Acknowledgments",
	    report_table(part_columns, 1, "nobody yet"));
	return record;
}

static void record_prints_its_fields_and_then_its_tables(void **state)
{
	(void)state;
	assert_prints(record_with_tables(), false,
	    "Number:      DEW-2026-0007\n"
	    "Gateway key:\n"
	    "Revisions:   2\n"
	    "\nDeliveries\n"
	    "ADDRESS\n"
	    "a@example.org\n"
	    "\nAcknowledgments\n"
	    "nobody yet\n");
}

static void record_in_json_is_one_object_with_arrays(void **state)
{
	(void)state;
	assert_prints(record_with_tables(), true,
	    "{\n"
	    "  \"number\": \"DEW-2026-0007\",\n"
	    "  \"gateway\": null,\n"
	    "  \"revisions\": 2,\n"
	    "  \"deliveries\": [\n"
	    "    {\n"
	    "      \"address\": \"a@example.org\"\n"
	    "    }\n"
	    "  ],\n"
	    "  \"acknowledgments\": []\n"
	    "}\n");
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	struct err err;
	FILE *full = fopen("/dev/full", "w");
	assert_non_null(full);
	struct report *table = two_rows("jp", "");
	assert_int_equal(report_print(table, false, full, &err), -1);
	assert_non_null(strstr(err.text, "cannot write"));
	report_free(table);
	fclose(full);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_are_aligned_and_no_line_ends_in_blanks),
	    cmocka_unit_test(wide_and_combining_characters_keep_the_columns_aligned),
	    cmocka_unit_test(no_control_character_reaches_a_terminal),
	    cmocka_unit_test(table_without_rows_says_so),
	    cmocka_unit_test(json_has_every_column_with_its_type),
	    cmocka_unit_test(record_prints_its_fields_and_then_its_tables),
	    cmocka_unit_test(record_in_json_is_one_object_with_arrays),
	    cmocka_unit_test(output_that_cannot_be_written_is_an_error),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("report_table", tests, NULL, NULL);
}
