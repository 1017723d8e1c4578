#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/advisory.h"

enum { NOW = 1795629600 }; /* 2026-11-25T18:00:00Z */

/* Several hundred kilobytes, so they are no locals. */
struct state {
	struct mail_content content;
	struct draft draft;
	struct refusal refusal;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct state));
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static const char FULL[] = "Advisory: new\nTLP: AMBER\nAudience: all\n\nText.\n";

static struct state *begin(void **state, const char *text, const char *subject)
{
	struct state *s = *state;
	memset(s, 0, sizeof *s);
	s->content.readable = s->content.has_text = true;
	s->content.text = view_of(text);
	snprintf(s->content.subject, sizeof s->content.subject, "%s", subject);
	return s;
}

static void add_csaf(struct state *s, const char *title, const char *tlp, const char *text)
{
	s->content.csaf.present = true;
	snprintf(s->content.csaf.title, sizeof s->content.csaf.title, "%s", title);
	snprintf(s->content.csaf.tlp, sizeof s->content.csaf.tlp, "%s", tlp);
	snprintf(s->content.csaf.severity, sizeof s->content.csaf.severity, "HIGH");
	s->content.csaf.text = view_of(text);
}

static bool drafts(struct state *s)
{
	return advisory_draft(&s->content, NOW, NULL, &s->draft, &s->refusal);
}

static void refused(struct state *s, int line, const char *part)
{
	assert_false(drafts(s));
	assert_int_equal(s->refusal.line, line);
	if (strstr(s->refusal.text, part) == NULL)
		fail_msg("\"%s\" has no \"%s\"", s->refusal.text, part);
}

static void block_and_subject_make_a_draft(void **state)
{
	struct state *s = begin(state, FULL, "Hole in everything");
	assert_true(drafts(s));
	assert_string_equal(s->draft.title, "Hole in everything");
	assert_int_equal(s->draft.tlp, TLP_AMBER);
	assert_string_equal(s->draft.control.audience, "all");
	assert_string_equal(s->draft.severity, "");
	assert_true(view_is(s->draft.text, "Text."));
}

static void csaf_fills_what_the_block_leaves_out(void **state)
{
	struct state *s = begin(state, "Advisory: new\nAudience: all\n", "...");
	add_csaf(s, " Title of the document ", "RED", "Rendered.");
	assert_true(drafts(s));
	assert_string_equal(s->draft.title, "Title of the document");
	assert_int_equal(s->draft.tlp, TLP_RED);
	assert_string_equal(s->draft.severity, "HIGH");
	assert_true(view_is(s->draft.text, "Rendered."));
}

static void own_subject_and_text_go_before_those_of_the_csaf(void **state)
{
	struct state *s = begin(state, FULL, "Mine");
	add_csaf(s, "Theirs", "AMBER", "Rendered.");
	assert_true(drafts(s));
	assert_string_equal(s->draft.title, "Mine");
	assert_true(view_is(s->draft.text, "Text."));
}

static void csaf_of_another_tlp_is_refused_at_the_line(void **state)
{
	static const char *const labels[] = {"CLEAR", "GREEN", "AMBER+STRICT", "RED", "WHITE"};
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		struct state *s = begin(state, FULL, "T");
		add_csaf(s, "T", labels[i], "x");
		refused(s, 2, "they must agree");
	}
}

static void csaf_of_unknown_tlp_is_refused(void **state)
{
	struct state *s = begin(state, FULL, "T");
	add_csaf(s, "T", "PURPLE\x1b[1m", "x");
	refused(s, 0, "unknown TLP label \"PURPLE\\x1b[1m\"");
}

static void csaf_without_tlp_contradicts_nothing(void **state)
{
	struct state *s = begin(state, FULL, "T");
	add_csaf(s, "T", "", "x");
	assert_true(drafts(s));
	assert_int_equal(s->draft.tlp, TLP_AMBER);
}

static void label_of_an_absent_csaf_is_ignored(void **state)
{
	struct state *s = begin(state, FULL, "T");
	add_csaf(s, "T", "RED", "x");
	s->content.csaf.present = false;
	assert_true(drafts(s));
	assert_int_equal(s->draft.tlp, TLP_AMBER);
}

static void unreadable_csaf_is_refused_with_its_reason(void **state)
{
	struct state *s = begin(state, FULL, "T");
	s->content.csaf_bad = true;
	snprintf(s->content.reason, sizeof s->content.reason, "line 3: no such thing");
	refused(s, 0, "cannot be read: line 3: no such thing");
}

static void earlier_tlp_serves_an_update_that_gives_none(void **state)
{
	static const enum tlp red = TLP_RED;
	static const char bare[] = "Advisory: update DEW-2026-0001\n\nText\n";
	struct state *s = begin(state, bare, "T");
	assert_true(advisory_draft(&s->content, NOW, &red, &s->draft, &s->refusal));
	assert_int_equal(s->draft.tlp, TLP_RED);
	s = begin(state, "Advisory: update DEW-2026-0001\nTLP: GREEN\n\nText\n", "T");
	assert_true(advisory_draft(&s->content, NOW, &red, &s->draft, &s->refusal));
	assert_int_equal(s->draft.tlp, TLP_GREEN);
	s = begin(state, bare, "T");
	add_csaf(s, "T", "GREEN", "x");
	assert_true(advisory_draft(&s->content, NOW, &red, &s->draft, &s->refusal));
	assert_int_equal(s->draft.tlp, TLP_GREEN);
}

static void withdrawal_with_a_higher_label_is_refused(void **state)
{
	static const enum tlp green = TLP_GREEN;
	struct state *s = begin(state, "Advisory: withdraw D-1\nTLP: AMBER\n\nText\n", "T");
	assert_false(advisory_draft(&s->content, NOW, &green, &s->draft, &s->refusal));
	assert_int_equal(s->refusal.line, 2);
	assert_non_null(strstr(s->refusal.text, "what is withdrawn went out as GREEN"));
	s = begin(state, "Advisory: withdraw D-1\nTLP: CLEAR\n\nText\n", "T");
	assert_true(advisory_draft(&s->content, NOW, &green, &s->draft, &s->refusal));
	s = begin(state, "Advisory: update D-1\nTLP: AMBER\n\nText\n", "T");
	assert_true(advisory_draft(&s->content, NOW, &green, &s->draft, &s->refusal));
}

static void nothing_goes_out_without_a_tlp(void **state)
{
	refused(begin(state, "Advisory: new\nAudience: all\n\nText\n", "T"), 0, "there is no TLP");
}

static void new_advisory_needs_an_audience_and_an_update_does_not(void **state)
{
	refused(begin(state, "Advisory: new\nTLP: RED\n\nText\n", "T"), 0, "there is no Audience");
	static const char *const others[] = {"update", "withdraw"};
	for (size_t i = 0; i < 2; i++) {
		char text[128];
		snprintf(text, sizeof text, "Advisory: %s D-1\nTLP: RED\n\nText\n", others[i]);
		assert_true(drafts(begin(state, text, "T")));
	}
}

static void release_in_the_future_is_taken_and_one_out_of_sight_is_refused(void **state)
{
	static const struct {
		const char *release;
		bool taken;
	} rows[] = {{"2026-11-25T18:00:01Z", true}, {"2026-11-25T18:00:00Z", true},
	    {"2026-11-25T17:59:59Z", true}, {"now", true}, {"2999-01-01T00:00:00Z", false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[160];
		snprintf(text, sizeof text,
		    "Advisory: new\nTLP: RED\nAudience: all\nRelease: %s\n\nx\n", rows[i].release);
		struct state *s = begin(state, text, "T");
		if (rows[i].taken)
			assert_true(drafts(s));
		else
			refused(s, 4, "more than a year ahead");
	}
}

static void advisory_without_text_is_refused(void **state)
{
	static const char *const texts[] = {"Advisory: new\nTLP: RED\nAudience: all",
	    "Advisory: new\nTLP: RED\nAudience: all\n\n \r\n\t\n"};
	for (size_t i = 0; i < 2; i++) {
		refused(begin(state, texts[i], "T"), 0, "there is no text");
		struct state *s = begin(state, texts[i], "T");
		add_csaf(s, "T", "RED", "");
		refused(s, 0, "there is no text");
	}
}

static void mail_without_a_title_is_refused(void **state)
{
	static const char *const subjects[] = {"", " ", "Re:", "Re: Fwd: ", "...", "[...]",
	    "Re: ...", "[DEW-2026-0001 r1]", "Encrypted Message", "\xc2\xa0"};
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
		refused(begin(state, FULL, subjects[i]), 0, "there is no title");
}

static void title_in_the_block_stands_for_a_subject_that_is_not_protected(void **state)
{
	static const char *const subjects[] = {"", "...", "[...]", "Encrypted Message", "Re: ...",
	    "\xc2\xa0", "encrypted email", "(no subject)", "[DEW-2026-0001 r1]", "Valve opens",
	    "Re: Valve\xc2\xa0opens", " Valve  opens\xe2\x80\x8b"};
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct state *s = begin(state,
		    "Advisory: new\n\nTitle:\xc2\xa0Valve  opens\n\nTLP: AMBER\nAudience: "
		    "all\n\nText.\n",
		    subjects[i]);
		add_csaf(s, "Title of the document", "AMBER", "Rendered.");
		if (!drafts(s))
			fail_msg("%s: %s", subjects[i], s->refusal.text);
		assert_true(strncmp(s->draft.title, "Valve", 5) == 0);
	}
}

static void title_that_contradicts_the_subject_is_refused(void **state)
{
	static const char *const subjects[] = {
	    "Pump", "Valve opens, version 2", "Valve", "Valveopens", "Valve opens!", "valve opens"};
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
		refused(begin(state,
			    "Advisory: new\nTLP: AMBER\nTitle: Valve opens\nAudience: all\n\nx",
			    subjects[i]),
		    3, "they must agree, so leave Title out");
}

static void title_that_says_nothing_is_refused(void **state)
{
	static const char *const titles[] = {"", "...", "[...]", "Encrypted Message"};
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
		char text[128];
		snprintf(text, sizeof text,
		    "Advisory: new\nTitle: %s\nTLP: AMBER\nAudience: all\n\nx", titles[i]);
		refused(begin(state, text, ""), 2, "which says nothing");
	}
}

static void marks_of_replies_and_earlier_copies_are_taken_off_the_title(void **state)
{
	static const struct {
		const char *subject;
		const char *title;
	} rows[] = {
	    {"  Title  ", "Title"},
	    {"Re: Title", "Title"},
	    {"RE:Title", "Title"},
	    {"Fwd: Fw: AW: re: Title", "Title"},
	    {"Re: [DEW-2026-0007 r1] Title", "Title"},
	    {"[DEW-2026-0007 r12] Re: Title", "Title"},
	    {"[DEW-2026-0007 r1] [DEW-2026-0007 r2] Title", "Title"},
	    {"[EXT] Title", "[EXT] Title"},
	    {"[Product r] Title", "[Product r] Title"},
	    {"[r1] Title", "[r1] Title"},
	    {"[ r1] Title", "[ r1] Title"},
	    {"[Product 1] Title", "[Product 1] Title"},
	    {"[unclosed r1", "[unclosed r1"},
	    {"] Title", "] Title"},
	    {"Title [DEW-2026-0007 r1]", "Title [DEW-2026-0007 r1]"},
	    {"Reply to all", "Reply to all"},
	    {"L\xc3\xbc\x63ke \xe2\x80\x93 \xe6\xbc\x8f\xe6\xb4\x9e",
		"L\xc3\xbc\x63ke \xe2\x80\x93 \xe6\xbc\x8f\xe6\xb4\x9e"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct state *s = begin(state, FULL, rows[i].subject);
		assert_true(drafts(s));
		assert_string_equal(s->draft.title, rows[i].title);
	}
}

static void title_that_is_not_one_line_of_text_is_refused(void **state)
{
	static const char *const bad[] = {"Title\r\nBcc: x@example.org", "Title\nmore", "a\tb",
	    "a\x1b[0m", "a\x7f", "a\xff", "\xc0\xaf"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		refused(begin(state, FULL, bad[i]), 0, "not one line of UTF-8");
		struct state *s = begin(state, FULL, "");
		add_csaf(s, bad[i], "AMBER", "x");
		refused(s, 0, "not one line of UTF-8");
	}
}

static void title_at_its_longest_is_taken_whole(void **state)
{
	struct state *s = begin(state, FULL, "");
	memset(s->content.subject, 'x', MAIL_SUBJECT_SIZE - 1);
	assert_true(drafts(s));
	assert_int_equal(strlen(s->draft.title), MAIL_SUBJECT_SIZE - 1);
}

static void refusal_of_the_block_is_passed_on(void **state)
{
	refused(begin(state, "Advisory: new\nTLP: x\n", "T"), 2, "TLP is");
	refused(begin(state, "Dear all\n", "T"), 0, "must begin with");
	struct state *s = begin(state, "", "T");
	s->content.text = (struct view){NULL, 0};
	refused(s, 0, "must begin with");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(block_and_subject_make_a_draft),
	    cmocka_unit_test(csaf_fills_what_the_block_leaves_out),
	    cmocka_unit_test(own_subject_and_text_go_before_those_of_the_csaf),
	    cmocka_unit_test(csaf_of_another_tlp_is_refused_at_the_line),
	    cmocka_unit_test(csaf_of_unknown_tlp_is_refused),
	    cmocka_unit_test(csaf_without_tlp_contradicts_nothing),
	    cmocka_unit_test(label_of_an_absent_csaf_is_ignored),
	    cmocka_unit_test(unreadable_csaf_is_refused_with_its_reason),
	    cmocka_unit_test(earlier_tlp_serves_an_update_that_gives_none),
	    cmocka_unit_test(withdrawal_with_a_higher_label_is_refused),
	    cmocka_unit_test(nothing_goes_out_without_a_tlp),
	    cmocka_unit_test(new_advisory_needs_an_audience_and_an_update_does_not),
	    cmocka_unit_test(release_in_the_future_is_taken_and_one_out_of_sight_is_refused),
	    cmocka_unit_test(advisory_without_text_is_refused),
	    cmocka_unit_test(mail_without_a_title_is_refused),
	    cmocka_unit_test(title_in_the_block_stands_for_a_subject_that_is_not_protected),
	    cmocka_unit_test(title_that_contradicts_the_subject_is_refused),
	    cmocka_unit_test(title_that_says_nothing_is_refused),
	    cmocka_unit_test(marks_of_replies_and_earlier_copies_are_taken_off_the_title),
	    cmocka_unit_test(title_that_is_not_one_line_of_text_is_refused),
	    cmocka_unit_test(title_at_its_longest_is_taken_whole),
	    cmocka_unit_test(refusal_of_the_block_is_passed_on),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_advisory", tests, setup, teardown);
}
