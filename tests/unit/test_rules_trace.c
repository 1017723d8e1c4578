/* Which copy a text comes from: also of a part of it, reflowed, quoted and changed. */
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
#include "rules/trace.h"

enum { COPIES = 50, PARAGRAPHS = 12, WORDS = 30, ROUNDS = 60, TEXT_MAX = 256 * 1024 };

struct world {
	unsigned char marks[COPIES][TRACE_MARK_SIZE];
	unsigned seed;
};

/* Repeatable, so that a failure can be looked into. */
static unsigned draw(struct world *world, unsigned below)
{
	world->seed = world->seed * 1103515245U + 12345U;
	return (world->seed >> 16) % below;
}

static struct world new_world(unsigned seed)
{
	struct world world = {.seed = seed};
	for (size_t i = 0; i < COPIES; i++) {
		for (size_t k = 0; k < TRACE_MARK_SIZE; k++)
			world.marks[i][k] = (unsigned char)draw(&world, 256);
	}
	return world;
}

static void add_word(struct world *world, struct buf *out)
{
	const unsigned len = 2 + draw(world, 8);
	for (unsigned i = 0; i < len; i++)
		buf_add_char(out, (char)('a' + draw(world, 26)));
}

/* Prose of paragraphs of WORDS words. */
static void add_prose(struct world *world, struct buf *out, size_t paragraphs)
{
	for (size_t p = 0; p < paragraphs; p++) {
		for (size_t i = 0; i < WORDS; i++) {
			add_word(world, out);
			buf_add_text(out, i + 1 == WORDS ? ".\n\n" : i % 11 == 10 ? ",\n" : " ");
		}
	}
}

/* The copy that is named, or -1 when one cannot tell. */
static int traced(const struct world *world, struct view text)
{
	struct trace_score scores[COPIES];
	struct trace_sites sites;
	size_t best;
	unsigned permille;
	trace_read(text, &sites);
	for (size_t i = 0; i < COPIES; i++)
		scores[i] = trace_score(&sites, world->marks[i]);
	trace_release(&sites);
	trace_decide(scores, COPIES, &best, &permille);
	return permille >= TRACE_SURE_PERMILLE ? (int)best : -1;
}

/* `keep` paragraphs, in their order, from any place on. */
static void cut(struct world *world, struct view text, size_t keep, struct buf *out)
{
	size_t skip = draw(world, (unsigned)(PARAGRAPHS - keep + 1));
	while (text.len > 0) {
		size_t end = view_find(text, VIEW("\n\n"));
		end = end == SIZE_MAX ? text.len : end + 2;
		if (skip > 0)
			skip--;
		else if (keep-- > 0)
			buf_add_view(out, view_part(text, 0, end));
		else
			return;
		text = view_part(text, end, text.len);
	}
}

/* As mail programs and people do: other line ends, several blanks, quotation marks in front. */
static void mangle(struct world *world, struct view text, struct buf *out)
{
	const unsigned manner = draw(world, 5);
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (c != ' ' && c != '\n')
			buf_add_char(out, c);
		else if (manner == 0)
			buf_add_char(out, ' '); /* all in one line */
		else if (manner == 1)
			buf_add_text(out, c == '\n' ? "\r\n" : " ");
		else if (manner == 2)
			buf_add_text(out, c == '\n' ? "\n> > " : "  ");
		else if (manner == 3)
			buf_add_text(out, draw(world, 4) == 0 ? "\n> " : " ");
		else
			buf_add_text(out, c == '\n' ? "\n" : "\xC2\xA0");
	}
}

static void any_two_paragraphs_name_their_copy_however_they_are_laid_out(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world world = new_world(round + 1);
		struct buf text = BUF_EMPTY(TEXT_MAX);
		struct buf copy = BUF_EMPTY(TEXT_MAX);
		struct buf part = BUF_EMPTY(TEXT_MAX);
		struct buf leak = BUF_EMPTY(TEXT_MAX);
		const unsigned whose = draw(&world, COPIES);
		add_prose(&world, &text, PARAGRAPHS);
		assert_true(trace_mark_text(&copy, buf_view(&text), world.marks[whose]) >
			    PARAGRAPHS * (WORDS - 2));
		cut(&world, buf_view(&copy), 2, &part);
		mangle(&world, buf_view(&part), &leak);
		assert_int_equal(traced(&world, buf_view(&leak)), (int)whose);
		buf_release(&text);
		buf_release(&copy);
		buf_release(&part);
		buf_release(&leak);
	}
}

/* Words left out, added and changed: one in eight. */
static void edit(struct world *world, struct view text, struct buf *out)
{
	struct view word;
	while (view_next_field(&text, ' ', &word)) {
		const unsigned fate = draw(world, 24);
		if (fate == 0)
			continue;
		if (fate == 1)
			add_word(world, out);
		else
			buf_add_view(out, word);
		buf_add_char(out, ' ');
		if (fate == 2) {
			add_word(world, out);
			buf_add_char(out, ' ');
		}
	}
}

static void edited_paragraphs_still_name_their_copy(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world world = new_world(round + 1000);
		struct buf text = BUF_EMPTY(TEXT_MAX);
		struct buf copy = BUF_EMPTY(TEXT_MAX);
		struct buf part = BUF_EMPTY(TEXT_MAX);
		struct buf leak = BUF_EMPTY(TEXT_MAX);
		const unsigned whose = draw(&world, COPIES);
		add_prose(&world, &text, PARAGRAPHS);
		trace_mark_text(&copy, buf_view(&text), world.marks[whose]);
		cut(&world, buf_view(&copy), 4, &part);
		edit(&world, buf_view(&part), &leak);
		assert_int_equal(traced(&world, buf_view(&leak)), (int)whose);
		buf_release(&text);
		buf_release(&copy);
		buf_release(&part);
		buf_release(&leak);
	}
}

static void text_without_marks_names_nobody(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world world = new_world(round + 2000);
		struct buf text = BUF_EMPTY(TEXT_MAX);
		add_prose(&world, &text, PARAGRAPHS);
		assert_int_equal(traced(&world, buf_view(&text)), -1);
		buf_release(&text);
	}
}

static void copy_with_a_mark_of_another_advisory_names_nobody(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world world = new_world(round + 3000);
		struct world other = new_world(round + 4000);
		struct buf text = BUF_EMPTY(TEXT_MAX);
		struct buf copy = BUF_EMPTY(TEXT_MAX);
		add_prose(&world, &text, PARAGRAPHS);
		trace_mark_text(&copy, buf_view(&text), other.marks[0]);
		assert_int_equal(traced(&world, buf_view(&copy)), -1);
		buf_release(&text);
		buf_release(&copy);
	}
}

static void halves_of_two_copies_name_neither(void **state)
{
	struct world world = new_world(5);
	struct buf text = BUF_EMPTY(TEXT_MAX);
	struct buf both = BUF_EMPTY(TEXT_MAX);
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		buf_clear(&text);
		add_prose(&world, &text, PARAGRAPHS);
		trace_mark_text(&both, buf_view(&text), world.marks[i]);
	}
	assert_int_equal(traced(&world, buf_view(&both)), -1);
	buf_release(&text);
	buf_release(&both);
}

static void few_words_are_too_few(void **state)
{
	struct world world = new_world(6);
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	(void)state;
	trace_mark_text(&copy, VIEW("Install the update now.\n"), world.marks[3]);
	assert_int_equal(traced(&world, buf_view(&copy)), -1);
	buf_release(&copy);
}

/* What stays when the marks are taken off is the publisher's text, byte for byte. */
static void marks_change_nothing_that_can_be_seen(void **state)
{
	static const char text[] =
	    "Stop the pump: run\n\n    systemctl stop pump now please\n\n"
	    "and see https://example.org/a b1 CVE-2026-1 --force x. Gr\xC3\xBC\xC3\x9F"
	    "e aus K\xC3\xB6ln.\n";
	struct world world = new_world(7);
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	struct buf seen = BUF_EMPTY(TEXT_MAX);
	(void)state;
	assert_true(trace_mark_text(&copy, VIEW(text), world.marks[0]) > 0);
	assert_true(text_is_utf8(buf_view(&copy)));
	for (size_t i = 0; i < copy.len; i++) {
		if (i + 2 < copy.len && (unsigned char)copy.data[i] == 0xE2)
			i += 2;
		else
			buf_add_char(&seen, copy.data[i]);
	}
	assert_true(view_is(buf_view(&seen), text));
	static const char *const left_alone[] = {"    systemctl stop pump now please\n",
	    "https://example.org/a b1 CVE-2026-1 --force x."};
	for (size_t i = 0; i < sizeof left_alone / sizeof left_alone[0]; i++)
		assert_true(view_find(buf_view(&copy), view_of(left_alone[i])) != SIZE_MAX);
	buf_release(&copy);
	buf_release(&seen);
}

static const char frame[] = "TLP:AMBER\n"
			    "------------------------------------------------------------\n"
			    "Advisory: DEW-2026-0001\n"
			    "------------------------------------------------------------\n"
			    "\nA list:\n- one\n- two\n\n"
			    "------------------------------------------------------------\n"
			    "To acknowledge, reply.\n";

/* The frame alone speaks too, though it is short. */
static void rules_of_the_frame_agree_with_their_copy_alone(void **state)
{
	struct world world = new_world(8);
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	struct trace_sites sites;
	(void)state;
	trace_mark_rules(&copy, VIEW(frame), world.marks[4]);
	trace_read(buf_view(&copy), &sites);
	assert_int_equal(sites.count, 3);
	assert_int_equal(trace_score(&sites, world.marks[4]).matches, 3);
	assert_true(trace_score(&sites, world.marks[5]).matches < 3);
	trace_release(&sites);
	buf_release(&copy);
}

/* Copies once had longer rules: what leaked of them still speaks. */
static void rules_of_former_copies_are_read_as_they_were_drawn(void **state)
{
	enum { LONGER = 16 };
	struct world world = new_world(8);
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	struct buf former = BUF_EMPTY(TEXT_MAX);
	struct trace_sites sites;
	struct view rest;
	struct view line;
	(void)state;
	trace_mark_rules(&copy, VIEW(frame), world.marks[4]);
	rest = buf_view(&copy);
	while (view_next_line(&rest, &line)) {
		buf_add_view(&former, line);
		for (size_t i = 0; i < LONGER && line.len >= 44 && line.data[0] == '-'; i++)
			buf_add_char(&former, '-');
		buf_add_char(&former, '\n');
	}
	trace_read(buf_view(&former), &sites);
	assert_int_equal(sites.count, 3);
	assert_int_equal(trace_score(&sites, world.marks[4]).matches, 3);
	trace_release(&sites);
	buf_release(&copy);
	buf_release(&former);
}

static void apostrophes_carry_marks_where_invisible_ones_were_taken_off(void **state)
{
	struct world world = new_world(9);
	struct buf text = BUF_EMPTY(TEXT_MAX);
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	struct trace_sites sites;
	(void)state;
	for (size_t i = 0; i < 40; i++) {
		add_word(&world, &text);
		buf_add_text(&text, "'s\n\n");
	}
	assert_int_equal(trace_mark_text(&copy, buf_view(&text), world.marks[1]), 40);
	trace_read(buf_view(&copy), &sites);
	assert_int_equal(trace_score(&sites, world.marks[1]).matches, sites.count);
	assert_int_equal(traced(&world, buf_view(&copy)), 1);
	trace_release(&sites);
	buf_release(&text);
	buf_release(&copy);
}

static void any_bytes_are_read_without_harm(void **state)
{
	struct world world = new_world(10);
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		char bytes[300];
		struct buf copy = BUF_EMPTY(TEXT_MAX);
		struct trace_sites sites;
		const size_t len = draw(&world, sizeof bytes);
		for (size_t i = 0; i < len; i++) {
			static const char common[] = "a \n-'\xE2\x80\x8B";
			bytes[i] = common[draw(&world, sizeof common)];
			if (draw(&world, 3) == 0)
				bytes[i] = (char)draw(&world, 256);
		}
		trace_mark_text(&copy, (struct view){bytes, len}, world.marks[0]);
		trace_mark_rules(&copy, (struct view){bytes, len}, world.marks[0]);
		trace_read(buf_view(&copy), &sites);
		trace_release(&sites);
		buf_release(&copy);
	}
}

static void nothing_to_choose_from_names_nobody(void **state)
{
	size_t best;
	unsigned permille;
	(void)state;
	trace_decide(NULL, 0, &best, &permille);
	assert_int_equal(permille, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_two_paragraphs_name_their_copy_however_they_are_laid_out),
	    cmocka_unit_test(edited_paragraphs_still_name_their_copy),
	    cmocka_unit_test(text_without_marks_names_nobody),
	    cmocka_unit_test(copy_with_a_mark_of_another_advisory_names_nobody),
	    cmocka_unit_test(halves_of_two_copies_name_neither),
	    cmocka_unit_test(few_words_are_too_few),
	    cmocka_unit_test(marks_change_nothing_that_can_be_seen),
	    cmocka_unit_test(rules_of_the_frame_agree_with_their_copy_alone),
	    cmocka_unit_test(rules_of_former_copies_are_read_as_they_were_drawn),
	    cmocka_unit_test(apostrophes_carry_marks_where_invisible_ones_were_taken_off),
	    cmocka_unit_test(any_bytes_are_read_without_harm),
	    cmocka_unit_test(nothing_to_choose_from_names_nobody),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_trace", tests, NULL, NULL);
}
