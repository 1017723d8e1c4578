#include "config.h"

#include "base/text.h"
#include "gate/letters_release.h"

static const char rule[] =
    "----------------------------------------------------------------------------\n";
static const char drill[] =
    "EXERCISE - EXERCISE - EXERCISE: this is a drill, nothing has happened.\n";

static void add_what(struct buf *out, const struct letter_hold *letter)
{
	buf_printf(out, "%s%s: %s\nTLP:%s, audience: %s\n", letter->number,
	    letter->update ? ", an update" : "", letter->title, letter->tlp, letter->audience);
	if (letter->exercise)
		buf_add_text(out, drill);
	buf_add_char(out, '\n');
}

/* "It goes at 2026-11-25T18:00:00Z" and on what that hangs. */
static void add_when(struct buf *out, const struct hold *hold, bool must_be_approved)
{
	if (hold->release_at == 0) {
		buf_add_text(out,
		    must_be_approved ? "It goes as soon as it is approved.\n" : "It goes now.\n");
		return;
	}
	buf_add_text(out, "It goes at ");
	text_add_time(out, hold->release_at);
	buf_add_text(
	    out, must_be_approved ? ", or, if that is later, when it is approved.\n" : ".\n");
}

void letter_held(struct buf *out, const struct letter_hold *letter, const struct letter_plan *plan)
{
	add_what(out, letter);
	buf_add_text(out, "It is held, and nobody has it yet.\n");
	add_when(out, letter->hold, plan->approvers > 0);
	if (plan->approvers > 0)
		buf_printf(out,
		    "It waits for the approval of another publisher: %lld of them get the draft\n"
		    "now, and one of them is enough.\n",
		    (long long)plan->approvers);
	buf_printf(out,
	    "\nAs of now it would reach %lld. It will go to those who are entitled to it\n"
	    "then: the list is made anew.\n",
	    (long long)plan->reachable);
	if (plan->unreached.len > 0) {
		buf_add_text(out, "\nAs of now it would not reach, and why:\n");
		buf_add_view(out, plan->unreached);
	}
	buf_printf(out,
	    "\nTo stop it, send \"Advisory: withdraw %s\". To change it, withdraw it and\n"
	    "send a new one.\n",
	    letter->number);
}

void letter_request(struct buf *out, const struct letter_hold *letter, struct view text)
{
	const char *token = letter->hold->token;
	buf_printf(out, "%s wants to send this, and needs your approval or another's.\n\n",
	    letter->author);
	add_what(out, letter);
	if (letter->acknowledge > 0)
		buf_printf(out, "An answer is asked for within %lld minutes of the release.\n",
		    (long long)(letter->acknowledge + 59) / 60);
	add_when(out, letter->hold, true);
	buf_printf(out,
	    "\nTo approve it, reply to this mail, signed and encrypted, with this line as the\n"
	    "first, and an empty line behind it:\n\n    Approve: %s\n\n"
	    "To stop it, with this line, an empty one, and your reason, which its author\n"
	    "gets:\n\n    Reject: %s\n\n"
	    "One approval is enough. The draft follows, whole.\n",
	    token, token);
	buf_add_text(out, rule);
	buf_add_view(out, text);
	buf_add_char(out, '\n');
	buf_add_text(out, rule);
}

void letter_decided(struct buf *out, const char *number, const struct hold *hold, bool approved,
    const char *by, struct view reason)
{
	buf_printf(out, "%s was %s by %s.\n\n", number, approved ? "approved" : "rejected", by);
	if (approved)
		add_when(out, hold, false);
	else
		buf_add_text(out, "It is not sent, and its draft is done with.\n");
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
	    "%s was held, and its time has come, but it cannot be sent. Nobody got it.\n\n",
	    number);
	if (refusal->line > 0)
		buf_printf(out, "Line %d of the signed text: ", refusal->line);
	else
		buf_add_text(out, "Reason: ");
	buf_printf(out, "%s.\n\nIts draft is done with: send a new one.\n", refusal->text);
}
