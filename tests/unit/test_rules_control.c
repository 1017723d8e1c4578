#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "rules/block.h"
#include "rules/control.h"

static bool read_text(const char *text, struct control *out, struct refusal *refusal)
{
	*refusal = (struct refusal){0};
	return control_read(view_of(text), out, refusal);
}

/* The block is refused, with this line and this in the sentence. */
static void refused_at(struct view text, int line, const char *part)
{
	struct control control;
	struct refusal refusal = {0};
	if (control_read(text, &control, &refusal))
		fail_msg("taken: %.*s", (int)text.len, text.data);
	if (refusal.line != line || strstr(refusal.text, part) == NULL)
		fail_msg("line %d: %s, but expected line %d: %s", refusal.line, refusal.text, line,
		    part);
	assert_true(text_is_utf8(view_of(refusal.text)));
}

static void refused(const char *text, int line, const char *part)
{
	refused_at(view_of(text), line, part);
}

static void whole_block_is_read(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new\nTLP: AMBER+STRICT\nAudience: all, -us-de\n"
			      "Acknowledge: 4h\nRelease: 2026-11-25T18:00:00Z\nExercise: yes\n"
			      "\nThe text.\n\nMore: text.\n",
	    &c, &refusal));
	assert_int_equal(c.act, CONTROL_NEW);
	assert_string_equal(c.number, "");
	assert_true(c.has_tlp);
	assert_int_equal(c.tlp, TLP_AMBER_STRICT);
	assert_int_equal(c.tlp_line, 2);
	assert_string_equal(c.audience, "all, -us-de");
	assert_int_equal(c.audience_line, 3);
	assert_int_equal(c.acknowledge, 4 * 3600);
	assert_int_equal(c.release, 1795629600);
	assert_true(c.exercise);
	assert_true(c.has_exercise);
	assert_true(view_is(c.text, "The text.\n\nMore: text."));
}

static void what_is_left_out_is_empty(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new", &c, &refusal));
	assert_int_equal(c.act, CONTROL_NEW);
	assert_false(c.has_tlp);
	assert_string_equal(c.audience, "");
	assert_int_equal(c.acknowledge, 0);
	assert_int_equal(c.release, 0);
	assert_false(c.exercise);
	assert_false(c.has_exercise);
	assert_int_equal(c.text.len, 0);
}

static void fields_after_the_first_come_in_any_order_case_and_spacing(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("\r\n \r\naDVISORY :  NEW \r\n\tEXERCISE:no\r\nrelease :NOW\r\n"
			      "AUDIENCE:a:b\r\ntlp:tlp:red\r\nacknowledge: NO\r\n\t \r\nText\r\n",
	    &c, &refusal));
	assert_int_equal(c.act, CONTROL_NEW);
	assert_true(c.has_exercise);
	assert_false(c.exercise);
	assert_int_equal(c.release, 0);
	assert_string_equal(c.audience, "a:b");
	assert_int_equal(c.audience_line, 6);
	assert_int_equal(c.tlp, TLP_RED);
	assert_int_equal(c.tlp_line, 7);
	assert_int_equal(c.acknowledge, 0);
	assert_true(view_is(c.text, "Text"));
}

static void update_and_withdrawal_name_their_advisory(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: update DEW-2026-0007\n", &c, &refusal));
	assert_int_equal(c.act, CONTROL_UPDATE);
	assert_string_equal(c.number, "DEW-2026-0007");
	assert_true(read_text("Advisory: Withdraw   DEW-2026-0007  \n", &c, &refusal));
	assert_int_equal(c.act, CONTROL_WITHDRAW);
	assert_string_equal(c.number, "DEW-2026-0007");
}

static void bad_act_is_refused(void **state)
{
	static const char *const acts[] = {"", "old", "new DEW-2026-0007", "bulletins",
	    "bulletin X", "news", "update", "withdraw ", "update DEW-2026-0007 please",
	    "update DEW-2026-0007\tplease", "withdrawn DEW-2026-0007", "updateDEW-2026-0007",
	    "\"new\"", "new, update X"};
	(void)state;
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "Advisory: %s\nTLP: RED\n", acts[i]);
		refused(text, 1, "it must be \"new\", \"bulletin\", \"update NUMBER\"");
	}
}

static void overlong_number_is_refused(void **state)
{
	char text[256];
	(void)state;
	snprintf(text, sizeof text, "Advisory: update %0*d\n", STORE_NUMBER_SIZE, 1);
	refused(text, 1, "Advisory is");
	struct control c;
	struct refusal refusal;
	snprintf(text, sizeof text, "Advisory: update %0*d\n", STORE_NUMBER_SIZE - 1, 1);
	assert_true(read_text(text, &c, &refusal));
	assert_int_equal(strlen(c.number), STORE_NUMBER_SIZE - 1);
}

static void bad_value_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *line;
		const char *part;
	} rows[] = {
	    {"TLP:", "TLP is \"\""},
	    {"TLP: PURPLE", "TLP is \"PURPLE\"; it must be RED, AMBER+STRICT"},
	    {"TLP: AMBER RED", "TLP is"},
	    {"Audience:", "Audience is empty"},
	    {"Audience: \t ", "Audience is empty"},
	    {"Acknowledge:", "Acknowledge is \"\""},
	    {"Acknowledge: 0", "Acknowledge is \"0\""},
	    {"Acknowledge: 0h", "Acknowledge is"},
	    {"Acknowledge: -4h", "Acknowledge is"},
	    {"Acknowledge: 31d", "at most 30d"},
	    {"Acknowledge: 5w", "at most 30d"},
	    {"Acknowledge: 2592001", "at most 30d"},
	    {"Acknowledge: 99999999999999999999h", "Acknowledge is"},
	    {"Acknowledge: 4 h", "Acknowledge is"},
	    {"Acknowledge: 4H", "Acknowledge is"},
	    {"Acknowledge: yes", "Acknowledge is"},
	    {"Acknowledge: 4h30m", "Acknowledge is"},
	    {"Release:", "Release is"},
	    {"Release: tomorrow", "Release is \"tomorrow\""},
	    {"Release: 2026-11-25", "Release is"},
	    {"Release: 2026-11-25T18:00:00", "Release is"},
	    {"Release: 2026-02-30T18:00:00Z", "Release is"},
	    {"Release: 2026-11-25T-0:00:00Z", "Release is"},
	    {"Exercise:", "Exercise is"},
	    {"Exercise: maybe", "Exercise is \"maybe\"; it must be \"yes\" or \"no\""},
	    {"Exercise: yes!", "Exercise is"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[256];
		snprintf(text, sizeof text, "\nAdvisory: new\n%s\n\ntext\n", rows[i].line);
		refused(text, 3, rows[i].part);
	}
}

static void every_way_to_write_a_deadline_is_taken(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} rows[] = {{"90", 90}, {"90s", 90}, {"45m", 2700}, {"4h", 14400}, {"2d", 172800},
	    {"1w", 604800}, {"30d", 2592000}, {"no", 0}, {"No", 0}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[128];
		struct control c;
		struct refusal refusal;
		snprintf(text, sizeof text, "Advisory: new\nAcknowledge: %s\n", rows[i].value);
		assert_true(read_text(text, &c, &refusal));
		assert_int_equal(c.acknowledge, rows[i].seconds);
	}
}

static void release_takes_an_offset(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new\nRelease: 2026-11-25T19:00:00+01:00\n", &c, &refusal));
	assert_int_equal(c.release, 1795629600);
}

static void every_field_given_twice_is_refused(void **state)
{
	static const char *const lines[] = {"Advisory: new", "TLP: RED", "Audience: all",
	    "Acknowledge: 4h", "Release: now", "Exercise: no"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char text[256];
		snprintf(text, sizeof text, "Advisory: new\n%s\n%s\n",
		    i > 0 ? lines[i] : "TLP: RED", lines[i]);
		refused(text, 3, "stands there twice");
	}
	refused("Advisory: new\nTLP: RED\ntlp : GREEN\n", 3, "TLP stands there twice");
}

static void unknown_field_is_refused_by_name(void **state)
{
	(void)state;
	refused("Advisory: new\nTLP: RED\nColour: blue\n", 3, "no field \"Colour\"");
	refused("Advisory: new\n: value\n", 2, "no field \"\"");
	refused("Advisory: new\nTLP AMBER: x\n", 2, "no field \"TLP AMBER\"");
	refused("Advisory: new\nT\xc5\x81P: RED\n", 2, "no field \"T\xc5\x81P\"");
	refused("Advisory: new\n> TLP: RED\n", 2, "no field \"> TLP\"");
}

static void text_without_an_empty_line_before_it_is_refused(void **state)
{
	(void)state;
	refused("Advisory: new\nTLP: RED\nDear all,\nread this\n", 3,
	    "\"Dear all,\" is not \"Name: value\"; end the control block with an empty line");
	refused("Advisory: new\nhttps://example.org\n", 2, "no field \"https\"");
}

static void block_must_begin_with_advisory(void **state)
{
	(void)state;
	refused("TLP: RED\nAudience: all\n\ntext\n", 0, "must begin with \"Advisory:\"");
	refused("TLP: RED\nAdvisory: new\n", 0, "must begin with \"Advisory:\"");
	refused("", 0, "must begin with");
	refused("\n \r\n\n", 0, "must begin with");
	refused("Advisory new\n", 0, "must begin with");
	refused_at((struct view){NULL, 0}, 0, "must begin with");
}

static void control_character_in_the_block_is_refused(void **state)
{
	(void)state;
	refused_at(VIEW("Advisory: new\nAudience: all\0, -us-de\n"), 2, "control character");
	refused_at(VIEW("Advisory: update DEW\0-1\n"), 1, "control character");
	refused_at(VIEW("Advisory: new\0\n"), 1, "control character");
	refused_at(VIEW("Advisory\0: new\n"), 0, "must begin with");
	refused("Advisory: new\nAudience: all\rTLP: RED\n", 2, "control character");
	refused("Advisory: new\nAudience: \x1b[31mall\n", 2, "control character");
	refused("Advisory: new\nAudience: a\x7fll\n", 2, "control character");
	refused("Advisory: new\nAudience: all\x08\n", 2, "control character");
}

static void text_behind_the_block_may_hold_anything(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	const struct view text = VIEW("Advisory: new\n\na\0b\x1b\nTLP: x\nAdvisory: new");
	assert_true(control_read(text, &c, &refusal));
	assert_int_equal(c.text.len, sizeof("a\0b\x1b\nTLP: x\nAdvisory: new") - 1);
	assert_int_equal(c.text.data[1], '\0');
}

static void audience_at_its_longest_is_taken_and_one_more_is_refused(void **state)
{
	struct control c;
	struct refusal refusal;
	char text[CONTROL_AUDIENCE_SIZE + 64];
	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "Advisory: new\nAudience: ", 24);
	text[24 + CONTROL_AUDIENCE_SIZE - 1] = '\0';
	assert_true(read_text(text, &c, &refusal));
	assert_int_equal(strlen(c.audience), CONTROL_AUDIENCE_SIZE - 1);
	text[24 + CONTROL_AUDIENCE_SIZE - 1] = 'a';
	text[24 + CONTROL_AUDIENCE_SIZE] = '\0';
	refused(text, 2, "longer than 1023 characters");
}

static void long_value_is_quoted_in_short_and_well_formed(void **state)
{
	enum { SIZE = 1 << 20 };
	char *text = malloc(SIZE + 1);
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i + 1 < SIZE; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	memcpy(text, "Advisory: new\nTLP: x", 20); /* the sixty bytes end within a character */
	text[SIZE] = '\0';
	assert_false(read_text(text, &c, &refusal));
	assert_int_equal(refusal.line, 2);
	assert_true(strlen(refusal.text) < 200);
	assert_true(text_is_utf8(view_of(refusal.text)));
	free(text);
}

static void refusal_shows_control_characters(void **state)
{
	struct refusal refusal;
	(void)state;
	assert_false(refuse(&refusal, 7, "a \"%s\"", "x\r\ny\x1b\xff\xe2\x80\xae"));
	assert_int_equal(refusal.line, 7);
	assert_string_equal(refusal.text, "a \"x\\x0d\\x0ay\\x1b\xef\xbf\xbd\\u202e\"");
	assert_false(refuse(&refusal, 0, "%0*d", 2000, 1));
	assert_int_equal(strlen(refusal.text), sizeof refusal.text - 1);
}

static void first_line_tells_whether_a_block_begins(void **state)
{
	static const struct {
		struct view text;
		bool begins;
	} rows[] = {
	    {{"Advisory: new", 13}, true},
	    {{"\r\n\n  ADVISORY : x\n", 18}, true},
	    {{"Advisory:", 9}, true},
	    {{"Advisory", 8}, false},
	    {{"", 0}, false},
	    {{NULL, 0}, false},
	    {{"\n\n", 2}, false},
	    {{"> Advisory: new", 15}, false},
	    {{"Dear all,\nAdvisory: new", 23}, false},
	    {{"Advisory\nAdvisory: new", 22}, false},
	    {{"Advisory\0: new", 14}, false},
	    {{"Advisory x: new", 15}, false},
	    {{"AdvisoryX: new", 14}, false},
	    {{"TLP: RED\nAdvisory: new", 22}, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (view_is_nocase(block_first_name(rows[i].text), "Advisory") != rows[i].begins)
			fail_msg("row %zu", i);
	}
	assert_true(view_is(block_first_name(VIEW("Report: x")), "Report"));
}

static void trace_is_yes_or_no(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new\nTrace: YES\n\nText", &c, &refusal));
	assert_true(c.trace);
	assert_int_equal(c.trace_line, 2);
	assert_true(read_text("Advisory: new\nTrace: no\n\nText", &c, &refusal));
	assert_false(c.trace);
	refused("Advisory: new\nTrace: maybe\n\nText", 2, "Trace is \"maybe\"");
}

static void one_for_another_gateway_is_refused(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new\nGateway: A@gw.example\n\nText", &c, &refusal));
	assert_true(control_is_for(&c, "a@gw.example", true, &refusal));
	assert_false(control_is_for(&c, "b@gw.example", false, &refusal));
	assert_int_equal(refusal.line, 2);
	assert_false(control_is_for(&c, "a@gw.example.org", false, &refusal));
	refused("Advisory: new\nGateway:\n\nText", 2, "Gateway is \"\"");
}

static void one_that_names_no_gateway_is_refused_where_it_must(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	assert_true(read_text("Advisory: new\n\nText", &c, &refusal));
	assert_true(control_is_for(&c, "a@gw.example", false, &refusal));
	assert_false(control_is_for(&c, "a@gw.example", true, &refusal));
	assert_non_null(strstr(refusal.text, "write \"Gateway: a@gw.example\""));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_block_is_read),
	    cmocka_unit_test(what_is_left_out_is_empty),
	    cmocka_unit_test(fields_after_the_first_come_in_any_order_case_and_spacing),
	    cmocka_unit_test(update_and_withdrawal_name_their_advisory),
	    cmocka_unit_test(bad_act_is_refused),
	    cmocka_unit_test(overlong_number_is_refused),
	    cmocka_unit_test(bad_value_is_refused_with_its_line),
	    cmocka_unit_test(every_way_to_write_a_deadline_is_taken),
	    cmocka_unit_test(release_takes_an_offset),
	    cmocka_unit_test(every_field_given_twice_is_refused),
	    cmocka_unit_test(unknown_field_is_refused_by_name),
	    cmocka_unit_test(text_without_an_empty_line_before_it_is_refused),
	    cmocka_unit_test(block_must_begin_with_advisory),
	    cmocka_unit_test(control_character_in_the_block_is_refused),
	    cmocka_unit_test(text_behind_the_block_may_hold_anything),
	    cmocka_unit_test(audience_at_its_longest_is_taken_and_one_more_is_refused),
	    cmocka_unit_test(long_value_is_quoted_in_short_and_well_formed),
	    cmocka_unit_test(refusal_shows_control_characters),
	    cmocka_unit_test(first_line_tells_whether_a_block_begins),
	    cmocka_unit_test(trace_is_yes_or_no),
	    cmocka_unit_test(one_for_another_gateway_is_refused),
	    cmocka_unit_test(one_that_names_no_gateway_is_refused_where_it_must),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_control", tests, NULL, NULL);
}
