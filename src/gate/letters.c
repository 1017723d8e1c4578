#include "config.h"

#include <string.h>

#include "base/text.h"
#include "gate/letters.h"

static const char rule[] =
    "----------------------------------------------------------------------------\n";
static const char drill[] =
    "EXERCISE - EXERCISE - EXERCISE: this is a drill, nothing has happened.\n";

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

static void add_field(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_printf(out, "%-13s %s\n", name, value);
}

static void add_head(struct buf *out, const struct letter_advisory *letter)
{
	const struct revision *revision = letter->revision;
	char when[TEXT_TIME_SIZE];
	buf_printf(out, "TLP:%s\n", revision->tlp);
	if (letter->advisory->exercise)
		buf_add_text(out, drill);
	buf_add_text(out, rule);
	if (letter->copy != NULL)
		buf_printf(out, "%s\n", letter->copy);
	buf_printf(out, "%-13s %s revision %lld%s\n",
	    letter->advisory->bulletin ? "Bulletin:" : "Advisory:", letter->advisory->number,
	    (long long)revision->number,
	    is_withdrawal(revision)		    ? ", WITHDRAWN"
	    : strcmp(revision->kind, "update") == 0 ? ", an update"
						    : "");
	add_field(out, "Title:", letter->title);
	add_field(out, "Severity:", letter->advisory->severity);
	add_field(out, "From:", letter->publisher);
	buf_printf(out, "%-13s %s <%s>\n", "Through:", letter->programme, letter->gateway);
	text_format_time(revision->released_at, when);
	add_field(out, "Date:", when);
	add_field(out, "Audience:", revision->audience);
	text_format_time(revision->acknowledge_by, when);
	add_field(out, "Answer by:", when);
	buf_add_text(out, rule);
	buf_add_char(out, '\n');
}

static void add_how_to_answer(struct buf *out, const struct letter_advisory *letter)
{
	buf_printf(out,
	    "To acknowledge, reply to this mail, signed with your own key, and keep the\n"
	    "token below in the reply (quoting this text does). Encrypt the reply if you\n"
	    "can. If you like, make its first line one of: received, affected,\n"
	    "not affected, acting, unreadable. What follows is taken as a comment.\n"
	    "If your mail program sends subjects in the clear, shorten that of the reply.\n\n"
	    "Token: %s\n\n",
	    letter->revision->token);
}

void letter_text(struct buf *out, const struct letter_advisory *letter)
{
	add_head(out, letter);
	if (is_withdrawal(letter->revision))
		buf_add_text(out, "This advisory is withdrawn. Do not act on it any more.\n\n");
	buf_add_view(out, letter->text);
	buf_add_text(out, "\n\n");
	buf_add_text(out, rule);
	if (letter->advisory->bulletin)
		buf_add_text(out, "This is a bulletin: no answer is asked for.\n\n");
	else
		add_how_to_answer(out, letter);
	buf_printf(out,
	    "Sent by the gateway key %s\nunder TLP:%s. Share it only as that label allows.\n",
	    letter->fingerprint, letter->revision->tlp);
	if (letter->copy != NULL)
		buf_printf(out, "%s\n", letter->copy);
	if (letter->advisory->exercise)
		buf_add_text(out, drill);
}

void letter_refusal(struct buf *out, const struct refusal *refusal, int64_t arrival)
{
	buf_add_text(out, "Your mail was refused as a whole. Nothing was sent to anybody.\n\n");
	if (refusal->line > 0)
		buf_printf(out, "Line %d of the signed text: ", refusal->line);
	else
		buf_add_text(out, "Reason: ");
	buf_printf(out, "%s.\n\n", refusal->text);
	buf_printf(out,
	    "Correct it and send it again, signed anew. The gateway keeps your mail as\n"
	    "arrival %lld.\n",
	    (long long)arrival);
}

static void add_count(struct buf *out, const char *what, int64_t count)
{
	if (count > 0)
		buf_printf(out, "    %-14s %lld\n", what, (long long)count);
}

void letter_receipt(struct buf *out, const struct letter_receipt *receipt)
{
	const struct delivery_counts *counts = &receipt->counts;
	buf_printf(out, "%s revision %lld: %s\nTLP:%s, audience: %s\n\n", receipt->advisory->number,
	    (long long)receipt->revision->number, receipt->title, receipt->revision->tlp,
	    receipt->revision->audience);
	buf_add_text(out, receipt->complete
			      ? "The smarthost has taken it for everybody who could be reached.\n"
			      : "It is sealed, and on its way to everybody who can be reached.\n");
	buf_printf(out, "\n    %-14s %lld\n", "recipients", (long long)counts->total);
	add_count(out, "handed over", counts->sent + counts->acknowledged + counts->bounced);
	add_count(out, "acknowledged", counts->acknowledged);
	add_count(out, "on their way", counts->queued + counts->sending + counts->deferred);
	add_count(out, "NOT reached", counts->failed);
	if (receipt->traced)
		buf_add_text(out,
		    "\nEach copy says whose it is, and its text bears marks by which a "
		    "leak is\ntraced. Attachments are not marked.\n");
	if (receipt->unreached.len > 0) {
		buf_printf(out,
		    "\nNot reached, and why. They know nothing of %s: find another way.\n\n",
		    receipt->revision->number > 1 ? "this revision" : "it");
		buf_add_view(out, receipt->unreached);
	} else {
		buf_add_text(out, "\nNobody of the audience was left out.\n");
	}
	if (receipt->clear.len > 0) {
		buf_add_text(out,
		    "\nAnswered in the open: these answers were signed, and count, but "
		    "whoever\ncarried them could read them.\n\n");
		buf_add_view(out, receipt->clear);
	}
	buf_printf(out,
	    "\nCheckpoint of the gateway's log, for dewctl audit verify --checkpoint:\n%lld:%s\n",
	    (long long)receipt->audit_sequence, receipt->audit_hash);
}
