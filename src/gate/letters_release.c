#include "config.h"

#include "base/moment.h"
#include "gate/letters_parts.h"
#include "gate/letters_release.h"

static void add_what(struct buf *out, const struct letter_hold *letter)
{
	buf_printf(out, "%s%s: %s\nTLP:%s, audience: %s\n", letter->number,
	    letter->update ? ", an update" : "", letter->title, letter->tlp, letter->audience);
	if (letter->exercise)
		letter_add_drill(out);
	buf_add_char(out, '\n');
}

/* "It goes in 4 hours, Mon 30 Nov 03:09 UTC" and on what that hangs. */
static void add_when(struct buf *out, const struct hold *hold, int64_t now, bool must_be_approved)
{
	if (hold->release_at == 0) {
		buf_add_text(out,
		    must_be_approved ? "It goes as soon as it is approved.\n" : "It goes now.\n");
		return;
	}
	if (hold->release_at <= now && must_be_approved) {
		buf_add_text(out, "Its hour has come: it goes as soon as it is approved.\n");
		return;
	}
	buf_add_text(out, "It goes ");
	moment_add_from(out, hold->release_at, now);
	buf_add_text(
	    out, must_be_approved ? ",\nor, if that is later, when it is approved.\n" : ".\n");
}

void letter_held(struct buf *out, const struct letter_hold *letter, const struct letter_plan *plan)
{
	add_what(out, letter);
	buf_add_text(out, "It is held, and nobody has it yet.\n");
	add_when(out, letter->hold, letter->now, plan->approvers > 0);
	if (plan->approvers > 0)
		buf_printf(out,
		    "It waits for the approval of another publisher. %lld of them get%s the draft\n"
		    "now, and one approval is enough. You are told how it was decided.\n",
		    (long long)plan->approvers, plan->approvers == 1 ? "s" : "");
	buf_printf(out,
	    "\nAs of now it would reach %lld. It will go to those who are entitled to it\n"
	    "then: the list is made anew.\n",
	    (long long)plan->reachable);
	if (plan->unreached.len > 0) {
		buf_add_text(out, "\nAs of now it would not reach, and why:\n");
		buf_add_view(out, plan->unreached);
	}
	buf_printf(out,
	    "\nTo stop it, send \"Advisory: withdraw %s\".\n"
	    "To change it, withdraw it and send a new one.\n",
	    letter->number);
}

static void add_acknowledge(struct buf *out, int64_t seconds)
{
	buf_add_text(out, "Officials are asked to answer within ");
	moment_add_span(out, seconds);
	buf_add_text(out, " of its release.\n");
}

void letter_request(struct buf *out, const struct letter_hold *letter, struct view text)
{
	const char *token = letter->hold->token;
	buf_printf(out, "%s wants to send this,\nand needs your approval or another's.\n\n",
	    letter->author);
	add_what(out, letter);
	if (letter->acknowledge > 0)
		add_acknowledge(out, letter->acknowledge);
	add_when(out, letter->hold, letter->now, true);
	buf_printf(out,
	    "\nTo approve it, reply to this mail, signed and encrypted, with this line as\n"
	    "the first, and an empty line behind it:\n\n    Approve: %s\n\n"
	    "To stop it, with this line, an empty one, and your reason, which its author\n"
	    "gets:\n\n    Reject: %s\n\n"
	    "One approval is enough. The draft follows, whole.\n",
	    token, token);
	letter_add_rule(out);
	buf_add_view(out, text);
	buf_add_char(out, '\n');
	letter_add_rule(out);
}

void letter_decided(struct buf *out, const char *number, const struct letter_decision *decision)
{
	const bool approved = decision->approved;
	const struct view reason = decision->reason;
	buf_printf(
	    out, "%s was %s by %s.\n\n", number, approved ? "approved" : "rejected", decision->by);
	if (approved)
		add_when(out, decision->hold, decision->now, false);
	else
		buf_add_text(out, "It is not sent, and its draft is done with: send a new one.\n");
	if (reason.len > 0) {
		buf_add_text(out, "\n");
		buf_add_view(out, reason);
		buf_add_char(out, '\n');
	} else if (!approved) {
		buf_add_text(out, "\nNo reason was given.\n");
	}
}

void letter_unsent(struct buf *out, const char *number, const char *by)
{
	buf_printf(out,
	    "%s was withdrawn by %s before its release.\n\n"
	    "Nothing was sent to anybody it was meant for, and nothing will be.\n",
	    number, by);
}

void letter_impossible(struct buf *out, const char *number, const struct refusal *refusal)
{
	buf_printf(out,
	    "%s was held, and its time has come, but it cannot be sent.\nNobody got it.\n\n",
	    number);
	letter_add_refusal(out, refusal);
	buf_add_text(out, "Its draft is done with: send a new one.\n");
}
