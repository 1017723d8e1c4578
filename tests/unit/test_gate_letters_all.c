#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gate/letters.h"
#include "gate/letters_agreement.h"
#include "gate/letters_alarm.h"
#include "gate/letters_answer.h"
#include "gate/letters_clear.h"
#include "gate/letters_inform.h"
#include "gate/letters_key.h"
#include "gate/letters_release.h"
#include "gate/letters_restored.h"
#include "gate/letters_unsent.h"
#include "rules/reply.h"

enum { HOUR = 3600, WRAP = 76 };

static const int64_t now = 1795993740; /* Sun 29 Nov 2026 23:09 UTC */
static const char fingerprint[] = "0123456789ABCDEF0123456789ABCDEF01234567";
static const struct advisory advisory = {.number = "DEW-2026-0007", .tlp = "AMBER"};
static const struct revision revision = {.number = 2,
    .kind = "update",
    .tlp = "AMBER+STRICT",
    .audience = "all",
    .token = "ABCDEFGHIJKLMNOP",
    .released_at = 1795993740 - 4 * HOUR,
    .own_left_out = true,
    .acknowledge_by = 1795993740 + 4 * HOUR};
static const struct refusal refusal = {.line = 3, .text = "TLP is \"PINK\""};
static const struct hold hold = {.token = "ABCDEFGHIJKLMNOP", .release_at = 1795993740 + HOUR};
static const struct member_report report = {
    .number = "REP-2026-0001", .tlp = "AMBER", .received_at = 1795993740, .arrival = 17};
static const struct publisher publisher = {.name = "PSIRT", .address = "psirt@vendor.example"};
static const struct contact contact = {.name = "Eve", .address = "cert@us-de.example"};
static const struct member member = {.id = "us-de", .name = "Delaware", .state = "active"};
static const struct agreement agreement = {
    .version = 2, .required_from = 1795993740 + HOUR, .expires = 1795993740 + 9000 * HOUR};
static const struct material material = {.name = "guide", .tlp = "GREEN", .size = 1};

static const struct epoch epoch = {.number = 2,
    .tag = "BKT",
    .begun_at = 1795993740,
    .backup_at = 1795993740 - 9 * HOUR,
    .sequence = 40,
    .lost_to = 44,
    .noticed = true};

static void write_advisory(struct buf *out)
{
	const struct letter_advisory letter = {.programme = "Example early warning",
	    .gateway = "gateway@example.org",
	    .fingerprint = fingerprint,
	    .publisher = "Vendor PSIRT",
	    .advisory = &advisory,
	    .revision = &revision,
	    .title = "Pumps stop",
	    .text = VIEW("Update at once."),
	    .copy = "Copy 7 of 12, for cert@us-de.example"};
	letter_text(out, &letter);
}

static void write_receipt(struct buf *out, bool complete)
{
	const struct letter_receipt letter = {.advisory = &advisory,
	    .revision = &revision,
	    .title = "Pumps stop",
	    .counts = {.total = 1, .sent = 1},
	    .now = now,
	    .traced = true,
	    .complete = complete,
	    .unreached = VIEW("  a@example.org (us-de)\n      the certificate expired\n"),
	    .clear = VIEW("  b@example.org\n"),
	    .audit_sequence = 42,
	    .audit_hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
	letter_receipt(out, &letter);
}

static void write_first_receipt(struct buf *out)
{
	write_receipt(out, false);
}

static void write_last_receipt(struct buf *out)
{
	write_receipt(out, true);
}

static void write_refusal(struct buf *out)
{
	letter_refusal(out, &refusal, 17);
}

static void write_reminder(struct buf *out, bool deadline, bool everyone)
{
	const struct letter_reminder letter = {.programme = "Example early warning",
	    .gateway = "gateway@example.org",
	    .advisory = &advisory,
	    .revision = &revision,
	    .deadline = deadline,
	    .everyone = everyone,
	    .lost = epoch,
	    .now = now};
	letter_reminder_text(out, &letter);
}

static void write_first_reminder(struct buf *out)
{
	write_reminder(out, false, false);
}

static void write_deadline(struct buf *out)
{
	write_reminder(out, true, false);
}

static void write_deadline_for_everyone(struct buf *out)
{
	write_reminder(out, true, true);
}

static void write_alarm(struct buf *out)
{
	const struct reminder_state state = {
	    .address = "cert@us-de.example", .state = "sent", .sent_at = now, .reminded = 75};
	struct buf names = BUF_EMPTY(BUF_SMALL);
	letter_add_member(&names, "us-de", "Delaware");
	letter_add_missing(&names, &state);
	const struct letter_alarm letter = {.advisory = &advisory,
	    .revision = &revision,
	    .missing = 1,
	    .members = 1,
	    .names = buf_view(&names),
	    .lost = epoch,
	    .now = now + 5 * HOUR};
	letter_alarm_text(out, &letter);
	buf_release(&names);
}

static void write_clear(struct buf *out, const char *what, bool alarm)
{
	const struct letter_clear letter = {fingerprint, &advisory, &revision, now};
	struct clear_answer answer = {.status = "affected",
	    .address = "cert@us-de.example",
	    .member = "us-de",
	    .arrival = 17,
	    .signed_at = now,
	    .received_at = now};
	struct buf lines = BUF_EMPTY(BUF_SMALL);
	strcpy(answer.what, what);
	answer.told = alarm;
	strcpy(answer.untold, "the certificate expired");
	letter_add_clear(&lines, &answer);
	if (alarm)
		letter_clear_alarm_text(out, &letter, buf_view(&lines));
	else
		letter_clear_text(out, &letter, &answer);
	buf_release(&lines);
}

static void write_clear_text(struct buf *out)
{
	write_clear(out, "text", false);
}

static void write_clear_subject(struct buf *out)
{
	write_clear(out, "subject", false);
}

static void write_clear_alarm(struct buf *out)
{
	write_clear(out, "subject", true);
}

static void write_leak(struct buf *out, const char *what, bool alarm)
{
	const struct letter_clear letter = {fingerprint, &advisory, &revision, now};
	struct clear_answer answer = {.address = "cert@us-de.example",
	    .member = "us-de",
	    .contact = 1,
	    .arrival = 17,
	    .received_at = now};
	struct buf lines = BUF_EMPTY(BUF_SMALL);
	strcpy(answer.what, what);
	letter_add_leak(&lines, &answer);
	if (alarm)
		letter_leak_alarm_text(out, &letter, buf_view(&lines));
	else
		letter_leak_text(out, &letter, &answer, UNCOUNTED_UNSIGNED);
	buf_release(&lines);
}

static void write_leak_text(struct buf *out)
{
	write_leak(out, "text", false);
}

static void write_leak_subject(struct buf *out)
{
	write_leak(out, "subject", false);
}

static void write_leak_alarm(struct buf *out)
{
	write_leak(out, "text", true);
}

static void write_not_taken(struct buf *out)
{
	const struct delivery delivery = {.address = "cert@us-de.example",
	    .first_at = now - HOUR,
	    .reason = "450 4.7.1 try again later"};
	struct buf lines = BUF_EMPTY(BUF_SMALL);
	letter_add_not_taken(&lines, &delivery, "us-de", now);
	const struct letter_not_taken letter = {.what = "DEW-2026-0007 r2",
	    .waiting = buf_view(&lines),
	    .failed = buf_view(&lines),
	    .waiting_count = 1,
	    .failed_count = 1};
	letter_not_taken(out, &letter);
	buf_release(&lines);
}

/* Every reason that a letter is written for. */
static void write_uncounted(struct buf *out)
{
	const struct letter_clear letter = {fingerprint, &advisory, &revision, now};
	struct uncounted_answer answer = {.arrival = 17, .received_at = now, .signed_at = now};
	for (int i = UNCOUNTED_NOT + 1; i < UNCOUNTEDS; i++) {
		if (!uncounted_is_told((enum uncounted)i))
			continue;
		strcpy(answer.reason, uncounted_name((enum uncounted)i));
		letter_uncounted_text(out, &letter, &answer);
	}
}

/* What a reminder may say of an answer that does not count. */
static void write_uncounted_hints(struct buf *out)
{
	for (int i = UNCOUNTED_NOT + 1; i < UNCOUNTEDS; i++) {
		letter_add_uncounted(out, (enum uncounted)i, false);
		letter_add_uncounted(out, (enum uncounted)i, true);
	}
}

static void write_bounces(struct buf *out)
{
	const struct bounce bounce = {.verdict = "bounced",
	    .status = "5.1.1",
	    .address = "cert@us-de.example",
	    .instead_address = "backup@us-de.example"};
	const struct bounce reply = {
	    .verdict = "written", .address = "cert@us-de.example", .lines = "Thank you.\n"};
	struct buf failures = BUF_EMPTY(BUF_SMALL);
	struct buf replies = BUF_EMPTY(BUF_SMALL);
	letter_add_bounce(&failures, &bounce, "us-de", true);
	letter_add_bounce(&replies, &reply, "us-de", true);
	letter_bounces(out, "DEW-2026-0007 r2", buf_view(&failures), buf_view(&replies));
	buf_release(&failures);
	buf_release(&replies);
}

static void write_report(struct buf *out)
{
	const struct letter_report letter = {.report = &report,
	    .contact = &contact,
	    .member = &member,
	    .about = "DEW-2026-0007",
	    .title = "Odd traffic",
	    .text = VIEW("We saw it.")};
	letter_report_text(out, &letter);
}

static void write_report_receipt(struct buf *out)
{
	const struct delivery_counts counts = {.total = 2, .failed = 1};
	letter_report_receipt(out, &report, &counts);
}

static void write_report_to_nobody(struct buf *out)
{
	const struct delivery_counts counts = {.total = 1, .failed = 1};
	letter_report_receipt(out, &report, &counts);
}

static void write_reply(struct buf *out)
{
	letter_report_reply(out, &report, &publisher, VIEW("Thank you."));
}

static void write_materials(struct buf *out)
{
	struct buf rows = BUF_EMPTY(BUF_SMALL);
	letter_material(out, &material, VIEW("How to harden plants"));
	letter_no_material(out);
	letter_material_row(&rows, &material, VIEW("How to harden plants"));
	letter_material_list(out, 1, buf_view(&rows));
	letter_material_list(out, 0, VIEW(""));
	buf_release(&rows);
}

static void write_keys(struct buf *out)
{
	letter_key_renewed(out, fingerprint, now + HOUR, now);
	letter_key_pending(out, fingerprint, fingerprint);
	letter_key_unchanged(out);
	letter_key_kept(out);
	letter_key_begin_fates(out);
	struct certificate_verdict verdict = {.usable = true};
	snprintf(verdict.facts.fingerprint, sizeof verdict.facts.fingerprint, "%s", fingerprint);
	snprintf(verdict.unproved, sizeof verdict.unproved, "%s", fingerprint);
	for (int fate = KEYFATE_REFUSED; fate <= KEYFATE_REVOKED; fate++) {
		const struct keyfate_key key = {.verdict = &verdict,
		    .fate = (enum keyfate)fate,
		    .reason = "there is more than one new key in your mail: send the one that you "
			      "mean alone"};
		letter_key_fate(out, &key);
	}
	letter_key_unread(out, "", "a block in it is damaged");
	letter_key_unread(out, "OpenPGP_0x1234567890ABCDEF.asc", "a block in it is damaged");
	letter_key_left_out(out, 2);
	letter_key_refused(out, &refusal, 17);
}

static void write_key_lost(struct buf *out)
{
	letter_key_lost(out, "cert@us-de.example", fingerprint);
}

static void write_key_warning(struct buf *out)
{
	const struct letter_key letter = {
	    "Example early warning", "cert@us-de.example", fingerprint, now + HOUR, now};
	letter_key_warning(out, &letter);
}

static void write_hold(struct buf *out, int64_t approvers)
{
	const struct letter_plan plan = {
	    .reachable = 1, .approvers = approvers, .unreached = VIEW("  a@example.org: why\n")};
	const struct letter_hold letter = {.number = "DEW-2026-0007",
	    .title = "Pumps stop",
	    .tlp = "AMBER",
	    .audience = "all",
	    .exercise = true,
	    .update = true,
	    .acknowledge = 4 * HOUR,
	    .hold = &hold,
	    .author = "psirt@vendor.example",
	    .now = now};
	letter_held(out, &letter, &plan);
	letter_request(out, &letter, VIEW("Update at once."));
}

static void write_held(struct buf *out)
{
	write_hold(out, 0);
}

static void write_held_for_one(struct buf *out)
{
	write_hold(out, 1);
}

static void write_held_for_more(struct buf *out)
{
	write_hold(out, 3);
}

static void write_decided(struct buf *out)
{
	struct letter_decision decision = {&hold, true, "other@vendor.example", VIEW(""), now};
	letter_decided(out, "DEW-2026-0007", &decision);
	decision.approved = false;
	letter_decided(out, "DEW-2026-0007", &decision);
	letter_unsent(out, "DEW-2026-0007", "psirt@vendor.example");
	letter_impossible(out, "DEW-2026-0007", &refusal);
}

static void write_agreement(struct buf *out, bool invitation)
{
	const struct letter_agreement letter = {.programme = "Example early warning",
	    .gateway = "gateway@example.org",
	    .fingerprint = fingerprint,
	    .member = &member,
	    .agreement = &agreement,
	    .token = "ABCDEFGHIJKLMNOP",
	    .invitation = invitation,
	    .now = now,
	    .text = VIEW("Keep it to yourself.")};
	letter_agreement_text(out, &letter);
}

static void write_new_version(struct buf *out)
{
	write_agreement(out, false);
}

static void write_invitation(struct buf *out)
{
	write_agreement(out, true);
}

/* Letters to officials and publishers. */
static const char findings[] =
    "contact cert@us-de.example: has the key 0123456789ABCDEF0123456789ABCDEF01234567 since the "
    "backup, lost: that of before is retired here\n"
    "DEW-2026-0008: lost\nthe draft of DEW-2026-0007, whose hour has come: held back\n";
static const struct lost_trace trace = {.kind = LOST_ANSWER,
    .subject = "DEW-2026-0008 r1",
    .arrival = 17,
    .received_at = 1795993740 - HOUR,
    .address = "cert@us-de.example"};

static void write_restored_publisher(struct buf *out)
{
	letter_restored_publisher(out, &epoch, "DEW", view_of(findings));
}

static void write_restored(struct buf *out)
{
	letter_restored(out, &epoch, "DEW", view_of(findings));
}

static void write_lost_answer(struct buf *out)
{
	letter_lost_answer(out, &epoch, &trace, now);
}

static void write_lost(struct buf *out)
{
	struct buf lines = BUF_EMPTY(BUF_SMALL);
	letter_add_lost(&lines, &trace, now);
	letter_lost(out, &epoch, buf_view(&lines));
	buf_release(&lines);
}

static void write_refused_lost(struct buf *out)
{
	struct refusal lost;
	letter_refuse_lost(&lost, 1, &epoch, "DEW-2026-0008",
	    "If you have a receipt for it, send it as a new advisory (Advisory: new), whose text "
	    "names it and says what becomes of it");
	letter_refusal(out, &lost, 17);
}

static void (*const letters[])(struct buf *out) = {write_restored_publisher, write_lost_answer,
    write_advisory, write_first_receipt,
    write_last_receipt, write_refusal, write_first_reminder, write_deadline,
    write_deadline_for_everyone, write_alarm, write_clear_text, write_clear_subject,
    write_clear_alarm, write_leak_text, write_leak_subject, write_leak_alarm, write_uncounted,
    write_uncounted_hints, write_report, write_report_receipt, write_report_to_nobody, write_reply,
    write_materials, write_keys, write_key_warning, write_key_lost, write_held, write_held_for_one,
    write_held_for_more, write_decided, write_new_version, write_invitation};
/* A part of it says that it is for the admins, who have dewctl. */
static void (*const shared[])(struct buf *out) = {write_not_taken, write_bounces,
    write_restored, write_lost};
enum { LETTERS = sizeof letters / sizeof letters[0], SHARED = sizeof shared / sizeof shared[0] };

static void write_any(struct buf *out, size_t i)
{
	(i < LETTERS ? letters[i] : shared[i - LETTERS])(out);
}

static bool holds(const struct buf *text, const char *what)
{
	return view_find(buf_view(text), view_of(what)) != SIZE_MAX;
}

static void nobody_reads_of_what_only_an_admin_has(void **state)
{
	static const char *const foreign[] = {
	    "dewctl", "dewlined", "smarthost", "vault", "SQLite", "return path"};
	(void)state;
	for (size_t i = 0; i < LETTERS; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		letters[i](&text);
		for (size_t k = 0; k < sizeof foreign / sizeof foreign[0]; k++) {
			if (holds(&text, foreign[k]))
				fail_msg("%s stands in:\n%s", foreign[k], buf_text(&text));
		}
		buf_release(&text);
	}
}

static void publishers_read_of_advisories_alone_what_a_restore_lost(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	write_restored_publisher(&text);
	assert_true(holds(&text, "DEW-2026-0008: lost"));
	assert_true(holds(&text, "the draft of DEW-2026-0007"));
	assert_false(holds(&text, "0123456789ABCDEF"));
	assert_true(holds(&text, "DEW-2026-BKT0007"));
	buf_clear(&text);
	write_restored(&text);
	assert_true(holds(&text, "entries 41 to 44 are lost"));
	assert_true(holds(&text, "0123456789ABCDEF"));
	buf_clear(&text);
	write_refused_lost(&text);
	assert_true(holds(&text, "and says what becomes of it."));
	buf_release(&text);
}

static void reminder_and_alarm_say_that_a_restore_may_have_lost_the_answer(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	write_first_reminder(&text);
	assert_true(holds(&text, "Sun 29 Nov 14:09 UTC to Sun 29 Nov 23:09 UTC.\n"
				 "If you answered in that time, please answer once more.\n"));
	buf_clear(&text);
	write_alarm(&text);
	assert_true(holds(&text, "Who is named may have answered in that time.\n"));
	buf_release(&text);
}

static void times_stand_in_words_of_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < LETTERS + SHARED; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		write_any(&text, i);
		if (holds(&text, ":00Z") || holds(&text, "2026-11"))
			fail_msg("a time for machines in:\n%s", buf_text(&text));
		buf_release(&text);
	}
}

/* A rule that is wrapped becomes two, in a reply and in a reply to that. */
static void lines_of_ours_are_not_wrapped_and_rules_not_in_quotations_either(void **state)
{
	(void)state;
	for (size_t i = 0; i < LETTERS + SHARED; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		struct view rest;
		struct view line;
		write_any(&text, i);
		rest = buf_view(&text);
		while (view_next_line(&rest, &line)) {
			const bool rule = view_starts_nocase(line, "-----");
			/* The checkpoint is one word. */
			if (view_starts_nocase(line, "42:"))
				continue;
			if (line.len + (rule ? strlen("> > ") : 0) > WRAP)
				fail_msg("%.*s", (int)line.len, line.data);
		}
		buf_release(&text);
	}
}

static void assert_holds(void (*write)(struct buf *out), const char *const *parts)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	write(&text);
	for (; *parts != NULL; parts++) {
		if (!holds(&text, *parts))
			fail_msg("\"%s\" is not in:\n%s", *parts, buf_text(&text));
	}
	buf_release(&text);
}

static void reminder_says_how_to_answer_and_until_when(void **state)
{
	(void)state;
	assert_holds(write_first_reminder,
	    (const char *const[]){"Released:  4 hours ago, Sun 29 Nov 19:09 UTC\n",
		"Answer by: in 4 hours, Mon 30 Nov 03:09 UTC\n", "No answer has come from you yet",
		"\nToken: ABCDEFGHIJKLMNOP\n", "not affected", "\"unreadable\"", NULL});
	assert_holds(write_deadline, (const char *const[]){"The time to answer is over", NULL});
}

static void receipt_says_until_when_answers_are_due(void **state)
{
	(void)state;
	assert_holds(
	    write_first_receipt, (const char *const[]){"on its way", "Another receipt comes",
				     "Answers are due in 4 hours, Mon 30 Nov 03:09 UTC.", NULL});
	assert_holds(
	    write_last_receipt, (const char *const[]){"The mail server has taken it", NULL});
}

static void alarm_counts_one_member_as_one(void **state)
{
	(void)state;
	assert_holds(write_alarm,
	    (const char *const[]){"The time to answer ended 1 hour ago, Mon 30 Nov 03:09 UTC.",
		"missing from 1 of 1 member.", "reach it:", "reminded at 75 % of the time", NULL});
}

static void answer_in_the_open_is_told_what_to_do_next_time(void **state)
{
	(void)state;
	assert_holds(write_clear_text,
	    (const char *const[]){"encrypt your answer to the gateway's key", fingerprint,
		"signed on Sun 29 Nov 23:09 UTC", "Do not send it again.", NULL});
	assert_holds(
	    write_clear_subject, (const char *const[]){"encrypt the subject, or write \"...\"",
				     "token in the text", NULL});
	assert_holds(write_clear_alarm,
	    (const char *const[]){"encrypt the next answer, but for those where NOT told", NULL});
}

static void answer_that_does_not_count_is_told_until_when_one_is_due(void **state)
{
	static const char *const due[] = {
	    "An answer is due in 4 hours, Mon 30 Nov 03:09 UTC.\n", NULL};
	(void)state;
	assert_holds(write_uncounted, due);
	assert_holds(write_leak_text, due);
}

/* Below it the member's own text may hold what cuts it off in a quotation. */
static void report_says_how_to_answer_above_its_text(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	write_report(&text);
	assert_true(view_find(buf_view(&text), VIEW("    Reply: REP-2026-0001\n")) <
		    view_find(buf_view(&text), VIEW("We saw it.")));
	assert_true(holds(&text, "Received:  Sun 29 Nov 2026 23:09 UTC\n"));
	buf_release(&text);
}

static void held_advisory_says_when_it_goes_and_counts_right(void **state)
{
	(void)state;
	assert_holds(write_held, (const char *const[]){"It goes in 1 hour, Mon 30 Nov 00:09 UTC.\n",
				     "answer within 4 hours of its release", NULL});
	assert_holds(write_held_for_one,
	    (const char *const[]){"1 of them gets the draft", "or, if that is later", NULL});
	assert_holds(write_held_for_more, (const char *const[]){"3 of them get the draft", NULL});
}

static void new_version_says_from_when_it_is_required(void **state)
{
	(void)state;
	assert_holds(write_new_version,
	    (const char *const[]){"It is required in 1 hour, Mon 30 Nov 00:09 UTC.",
		"Expires:  in 375 days, Thu 9 Dec 2027 23:09 UTC\n", NULL});
}

/* As letters were: they were sent before an upgrade, and are answered after it. */
static void write_former(struct buf *out)
{
	buf_add_text(out,
	    "TLP:AMBER\n"
	    "----------------------------------------------------------------------------\n"
	    "Advisory:     DEW-2026-0007 revision 2, an update\n"
	    "Title:        Pumps stop\n"
	    "Answer by:    2026-11-30T03:09:00Z\n"
	    "----------------------------------------------------------------------------\n"
	    "\nUpdate at once.\n\n\n"
	    "----------------------------------------------------------------------------\n"
	    "To acknowledge, reply to this mail, signed with your own key, and keep the\n"
	    "token below in the reply (quoting this text does). Encrypt the reply if you\n"
	    "can. If you like, make its first line one of: received, affected,\n"
	    "not affected, acting, unreadable. What follows is taken as a comment.\n"
	    "If your mail program sends subjects in the clear, shorten that of the reply.\n\n"
	    "Token: ABCDEFGHIJKLMNOP\n\n"
	    "Sent by the gateway key 0123456789ABCDEF0123456789ABCDEF01234567\n"
	    "under TLP:AMBER. Share it only as that label allows.\n");
}

/* Lines `from` to `to` of a letter, with a mark in front as programs put it: none alone. */
static void add_quoted(
    struct buf *out, struct view letter, const char *mark, size_t from, size_t to)
{
	struct view line;
	for (size_t i = 0; i < to && view_next_line(&letter, &line); i++) {
		if (i < from)
			continue;
		buf_add_text(out, mark);
		buf_add_view(out, line);
		out->len -= line.len == 0 && mark[strlen(mark) - 1] == ' ' ? 1 : 0;
		buf_add_char(out, '\n');
	}
}

static void assert_answer(const struct buf *text)
{
	struct reply reply;
	reply_read(buf_view(text), VIEW(""), &reply);
	if (reply.tokens.count != 1 || strcmp(reply.status, "not affected") != 0 ||
	    !view_is(buf_view(&reply.comment), "Two sites,\nboth checked."))
		fail_msg("%u tokens, %s, \"%s\" from:\n%s", reply.tokens.count, reply.status,
		    buf_text(&reply.comment), buf_text(text));
	assert_string_equal(reply.tokens.tokens[0], "ABCDEFGHIJKLMNOP");
	buf_release(&reply.comment);
}

static void answers_that_quote_a_letter_are_read_wherever_they_stand(void **state)
{
	static const char own[] = "\nNot affected.\n\nTwo sites,\nboth checked.\n\n";
	static const char introduction[] = "On Sunday, Example early warning wrote:\n";
	static const char *const marks[] = {"> ", ">", "> > ", "| ", "EW> "};
	static void (*const quoted[])(struct buf *) = {
	    write_advisory, write_first_reminder, write_deadline, write_former};
	enum { ALL = 1000, HALF = 9 };
	(void)state;
	for (size_t i = 0; i < sizeof quoted / sizeof quoted[0] * 3; i++) {
		for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
			struct buf letter = BUF_EMPTY(BUF_SMALL);
			struct buf text = BUF_EMPTY(BUF_SMALL);
			const size_t before = i % 3 == 0 ? 0 : i % 3 == 1 ? HALF : ALL;
			quoted[i / 3](&letter);
			if (before > 0)
				buf_add_text(&text, introduction);
			add_quoted(&text, buf_view(&letter), marks[k], 0, before);
			buf_add_text(&text, own);
			if (before == 0)
				buf_add_text(&text, introduction);
			add_quoted(&text, buf_view(&letter), marks[k], before, ALL);
			assert_answer(&text);
			buf_release(&letter);
			buf_release(&text);
		}
	}
}

/* As Outlook puts it: the letter below, with its header and without marks. */
static void answers_above_a_letter_without_marks_are_read(void **state)
{
	static const char *const subjects[] = {"[DEW-2026-0007 r2] Pumps stop [ABCDEFGHIJKLMNOP]",
	    "[...]", "Reminder", "Re: Reminder"};
	(void)state;
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		buf_printf(&text,
		    "Not affected.\n\nTwo sites,\nboth checked.\n\n"
		    "From: Example early warning\nSent: Sunday\nTo: Eve\nSubject: %s\n\n",
		    subjects[i]);
		if (i < 2)
			write_advisory(&text);
		else
			write_first_reminder(&text);
		assert_answer(&text);
		buf_release(&text);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_reads_of_what_only_an_admin_has),
	    cmocka_unit_test(times_stand_in_words_of_people),
	    cmocka_unit_test(lines_of_ours_are_not_wrapped_and_rules_not_in_quotations_either),
	    cmocka_unit_test(reminder_says_how_to_answer_and_until_when),
	    cmocka_unit_test(receipt_says_until_when_answers_are_due),
	    cmocka_unit_test(alarm_counts_one_member_as_one),
	    cmocka_unit_test(answer_in_the_open_is_told_what_to_do_next_time),
	    cmocka_unit_test(answer_that_does_not_count_is_told_until_when_one_is_due),
	    cmocka_unit_test(report_says_how_to_answer_above_its_text),
	    cmocka_unit_test(held_advisory_says_when_it_goes_and_counts_right),
	    cmocka_unit_test(new_version_says_from_when_it_is_required),
	    cmocka_unit_test(answers_that_quote_a_letter_are_read_wherever_they_stand),
	    cmocka_unit_test(answers_above_a_letter_without_marks_are_read),
	    cmocka_unit_test(reminder_and_alarm_say_that_a_restore_may_have_lost_the_answer),
	    cmocka_unit_test(publishers_read_of_advisories_alone_what_a_restore_lost),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_letters_all", tests, NULL, NULL);
}
