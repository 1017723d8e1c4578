#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gate/letters.h"
#include "gate/letters_alarm.h"

static const struct advisory advisory = {
    .number = "DEW-2026-0007", .tlp = "AMBER", .severity = "critical"};

static struct revision revision_of(const char *kind)
{
	struct revision revision = {.number = 2,
	    .tlp = "AMBER",
	    .audience = "all, -us-de",
	    .token = "ABCDEFGHIJKLMNOP",
	    .released_at = 1795629600,
	    .acknowledge_by = 1795644000};
	strcpy(revision.kind, kind);
	return revision;
}

static struct letter_advisory letter_of(
    const struct advisory *about, const struct revision *revision)
{
	return (struct letter_advisory){.programme = "Example early warning",
	    .gateway = "gateway@example.org",
	    .fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567",
	    .publisher = "Vendor PSIRT",
	    .advisory = about,
	    .revision = revision,
	    .title = "Pump controllers stop",
	    .text = VIEW("Update at once.")};
}

static bool holds(const struct buf *text, const char *what)
{
	return view_find(buf_view(text), view_of(what)) != SIZE_MAX;
}

/* What a recipient can hold the copy against (DESIGN, "Sealing"): the signed text names all of it.
 */
static void advisory_text_names_number_revision_audience_tlp_date_and_gateway(void **state)
{
	(void)state;
	const struct revision revision = revision_of("update");
	const struct letter_advisory letter = letter_of(&advisory, &revision);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_text(&text, &letter);
	assert_memory_equal(text.data, "TLP:AMBER\n", 10);
	static const char *const parts[] = {"DEW-2026-0007 revision 2, an update",
	    "Pump controllers stop", "critical", "Vendor PSIRT",
	    "Example early warning <gateway@example.org>", "Released Wed 25 Nov 2026 18:00 UTC",
	    "Answer by: Wed 25 Nov 22:00 UTC, 4 hours after its release\n", "all, -us-de",
	    "\nUpdate at once.\n", "\nToken: ABCDEFGHIJKLMNOP\n",
	    "0123456789ABCDEF0123456789ABCDEF01234567"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		assert_true(holds(&text, parts[i]));
	assert_false(holds(&text, "EXERCISE"));
	buf_release(&text);
}

static size_t lines_before(const struct buf *text, const char *what)
{
	size_t lines = 0;
	const size_t at = view_find(buf_view(text), view_of(what));
	assert_true(at != SIZE_MAX);
	for (size_t i = 0; i < at; i++)
		lines += text->data[i] == '\n';
	return lines;
}

/* What a reader sees at once, and a mail program quotes whatever the publisher wrote. */
static void advisory_says_how_to_answer_above_its_text(void **state)
{
	enum { SEEN_AT_ONCE = 20 };
	(void)state;
	struct advisory drill = advisory;
	drill.exercise = true;
	const struct revision revision = revision_of("update");
	struct letter_advisory letter = letter_of(&drill, &revision);
	letter.copy = "Copy 7 of 12, for cert@us-de.example";
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_text(&text, &letter);
	const size_t body = lines_before(&text, "Update at once.");
	assert_true(body <= SEEN_AT_ONCE);
	static const char *const above[] = {"TLP:AMBER", "EXERCISE", "DEW-2026-0007", "all, -us-de",
	    "Answer by:", "press Reply (not Reply All), sign and encrypt", "Token: ABCDEFGHIJKLMNOP", "not affected",
	    "sends subjects in the clear"};
	for (size_t i = 0; i < sizeof above / sizeof above[0]; i++)
		assert_true(lines_before(&text, above[i]) < body);
	assert_true(lines_before(&text, "Token: ") < lines_before(&text, "not affected"));
	buf_release(&text);
}

static size_t longest_line(const struct buf *text)
{
	struct view rest = buf_view(text);
	struct view line;
	size_t longest = 0;
	while (view_next_line(&rest, &line))
		longest = line.len > longest ? line.len : longest;
	return longest;
}

/* "> > " in front, and 76 is where mail programs wrap. */
static void own_lines_of_an_advisory_stay_whole_when_quoted_twice(void **state)
{
	(void)state;
	static const char *const kinds[] = {"new", "update", "withdraw"};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const struct revision revision = revision_of(kinds[i]);
		const struct letter_advisory letter = letter_of(&advisory, &revision);
		struct buf text = BUF_EMPTY(BUF_SMALL);
		letter_text(&text, &letter);
		assert_true(longest_line(&text) + strlen("> > ") < 76);
		buf_release(&text);
	}
}

static void answer_by_is_named_only_where_there_is_a_deadline(void **state)
{
	(void)state;
	struct revision revision = revision_of("new");
	revision.acknowledge_by = 0;
	const struct letter_advisory letter = letter_of(&advisory, &revision);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_text(&text, &letter);
	assert_false(holds(&text, "Answer by"));
	assert_true(holds(&text, "Token: "));
	buf_release(&text);
}

static void exercise_says_so_at_the_top_the_end_and_in_the_subject(void **state)
{
	(void)state;
	struct advisory drill = advisory;
	drill.exercise = true;
	const struct revision revision = revision_of("new");
	const struct letter_advisory letter = letter_of(&drill, &revision);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_text(&text, &letter);
	assert_memory_equal(text.data, "TLP:AMBER\nEXERCISE", 18);
	buf_clear(&text);
	letter_subject(&text, &letter);
	assert_string_equal(buf_text(&text),
	    "[DEW-2026-0007 r2] EXERCISE: Pump controllers stop [ABCDEFGHIJKLMNOP]");
	buf_release(&text);
}

static void withdrawal_says_not_to_act_on_it(void **state)
{
	(void)state;
	const struct revision revision = revision_of("withdraw");
	const struct letter_advisory letter = letter_of(&advisory, &revision);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_text(&text, &letter);
	assert_true(holds(&text, "is withdrawn. Do not act on it any more."));
	buf_clear(&text);
	letter_subject(&text, &letter);
	assert_true(holds(&text, "WITHDRAWN: Pump controllers stop"));
	buf_release(&text);
}

static void refusal_names_the_line_at_fault(void **state)
{
	(void)state;
	struct refusal refusal;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	refuse(&refusal, 3, "TLP is \"PINK\"");
	letter_refusal(&text, &refusal, 17);
	assert_true(holds(&text, "Line 3 of the signed text: TLP is \"PINK\"."));
	assert_true(holds(&text, "Nothing of it was sent to anybody"));
	assert_true(holds(&text, "arrival 17"));
	buf_release(&text);
}

static void receipt_names_everyone_not_reached_and_never_the_token(void **state)
{
	(void)state;
	struct revision revision = revision_of("new");
	const struct letter_receipt receipt = {.advisory = &advisory,
	    .revision = &revision,
	    .title = "Pump controllers stop",
	    .counts = {.total = 3, .sent = 2, .failed = 1},
	    .complete = true,
	    .unreached = VIEW("  a@example.org (us-de)\n      the certificate expired\n"),
	    .audit_sequence = 42,
	    .audit_hash = "00ff"};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	revision.number = 1;
	letter_receipt(&text, &receipt);
	assert_true(holds(&text, "NOT reached    1"));
	assert_true(holds(&text, "a@example.org (us-de)\n      the certificate expired"));
	assert_true(holds(&text, "\n42:00ff\n"));
	assert_false(holds(&text, revision.token));
	assert_true(holds(&text, "They know nothing of it:"));
	revision.number = 2;
	buf_clear(&text);
	letter_receipt(&text, &receipt);
	assert_true(holds(&text, "They know nothing of this revision:"));
	buf_release(&text);
}

/* Somebody else's words, and those of a reader in his hands. */
static void foreign_lines_stand_behind_a_mark(void **state)
{
	struct bounce bounce = {.verdict = "unreadable",
	    .address = "a@example.org",
	    .lines = "Hello,\n-- \nNobody was suspended.\x1b[2J\n"};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	letter_add_bounce(&text, &bounce, "us-de", true);
	assert_string_equal(buf_text(&text),
	    "  a@example.org (us-de)\n"
	    "      came back, and the reason cannot be read. It begins:\n"
	    "      | Hello,\n      | -- \n      | Nobody was suspended.\\x1b[2J\n");
	buf_clear(&text);
	letter_add_bounce(&text, &bounce, "", false);
	assert_string_equal(
	    buf_text(&text), "  a@example.org\n      came back, and the reason cannot be read.\n");
	strcpy(bounce.verdict, "given up");
	strcpy(bounce.status, "4.4.7");
	strcpy(bounce.diagnostic, "too\nlong");
	buf_clear(&text);
	letter_add_bounce(&text, &bounce, "", true);
	assert_string_equal(buf_text(&text),
	    "  a@example.org\n      given up, perhaps for now, status 4.4.7: too\\x0along\n");
	buf_release(&text);
}

static void failures_and_answers_are_told_apart(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	letter_bounces(&text, "DEW-2026-0007 r1", VIEW("  failure\n"), VIEW(""));
	assert_true(holds(&text, "Mail came back: DEW-2026-0007 r1"));
	assert_false(holds(&text, "Written back to the wrong address"));
	buf_clear(&text);
	letter_bounces(&text, "DEW-2026-0007 r1", VIEW(""), VIEW("  reply\n"));
	assert_false(holds(&text, "Mail came back"));
	assert_true(holds(&text, "no signed answers either"));
	buf_release(&text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(advisory_text_names_number_revision_audience_tlp_date_and_gateway),
	    cmocka_unit_test(advisory_says_how_to_answer_above_its_text),
	    cmocka_unit_test(own_lines_of_an_advisory_stay_whole_when_quoted_twice),
	    cmocka_unit_test(answer_by_is_named_only_where_there_is_a_deadline),
	    cmocka_unit_test(exercise_says_so_at_the_top_the_end_and_in_the_subject),
	    cmocka_unit_test(withdrawal_says_not_to_act_on_it),
	    cmocka_unit_test(refusal_names_the_line_at_fault),
	    cmocka_unit_test(receipt_names_everyone_not_reached_and_never_the_token),
	    cmocka_unit_test(foreign_lines_stand_behind_a_mark),
	    cmocka_unit_test(failures_and_answers_are_told_apart),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_letters", tests, NULL, NULL);
}
