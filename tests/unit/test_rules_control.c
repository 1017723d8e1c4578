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

/* I16. */
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

/* What the block says of all that restricts, in one line. */
static const char *said(const struct control *c)
{
	static char out[CONTROL_AUDIENCE_SIZE + 256];
	snprintf(out, sizeof out, "%d %s %s [%s] ack %lld%s%s%s%s", (int)c->act, c->number,
	    c->has_tlp ? tlp_name(c->tlp) : "-", c->audience, (long long)c->acknowledge,
	    c->release > 0 ? " held" : "", c->exercise ? " exercise" : "",
	    c->approval ? " approval" : "", c->trace ? " trace" : "");
	return out;
}

static void says(const char *text, const char *what, const char *behind)
{
	struct control c;
	struct refusal refusal;
	if (!read_text(text, &c, &refusal))
		fail_msg("line %d: %s:\n%s", refusal.line, refusal.text, text);
	if (strcmp(said(&c), what) != 0 || !view_is(c.text, behind))
		fail_msg("%s, and not %s; text \"%.*s\" of:\n%s", said(&c), what, (int)c.text.len,
		    c.text.data, text);
}

static void fields_with_empty_lines_between_all_count(void **state)
{
	(void)state;
	says("Advisory: new\n\nTLP: AMBER\n\nAudience: all\n\nAcknowledge: 4h\n\nThe valve opens.\n"
	     "\nClose it.\n",
	    "0  AMBER [all] ack 14400", "The valve opens.\n\nClose it.");
	says("Advisory: update DEW-2026-0001\n\nTLP: RED\n\nAudience: cert@us-de.example\n\n"
	     "Acknowledge: 1h\n\nSecret.\n",
	    "2 DEW-2026-0001 RED [cert@us-de.example] ack 3600", "Secret.");
	says("Advisory: new\nTLP: AMBER\nAudience: all\n\nExercise: yes\nRelease: "
	     "2027-06-01T18:00:00Z\nApproval: yes\n\nOnly a drill.\n",
	    "0  AMBER [all] ack 0 held exercise approval", "Only a drill.");
	says("Advisory: new\r\n\r\n\r\n\xc2\xa0\r\nTLP: GREEN\r\n\t\r\n \r\nTrace: yes\r\n"
	     "Audience: all\r\n\r\n\r\nText\r\n",
	    "0  GREEN [all] ack 0 trace", "Text");
	says("Advisory: new\n\nExercise: yes", "0  - [] ack 0 exercise", "");
	struct control c;
	struct refusal refusal;
	assert_true(read_text(
	    "Advisory: withdraw X-1\n\nGateway: other@elsewhere.example\n\nWrong.", &c, &refusal));
	assert_string_equal(c.gateway, "other@elsewhere.example");
	assert_int_equal(c.gateway_line, 3);
}

static void bad_field_behind_an_empty_line_is_refused_and_the_way_out_is_told(void **state)
{
	(void)state;
	refused("Advisory: new\n\nTLP: PURPLE\n\nText\n", 3, "it must be RED");
	refused("Advisory: new\nTLP: RED\n\nRelease: 2.0 fixes this\n", 4,
	    "; if it is text, put other words before it");
	refused("Advisory: new\nTLP: RED\n\nTLP: AMBER\n\nText", 4, "TLP stands there twice");
	says("Advisory: new\nTLP: RED\n\nThe release: 2.0 fixes this\n", "0  RED [] ack 0",
	    "The release: 2.0 fixes this");
	says("Advisory: new\nTLP: RED\n\n> TLP: GREEN\n", "0  RED [] ack 0", "> TLP: GREEN");
	says("Advisory: new\nTLP: RED\n\n* TLP: GREEN\n", "0  RED [] ack 0", "* TLP: GREEN");
}

static void misspelt_field_behind_an_empty_line_is_refused(void **state)
{
	static const char *const names[] = {"Excercise", "Exercize", "Excersise", "Audiance",
	    "audiences", "Aknowledge", "TPL", "Realease", "Aproval", "Gatway", "Tracee"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "Advisory: new\nTLP: RED\n\n%s: yes\n\nText", names[i]);
		struct control c;
		struct refusal refusal;
		if (read_text(text, &c, &refusal) != (strcmp(names[i], "Excersise") == 0))
			fail_msg("%s: %s", names[i], refusal.text);
	}
	refused("Advisory: new\n\nExcercise: yes\n", 3,
	    "\"Excercise\" is no field, but nearly Exercise, and would be passed over; if it is "
	    "text");
	says("Advisory: new\n\nSummary: valves open\nTLS: 1.0\nTCP: 80\n", "0  - [] ack 0",
	    "Summary: valves open\nTLS: 1.0\nTCP: 80");
}

static void field_in_a_list_is_refused_where_it_would_be_passed_over(void **state)
{
	static const char *const marks[] = {
	    "- ", "* ", " * ", "\xe2\x80\xa2\t", "1. ", "2) ", "-", "+ ", "\xc2\xb7\xc2\xa0"};
	(void)state;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		char text[128];
		snprintf(text, sizeof text,
		    "Advisory: update X-1\n\n%sTLP: RED\n%sAudience: a@b\n\nText", marks[i],
		    marks[i]);
		refused(text, 3, "is an item of a list, and no field: write it without the mark");
	}
	says("Advisory: new\nTLP: RED\n\n- TLP: RED means that\n- Exercise: no\n",
	    "0  RED [] ack 0", "- TLP: RED means that\n- Exercise: no");
	refused("Advisory: new\n- TLP: RED\n", 2, "no field \"- TLP\"");
}

static void field_that_looks_like_the_rest_of_a_value_is_refused(void **state)
{
	(void)state;
	refused(
	    "Advisory: new\nTitle: A title that is so long that a mail program wraps it here, at\n"
	    "Excercise: yes\n\nText",
	    3, "nearly Exercise");
	refused("Advisory: new\nTitle: Valves,\nExcercise: yes\n\nText", 3, "nearly Exercise");
	refused("Advisory: new\nTitle:\nReleased: now\n\nText", 3, "nearly Release");
	refused("Advisory: new\nTitle: Valves\n  Audiences: all\n\nText", 3, "nearly Audience");
	refused("Advisory: new\nTitle:\n- TLP: RED\n\nText", 3, "an item of a list");
}

static void field_among_the_texts_first_lines_is_refused(void **state)
{
	(void)state;
	refused("Advisory: new\nTLP: AMBER\n\nDear all,\n\nExercise: yes\n\nText\n", 6,
	    "\"Exercise: yes\" stands in the text, where no field is obeyed: put it above the "
	    "text; "
	    "if it is text, put other words before it");
	refused("Advisory: new\n\na\nb\n TLP : RED", 5, "stands in the text");
	refused("Advisory: new\n\na\n*TLP:* RED", 4, "stands in the text");
	refused("Advisory: new\n\na\nTLP\xef\xbc\x9aRED", 4, "stands in the text");
	refused("Advisory: new\n\na\n\xc2\xa0Release: 2.0 fixes this", 4, "stands in the text");
	refused("Advisory: new\nTLP: RED\n\na\nTLP: AMBER", 5, "stands in the text");
}

static void field_deep_in_the_text_is_text(void **state)
{
	(void)state;
	for (int lines = BLOCK_TEXT_LINES - 1; lines <= BLOCK_TEXT_LINES; lines++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		buf_add_text(&text, "Advisory: new\nTLP: RED\n\n");
		for (int i = 0; i < lines; i++)
			buf_add_text(&text, "line\n\n");
		buf_add_text(&text, "Release: 2.0 fixes this\n");
		if (lines < BLOCK_TEXT_LINES) {
			refused_at(buf_view(&text), 4 + 2 * lines, "stands in the text");
		} else {
			struct control c;
			struct refusal refusal;
			assert_true(control_read(buf_view(&text), &c, &refusal));
			assert_int_equal(c.release, 0);
		}
		buf_release(&text);
	}
}

static void text_behind_the_block_may_hold_anything_else(void **state)
{
	struct control c;
	struct refusal refusal;
	(void)state;
	const struct view text = VIEW("Advisory: new\n\na\0b\x1b\nTLPx: x\nAdvisory new: x");
	assert_true(control_read(text, &c, &refusal));
	assert_int_equal(c.text.len, sizeof("a\0b\x1b\nTLPx: x\nAdvisory new: x") - 1);
	assert_int_equal(c.text.data[1], '\0');
	says("Advisory: new\nTLP: RED\n\nTLP:RED\n\nText\n", "0  RED [] ack 0", "TLP:RED\n\nText");
	says("Advisory: new\nTLP: RED\n\nText\ntlp: red\n  Release: 2.0\n\tTrace: x\n",
	    "0  RED [] ack 0", "Text\ntlp: red\n  Release: 2.0\n\tTrace: x");
}

static void blanks_of_every_kind_are_blank_in_a_block(void **state)
{
	static const char *const texts[] = {
	    "Advisory:\xc2\xa0new\nTLP:\xc2\xa0"
	    "AMBER\nAudience:\xc2\xa0"
	    "all\n\nText.\n",
	    "Advisory: new\nTLP:\xc2\xa0 AMBER\nAudience: all\n\nText.\n",
	    "Advisory: new\xc2\xa0\nTLP: AMBER\xc2\xa0\nAudience: all\xc2\xa0\n\nText.\n",
	    "Advisory: new\nTLP: AMBER\nAudience: all\n\xc2\xa0\nText.\n",
	    "\xef\xbb\xbf"
	    "Advisory: new\nTLP: AMBER\nAudience: all\n\nText.\n",
	    "\xe2\x80\x8b"
	    "Advisory: new\nTLP: AMBER\nAudience: all\n\nText.\n",
	    "  Advisory: new\n  TLP: AMBER\n  Audience: all\n\nText.\n",
	    "Advisory: new\nTLP: TLP:AMBER\nAudience: all\n\nText.\n",
	    "Advisory\xe2\x80\xaf:\xe3\x80\x80new\nTLP: AM\xc2\xad"
	    "BER\nAudience: all\n\xe2\x80\x8b\nText.\n",
	    "Advisory\xef\xbc\x9anew\nTLP\xef\xbc\x9a AMBER\nAudience\xef\xbc\x9a all\n\nText.\n",
	    "*Advisory:* new\n**TLP**: AMBER\n_Audience: all_\n\nText.\n",
	    "Advisory: *new*\n/TLP:/ /AMBER/\nAudience: _all_\n\nText.\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		says(texts[i], "0  AMBER [all] ack 0", "Text.");
	says("Advisory: update\xc2\xa0"
	     "DEW-2026-0007\nTLP: WHITE\nAudience: all,\xc2\xa0-\xe2\x80\xafus-de\n\nText",
	    "2 DEW-2026-0007 CLEAR [all, - us-de] ack 0", "Text");
	refused("Advisory: new\n*TLP: RED\n", 2, "no field \"*TLP\"");
}

static void value_that_goes_on_in_the_next_line_is_one(void **state)
{
	(void)state;
	says("Advisory: new\nTLP: RED\nAudience: cert@us-de.example, cert@us-ca.example, "
	     "cert@de-by.example,\ncert@fr.example, cert@jp.example\n\nText.",
	    "0  RED [cert@us-de.example, cert@us-ca.example, cert@de-by.example, cert@fr.example, "
	    "cert@jp.example] ack 0",
	    "Text.");
	says("Advisory: new\nTLP: RED\nAudience: a@a.example,\n  "
	     "b@b.example,\n\tc@c.example\n\nText.",
	    "0  RED [a@a.example, b@b.example, c@c.example] ack 0", "Text.");
	says("Advisory: new\nTLP: AMBER\nAudience: all, -us-ca, -de-by,\n-fr\nExercise: "
	     "yes\n\nText.",
	    "0  AMBER [all, -us-ca, -de-by, -fr] ack 0 exercise", "Text.");
	says("Advisory: new\nTLP: AMBER\nAudience: all\n, -us-ca, -\nde-by\n\nText.",
	    "0  AMBER [all , -us-ca, - de-by] ack 0", "Text.");
	says(
	    "Advisory: new\n\nTLP: RED\n\nAudience: a@a.example,\n\nb@b.example,\n\nc@c.example\n\n"
	    "Text.",
	    "0  RED [a@a.example, b@b.example, c@c.example] ack 0", "Text.");
	says("Advisory:\nnew\nTLP:\nRED\nRelease:\n2027-06-01T18:00:00Z\nAudience:\nall\n\nText.",
	    "0  RED [all] ack 0 held", "Text.");
	says("  Advisory: new\n  TLP: RED\n  Audience: a@a.example\n    , b@b.example\n\nText.",
	    "0  RED [a@a.example , b@b.example] ack 0", "Text.");
}

static void line_that_is_no_rest_of_a_value_is_refused(void **state)
{
	(void)state;
	refused("Advisory: new\nTLP: RED\nAudience: all\n-us-de\n\nText", 4, "not \"Name: value\"");
	refused("Advisory: new\nTLP:\nAudience: all\n\nText", 2, "TLP is \"\"");
	refused("Advisory: new\nTLP:\n\nRED\n\nText", 2, "TLP is \"\"");
	refused("Advisory: new\nTLP: RED\n  AMBER\n\nText", 2, "TLP is \"RED AMBER\"");
	refused(
	    "Advisory: new\nExercise:\nThis is none\n\nText", 2, "Exercise is \"This is none\"");
	says("Advisory: new\nTLP: RED\nAudience: all,\n\nDear all, the valve opens.\n",
	    "0  RED [all,] ack 0", "Dear all, the valve opens.");
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
	    cmocka_unit_test(fields_with_empty_lines_between_all_count),
	    cmocka_unit_test(bad_field_behind_an_empty_line_is_refused_and_the_way_out_is_told),
	    cmocka_unit_test(misspelt_field_behind_an_empty_line_is_refused),
	    cmocka_unit_test(field_in_a_list_is_refused_where_it_would_be_passed_over),
	    cmocka_unit_test(field_that_looks_like_the_rest_of_a_value_is_refused),
	    cmocka_unit_test(field_among_the_texts_first_lines_is_refused),
	    cmocka_unit_test(field_deep_in_the_text_is_text),
	    cmocka_unit_test(text_behind_the_block_may_hold_anything_else),
	    cmocka_unit_test(blanks_of_every_kind_are_blank_in_a_block),
	    cmocka_unit_test(value_that_goes_on_in_the_next_line_is_one),
	    cmocka_unit_test(line_that_is_no_rest_of_a_value_is_refused),
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
