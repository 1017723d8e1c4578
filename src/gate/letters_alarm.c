#include "config.h"

#include <string.h>

#include "base/moment.h"
#include "base/text.h"
#include "gate/letters_alarm.h"
#include "mail/paragraph.h"
#include "gate/letters_answer.h"
#include "gate/letters_parts.h"
#include "rules/remind.h"

static const char *exercise_mark(const struct advisory *advisory)
{
	return advisory->exercise ? "EXERCISE: " : "";
}

void letter_reminder_subject(struct buf *out, const struct letter_reminder *letter)
{
	buf_printf(out, "[%s r%lld] %s%s [%s]", letter->advisory->number,
	    (long long)letter->revision->number, exercise_mark(letter->advisory),
	    letter->deadline ? "No answer yet, the deadline has passed" : "Reminder: please answer",
	    letter->revision->token);
}

static void add_why(struct buf *out, const struct letter_reminder *letter)
{
	if (!letter->deadline)
		buf_add_text(out, "No answer has come from you yet. Please answer now.\n");
	else if (letter->everyone)
		buf_add_text(out,
		    "The time to answer is over, and not every contact of your\n"
		    "organisation has answered. All of you who were sent it get this.\n"
		    "Whoever has not answered: please do so now.\n");
	else
		buf_add_text(out,
		    "The time to answer is over, and nobody of your organisation has\n"
		    "answered. All of you who were sent it get this. One answer is\n"
		    "enough: please give it now.\n");
}

/* A restore may have lost what was answered already. */
static bool add_lost(struct buf *out, const struct epoch *lost, int64_t now)
{
	if (lost->number <= 1)
		return false;
	buf_add_text(out, "\nThe gateway was put back to a backup. Answers are lost that came from\n");
	moment_add(out, lost->backup_at, now);
	buf_add_text(out, " to ");
	moment_add(out, lost->begun_at, now);
	buf_add_text(out, ".\n");
	return true;
}

static void add_moment_field(
    struct buf *out, const char *name, int64_t when, const struct letter_reminder *letter)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	moment_add_from(&value, when, letter->now);
	letter_add_field(out, name, buf_text(&value));
	buf_release(&value);
}

void letter_reminder_text(struct buf *out, const struct letter_reminder *letter)
{
	const struct revision *revision = letter->revision;
	buf_printf(out, "TLP:%s\n", revision->tlp);
	if (letter->advisory->exercise)
		letter_add_drill(out);
	letter_add_rule(out);
	buf_printf(out, "%-10s %s revision %lld\n", "Advisory:", letter->advisory->number,
	    (long long)revision->number);
	add_moment_field(out, "Released:", revision->released_at, letter);
	add_moment_field(out, "Answer by:", revision->acknowledge_by, letter);
	letter_add_rule(out);
	add_why(out, letter);
	if (letter->uncounted != UNCOUNTED_NOT)
		letter_add_uncounted(out, letter->uncounted, letter->colleague);
	if (add_lost(out, &letter->lost, letter->now))
		buf_add_text(out, "If you answered in that time, please answer once more.\n");
	letter_add_rule(out);
	letter_add_how_to_answer(out, revision->token);
	buf_printf(out,
	    "If the advisory did not come, or cannot be opened, answer\n"
	    "\"unreadable\" to this mail.\n\n"
	    "Sent through %s\n<%s>.\n",
	    letter->programme, letter->gateway);
}

void letter_alarm_subject(struct buf *out, const struct letter_alarm *letter)
{
	buf_printf(out, "Alarm: %s r%lld: %s%zu without an answer", letter->advisory->number,
	    (long long)letter->revision->number, exercise_mark(letter->advisory), letter->missing);
}

void letter_alarm_text(struct buf *out, const struct letter_alarm *letter)
{
	if (letter->advisory->exercise)
		letter_add_drill(out);
	buf_printf(out, "%s revision %lld\nTLP:%s, audience: %s\n\n", letter->advisory->number,
	    (long long)letter->revision->number, letter->revision->tlp, letter->revision->audience);
	buf_add_text(out, "The time to answer ended ");
	moment_add_from(out, letter->revision->acknowledge_by, letter->now);
	buf_printf(out,
	    ".\nAn answer is missing from %zu of %zu member%s. Find another way to reach %s:\n\n",
	    letter->missing, letter->members, letter->members == 1 ? "" : "s",
	    letter->missing == 1 ? "it" : "them");
	buf_add_view(out, letter->names);
	if (add_lost(out, &letter->lost, letter->now))
		buf_add_text(out, "Who is named may have answered in that time.\n");
	buf_add_text(out, "\nAn answer that comes later still counts.\n");
}

void letter_add_member(struct buf *out, const char *id, const char *name)
{
	buf_printf(
	    out, "  %s%s%s%s\n", id, name[0] == '\0' ? "" : " (", name, name[0] == '\0' ? "" : ")");
}

void letter_add_missing(struct buf *out, const struct reminder_state *contact)
{
	buf_printf(out, "      %s: ", contact->address);
	if (contact->answered)
		buf_add_text(out, "has answered");
	else if (strcmp(contact->state, "failed") == 0)
		buf_printf(out, "not reached: %s", contact->reason);
	else if (strcmp(contact->state, "bounced") == 0)
		buf_printf(out, "it %s%s",
		    view_starts_nocase(view_of(contact->reason), "came back") ? "" : "came back: ",
		    contact->reason);
	else if (contact->sent_at == 0)
		buf_printf(out, "not sent yet%s%s", contact->reason[0] == '\0' ? "" : ": ",
		    contact->reason);
	else if (contact->uncounted[0] != '\0')
		buf_printf(out, "a mail came with that address that does not count: %s",
		    uncounted_text(uncounted_from(contact->uncounted)));
	else
		buf_add_text(out, "no answer");
	if (contact->unreached[0] != '\0')
		buf_printf(out, "; could not be reminded: %s", contact->unreached);
	else if (contact->reminded == REMIND_DEADLINE)
		buf_add_text(out, "; told that the deadline has passed");
	else if (contact->reminded > 0)
		buf_printf(out, "; reminded at %lld %% of the time", (long long)contact->reminded);
	buf_add_char(out, '\n');
}

/* Foreign words, each line behind a mark of ours, so that none can pass for what we say. */
static void add_lines(struct buf *out, const char *lines)
{
	struct view rest = view_of(lines);
	struct view line;
	buf_add_text(out, rest.len == 0 ? ".\n" : ". It begins:\n");
	while (view_next_line(&rest, &line)) {
		buf_add_text(out, "      | ");
		text_add_shown(out, line);
		buf_add_char(out, '\n');
	}
}

static void add_reason(struct buf *out, const struct bounce *bounce)
{
	buf_printf(out, "      %s",
	    strcmp(bounce->verdict, "given up") == 0 ? "given up, perhaps for now"
						     : "refused for good");
	if (bounce->status[0] != '\0')
		buf_printf(out, ", status %s", bounce->status);
	if (bounce->diagnostic[0] != '\0') {
		buf_add_text(out, ": ");
		text_add_shown(out, view_of(bounce->diagnostic));
	}
	buf_add_char(out, '\n');
}

void letter_add_bounce(struct buf *out, const struct bounce *bounce, const char *member, bool lines)
{
	static const struct {
		const char *verdict;
		const char *text;
	} unclear[] = {
	    {"unreadable", "came back, and the reason cannot be read"},
	    {"auto-reply", "a program answered by itself"},
	    {"written", "somebody wrote back, and signed nothing"},
	};
	size_t i = 0;
	buf_printf(out, "  %s%s%s%s\n", bounce->address, member[0] == '\0' ? "" : " (", member,
	    member[0] == '\0' ? "" : ")");
	while (i < sizeof unclear / sizeof unclear[0] &&
	       strcmp(bounce->verdict, unclear[i].verdict) != 0)
		i++;
	if (i == sizeof unclear / sizeof unclear[0]) {
		add_reason(out, bounce);
	} else {
		buf_printf(out, "      %s", unclear[i].text);
		add_lines(out, lines ? bounce->lines : "");
	}
	if (bounce->instead_address[0] != '\0')
		buf_printf(out, "      It goes to %s instead.\n", bounce->instead_address);
}

static void add_failures(struct buf *out, const char *what, struct view failures)
{
	buf_printf(out,
	    "Mail came back: %s\n\n"
	    "The mail server had taken it, and then could not deliver it. What stands\n"
	    "below an address is the report of some mail server, which nobody has\n"
	    "proven.\n\n",
	    what);
	buf_add_view(out, failures);
	buf_add_text(out,
	    "\nThey may know nothing of it: find another way, and ask for an address that\n"
	    "works. Nobody was suspended, and an answer still counts.\n\n");
}

static void add_replies(struct buf *out, const char *what, struct view replies)
{
	buf_printf(out,
	    "Written back to the wrong address: %s\n\n"
	    "These came to an address at which only mail servers report. They are no\n"
	    "failures, and no signed answers either: whether a person has read it is not\n"
	    "known, and reminders go on. Nobody has proven who wrote this.\n\n",
	    what);
	buf_add_view(out, replies);
	buf_add_char(out, '\n');
}

void letter_bounces(struct buf *out, const char *what, struct view failures, struct view replies)
{
	if (failures.len > 0)
		add_failures(out, what, failures);
	if (replies.len > 0)
		add_replies(out, what, replies);
	buf_add_text(out,
	    "For the gateway's admins, who get this too: `dewctl bounce list` has all\n"
	    "that came back, and `dewctl inbox show N --raw` the whole of one mail.\n");
}

void letter_add_fatal(struct buf *out, const struct arrival *arrival)
{
	buf_printf(out, "  %lld, received ", (long long)arrival->id);
	moment_add(out, arrival->received_at, 0);
	buf_printf(out, ", %lld bytes:\n", (long long)arrival->size);
	paragraph_add(out, "      ", view_of(arrival->reason));
	if (arrival->wait_until != 0) {
		buf_add_text(out, "      It is tried again at ");
		moment_add(out, arrival->wait_until, 0);
		buf_add_text(out, ".\n");
	} else {
		buf_add_text(out, strcmp(arrival->state, "unreadable") == 0
				      ? "      It is given up.\n"
				      : "      It is tried again now.\n");
	}
}

void letter_fatal(struct buf *out, int64_t count, bool known, struct view lines)
{
	buf_printf(out, "%lld mail%s ended the process that read or opened %s:\n\n",
	    (long long)count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
	buf_add_view(out, lines);
	buf_add_text(out,
	    "\nNothing was done because of such mail, and all other mail goes its way. The\n"
	    "cause may be the machine: memory that ran out, programs that were exchanged,\n"
	    "somebody who ended processes. Or the mail has met a fault of dewline, or\n"
	    "somebody is trying to take over the gateway.\n\n");
	if (known)
		buf_add_text(out,
		    "Some of it says that it is from somebody known here: it may be an answer\n"
		    "or an advisory that counts for nothing until it can be read. Ask them.\n\n");
	buf_add_text(out,
	    "What is given up is kept, and is judged anew when you say so; an answer then\n"
	    "counts by the time at which it came:\n\n"
	    "    dewctl inbox list\n"
	    "    dewctl inbox retry N\n\n"
	    "Look at the mail itself only on a machine that matters to nobody:\n\n"
	    "    dewctl inbox show N --raw > FILE\n");
}
