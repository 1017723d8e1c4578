#include "config.h"

#include <string.h>

#include "base/moment.h"
#include "gate/letters_answer.h"

static bool is_subject(const struct clear_answer *answer)
{
	return strcmp(answer->what, "subject") == 0;
}

static const char *exercise_mark(const struct letter_clear *letter)
{
	return letter->advisory->exercise ? "EXERCISE: " : "";
}

void letter_leak_subject(struct buf *out, const struct letter_clear *letter)
{
	buf_printf(out, "[%s r%lld] %sA mail with your address travelled in the open",
	    letter->advisory->number, (long long)letter->revision->number, exercise_mark(letter));
}

/* Until when one that counts is waited for. */
static void add_due(struct buf *out, const struct letter_clear *letter)
{
	if (letter->revision->acknowledge_by <= letter->now)
		return;
	buf_add_text(out, "An answer is due ");
	moment_add_from(out, letter->revision->acknowledge_by, letter->now);
	buf_add_text(out, ".\n\n");
}

void letter_leak_text(struct buf *out, const struct letter_clear *letter,
    const struct clear_answer *answer, enum uncounted why)
{
	letter_add_head(out, letter);
	buf_add_text(out, "A mail with your address came to the gateway on ");
	moment_add(out, answer->received_at, letter->now);
	buf_add_text(
	    out, is_subject(answer)
		     ? ".\nIts Subject holds the token of this advisory, and travelled in "
		       "the open:\nwhoever carried the mail could read it.\n\n"
		     : ".\nIt was not encrypted, and it holds the token of this advisory: "
		       "whoever\ncarried it could read all of it, and what it quotes.\n\n");
	letter_add_consequence(out, letter->revision->tlp);
	if (why == UNCOUNTED_NOT)
		buf_add_text(out, "It does not count as an answer: only what you sign does.\n\n");
	else
		buf_printf(out, "It does not count as an answer:\n%s.\n\n%s%s", uncounted_text(why),
		    uncounted_advice(why), uncounted_is_told(why) ? "\n" : "");
	add_due(out, letter);
	buf_printf(out,
	    "If you wrote it, please answer once more, signed with your own key and\n"
	    "encrypted to the gateway's key, which comes with each of its mails:\n\n    %s\n\n"
	    "Reply to the gateway alone, and not to all: where your program has no key\n"
	    "for an address, it offers to send in the clear. Never take that offer.\n\n"
	    "If you did not write it, somebody else has read the advisory: tell its\n"
	    "publisher.\n\n"
	    "The publisher and the gateway's admins are told of this mail: should you\n"
	    "have to ask them, it is arrival %lld. You are told once, however many such\n"
	    "mails come.\n",
	    letter->fingerprint, (long long)answer->arrival);
}

void letter_add_leak(struct buf *out, const struct clear_answer *answer)
{
	if (answer->contact != 0)
		buf_printf(out, "  %s (%s)", answer->address, answer->member);
	else
		buf_printf(out, "  %s (nobody who was sent it)",
		    answer->claimed[0] == '\0' ? "no address" : answer->claimed);
	buf_printf(out, ": %s\n      not proven who wrote it, came on ",
	    is_subject(answer) ? "its Subject" : "all of it");
	moment_add(out, answer->received_at, 0);
	buf_printf(out, ",\n      arrival %lld\n", (long long)answer->arrival);
	if (answer->contact != 0 && answer->told && answer->untold[0] != '\0')
		buf_printf(out, "      NOT told: %s\n", answer->untold);
}

void letter_leak_alarm_subject(struct buf *out, const struct letter_clear *letter)
{
	buf_printf(out, "Alarm: %s r%lld: %sits token travelled in the open",
	    letter->advisory->number, (long long)letter->revision->number, exercise_mark(letter));
}

void letter_leak_alarm_text(struct buf *out, const struct letter_clear *letter, struct view leaks)
{
	letter_add_head(out, letter);
	buf_add_text(out,
	    "Mail with the token of this advisory travelled in the open, with what it\n"
	    "quotes of the advisory:\n\n");
	buf_add_view(out, leaks);
	buf_add_text(out,
	    "\nNone of it counts as an answer. Anybody can write an address into a mail,\n"
	    "but the token stands only inside what was encrypted: whoever wrote this has\n"
	    "read it. What the label kept from others may be known to whoever carried\n"
	    "these mails. Who has the address, and was sent the advisory, has been told\n"
	    "by encrypted mail, once. The gateway keeps the mails: its admins can show\n"
	    "them, by the number of the arrival.\n");
}

void letter_uncounted_subject(
    struct buf *out, const struct letter_clear *letter, const struct uncounted_answer *answer)
{
	if (uncounted_from(answer->reason) != UNCOUNTED_NOT_DELIVERED)
		buf_printf(out, "[%s r%lld] %s", letter->advisory->number,
		    (long long)letter->revision->number, exercise_mark(letter));
	buf_add_text(out, "Your answer does not count");
}

void letter_uncounted_text(
    struct buf *out, const struct letter_clear *letter, const struct uncounted_answer *answer)
{
	const enum uncounted why = uncounted_from(answer->reason);
	if (why != UNCOUNTED_NOT_DELIVERED)
		letter_add_head(out, letter);
	buf_add_text(out, "Your answer, signed on ");
	moment_add(out, answer->signed_at, letter->now);
	buf_add_text(out, ", came on ");
	moment_add(out, answer->received_at, letter->now);
	buf_printf(
	    out, ".\nIt does not count:\n%s.\n\n%s\n", uncounted_text(why), uncounted_advice(why));
	if (why != UNCOUNTED_NOT_DELIVERED)
		add_due(out, letter);
	buf_printf(out,
	    "You are told once for each advisory and reason. What counted before stays\n"
	    "as it was. Should you have to ask the gateway's admins: it is arrival %lld.\n",
	    (long long)answer->arrival);
}

void letter_add_uncounted(struct buf *out, enum uncounted why, bool colleague)
{
	buf_printf(out,
	    "\nBut a mail came with %s. It does not count:\n"
	    "%s.\n\n%s answer once more.\n%s",
	    colleague ? "the address of a colleague" : "your address", uncounted_text(why),
	    colleague ? "If your organisation meant to answer so, please"
		      : "If it was yours, please",
	    uncounted_hint(why));
}
