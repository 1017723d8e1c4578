#include "config.h"

#include <string.h>

#include "base/moment.h"
#include "gate/letters.h"
#include "gate/letters_parts.h"

static bool is_withdrawal(const struct revision *revision)
{
	return strcmp(revision->kind, "withdraw") == 0;
}

void letter_subject(struct buf *out, const struct letter_advisory *letter)
{
	buf_printf(out, "[%s r%lld] %s%s%s", letter->advisory->number,
	    (long long)letter->revision->number, letter->advisory->exercise ? "EXERCISE: " : "",
	    is_withdrawal(letter->revision) ? "WITHDRAWN: " : "", letter->title);
	if (!letter->advisory->bulletin)
		buf_printf(out, " [%s]", letter->revision->token);
}

static void add_head(struct buf *out, const struct letter_advisory *letter)
{
	const struct revision *revision = letter->revision;
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(out, "TLP:%s\n", revision->tlp);
	if (letter->advisory->exercise)
		letter_add_drill(out);
	letter_add_rule(out);
	if (letter->copy != NULL)
		buf_printf(out, "%s\n", letter->copy);
	buf_printf(&value, "%s revision %lld%s", letter->advisory->number,
	    (long long)revision->number,
	    is_withdrawal(revision)		    ? ", WITHDRAWN"
	    : strcmp(revision->kind, "update") == 0 ? ", an update"
						    : "");
	letter_add_field(
	    out, letter->advisory->bulletin ? "Bulletin:" : "Advisory:", buf_text(&value));
	letter_add_field(out, "Title:", letter->title);
	letter_add_field(out, "Severity:", letter->advisory->severity);
	letter_add_field(out, "From:", letter->publisher);
	letter_add_field(out, "Audience:", revision->audience);
	if (revision->acknowledge_by != 0) {
		buf_clear(&value);
		moment_add(&value, revision->acknowledge_by, revision->released_at);
		buf_add_text(&value, ", ");
		moment_add_span(&value, revision->acknowledge_by - revision->released_at);
		buf_add_text(&value, " after its release");
		letter_add_field(out, "Answer by:", buf_text(&value));
	}
	buf_release(&value);
	letter_add_rule(out);
}

/* What stands below the text, where a program may not quote it: nothing that an answer needs. */
static void add_foot(struct buf *out, const struct letter_advisory *letter)
{
	letter_add_rule(out);
	buf_add_text(out, "Released ");
	moment_add(out, letter->revision->released_at, 0);
	buf_printf(out, " through\n%s <%s>,\nsigned with its key %s.\n", letter->programme,
	    letter->gateway, letter->fingerprint);
	buf_printf(out, "TLP:%s: share it only as that label allows.\n", letter->revision->tlp);
	if (letter->copy != NULL)
		buf_printf(out, "%s\n", letter->copy);
	if (letter->advisory->exercise)
		letter_add_drill(out);
}

void letter_text(struct buf *out, const struct letter_advisory *letter)
{
	add_head(out, letter);
	if (letter->advisory->bulletin)
		buf_add_text(out, "This is a bulletin: no answer is asked for.\n");
	else
		letter_add_how_to_answer(out, letter->revision->token);
	letter_add_rule(out);
	buf_add_char(out, '\n');
	if (is_withdrawal(letter->revision))
		buf_add_text(out, "This advisory is withdrawn. Do not act on it any more.\n\n");
	buf_add_view(out, letter->text);
	buf_add_text(out, "\n\n");
	add_foot(out, letter);
}

void letter_refusal(struct buf *out, const struct refusal *refusal, int64_t arrival)
{
	buf_add_text(
	    out, "Your mail was refused as a whole. Nothing of it was sent to anybody.\n\n");
	letter_add_refusal(out, refusal);
	buf_printf(out,
	    "Correct that and send it again, signed anew. Should you have to ask the\n"
	    "gateway's admins, name your mail: it is arrival %lld.\n",
	    (long long)arrival);
}

static void add_count(struct buf *out, const char *what, int64_t count)
{
	if (count > 0)
		buf_printf(out, "    %-14s %lld\n", what, (long long)count);
}

static void add_progress(struct buf *out, const struct letter_receipt *receipt)
{
	const struct delivery_counts *counts = &receipt->counts;
	buf_add_text(
	    out, receipt->complete
		     ? "The mail server has taken it for everybody who can be reached.\n"
		     : "It is encrypted, and on its way to everybody who can be reached.\n"
		       "Another receipt comes when the mail server has taken it for all.\n");
	buf_printf(out, "\n    %-14s %lld\n", "recipients", (long long)counts->total);
	add_count(out, "handed over", counts->sent + counts->acknowledged + counts->bounced);
	add_count(out, "answered", counts->acknowledged);
	add_count(out, "on their way", counts->queued + counts->sending + counts->deferred);
	add_count(out, "NOT reached", counts->failed);
}

static void add_deadline(struct buf *out, const struct letter_receipt *receipt)
{
	if (receipt->revision->acknowledge_by <= receipt->now)
		return;
	buf_add_text(out, "\nAnswers are due ");
	moment_add_from(out, receipt->revision->acknowledge_by, receipt->now);
	buf_add_text(
	    out, ".\nWhoever has not answered is reminded, and named to you at that hour.\n");
}

void letter_receipt(struct buf *out, const struct letter_receipt *receipt)
{
	buf_printf(out, "%s revision %lld: %s\nTLP:%s, audience: %s\n", receipt->advisory->number,
	    (long long)receipt->revision->number, receipt->title, receipt->revision->tlp,
	    receipt->revision->audience);
	if (receipt->advisory->exercise)
		letter_add_drill(out);
	buf_add_char(out, '\n');
	add_progress(out, receipt);
	if (receipt->unreached.len > 0) {
		buf_printf(out,
		    "\nNot reached, and why. They know nothing of %s: find another way.\n\n",
		    receipt->revision->number > 1 ? "this revision" : "it");
		buf_add_view(out, receipt->unreached);
	} else {
		buf_add_text(out, "\nNobody of the audience was left out.\n");
	}
	add_deadline(out, receipt);
	if (receipt->clear.len > 0) {
		buf_add_text(out,
		    "\nAnswered in the open: these answers were signed, and count, but "
		    "whoever\ncarried them could read them.\n\n");
		buf_add_view(out, receipt->clear);
	}
	if (receipt->revision->own_left_out)
		buf_add_text(out,
		    "\nYour own certificate, which was attached, was left out: many mail programs\n"
		    "attach it by themselves, and the gateway signs with its own.\n");
	if (receipt->traced)
		buf_add_text(out,
		    "\nEach copy says whose it is, and its text bears marks by which a "
		    "leak is\ntraced. Attachments are not marked.\n");
	buf_printf(out,
	    "\nKeep this mail: by the next line it can be shown later that nothing was\n"
	    "changed in the gateway's log (its admins know how).\n%lld:%s\n",
	    (long long)receipt->audit_sequence, receipt->audit_hash);
}
