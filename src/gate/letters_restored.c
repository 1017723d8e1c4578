#include "config.h"

#include <inttypes.h>

#include "base/moment.h"
#include "gate/letters_restored.h"
#include "mail/paragraph.h"

void letter_restored_subject(struct buf *out, const struct epoch *epoch, bool alarm)
{
	buf_printf(out, "%she gateway was put back to what it was on ", alarm ? "Alarm: t" : "T");
	moment_add(out, epoch->backup_at, epoch->begun_at);
}

static void add_times(struct buf *out, const struct epoch *epoch)
{
	buf_add_text(out, "The gateway's store was put back, on\n    ");
	moment_add(out, epoch->begun_at, 0);
	buf_add_text(out, ",\nto what it was when the last was recorded in the backup, on\n    ");
	moment_add(out, epoch->backup_at, 0);
	buf_add_text(out, ".\nWhat happened between these two is not on record here.\n\n");
}

/* prefix: only those about advisories, whose numbers begin with it; NULL: all. */
static void add_findings(struct buf *out, struct view findings, const char *prefix)
{
	struct buf lines = BUF_EMPTY(2 * EPOCH_FINDINGS_MAX);
	struct view line;
	while (view_next_line(&findings, &line)) {
		if (prefix == NULL || view_starts_nocase(line, prefix) ||
		    view_starts_nocase(line, "the draft of "))
			paragraph_add(&lines, "  ", line);
	}
	if (lines.len > 0) {
		buf_add_text(out, "What is known of that time, and what is held back:\n\n");
		buf_add_view(out, buf_view(&lines));
		buf_add_char(out, '\n');
	}
	buf_release(&lines);
}

static void add_numbers(struct buf *out, const struct epoch *epoch, const char *prefix)
{
	buf_printf(out,
	    "No number is given out again: new ones hold the letters %s, as in\n"
	    "%s-2026-%s0007, and the next revision of an older advisory is r%" PRId64 ".\n",
	    epoch->tag, prefix, epoch->tag, (epoch->number - 1) * 100 + 1);
}

void letter_restored(
    struct buf *out, const struct epoch *epoch, const char *prefix, struct view findings)
{
	add_times(out, epoch);
	if (epoch->noticed)
		buf_add_text(out,
		    "Nobody ran `dewctl restore`: the gateway noticed at its start that the\n"
		    "store is not the one that was there. If none of you put a copy in its\n"
		    "place, somebody else did, perhaps to cut the log: look into that first.\n\n");
	if (epoch->lost_to > epoch->sequence)
		buf_printf(out,
		    "Of the log the entries %" PRId64 " to %" PRId64 " are lost.\n\n",
		    epoch->sequence + 1, epoch->lost_to);
	add_findings(out, findings, NULL);
	buf_add_text(out,
	    "Missing may be: advisories and updates, answers, reports, approvals;\n"
	    "members, contacts, publishers and admins who were added, and, which is\n"
	    "worse, the removal of such who are now back; keys that were added or\n"
	    "renewed, and the revocation of such that are now good again.\n\n");
	add_numbers(out, epoch, prefix);
	buf_add_text(out,
	    "\nPlease\n"
	    "- look over who is in it: `dewctl contact list`, `publisher list`,\n"
	    "  `admin list`, `member list`, `key list`; remove and retire anew;\n"
	    "- ask the publishers for the checkpoints in their receipts:\n"
	    "  `dewctl audit verify --checkpoint N:HASH` says what they show to be lost;\n"
	    "- decide on what is held back, which `dewctl restore` shows;\n"
	    "- then run `dewctl restore --reviewed`, with --send or --cancel.\n"
	    "Until then `dewctl check` warns of it. The publishers are told as well.\n");
}

void letter_restored_publisher(
    struct buf *out, const struct epoch *epoch, const char *prefix, struct view findings)
{
	add_times(out, epoch);
	add_findings(out, findings, prefix);
	buf_add_text(out,
	    "If you published, updated, withdrew or approved anything in that time, it\n"
	    "may have gone out, and your receipt says so, but the gateway knows nothing\n"
	    "of it any more: answers to it are not counted, nobody is reminded, and it\n"
	    "cannot be updated or withdrawn by its number. To have it on record, send it\n"
	    "as a new advisory whose text says what it takes the place of. What you\n"
	    "withdrew in that time, or changed, may be back as it was before: do so\n"
	    "again. Answers that came in that time are lost, too.\n\n");
	add_numbers(out, epoch, prefix);
	buf_add_text(out,
	    "\nPlease send the gateway's admins the newest checkpoint that stands in a\n"
	    "receipt of yours, the line with a number, a colon and 64 digits: it shows\n"
	    "how much was lost.\n");
}

void letter_lost_answer(
    struct buf *out, const struct epoch *epoch, const struct lost_trace *trace, int64_t now)
{
	buf_add_text(out, "Your signed answer came on ");
	moment_add(out, trace->received_at, now);
	buf_printf(out,
	    ". It is kept:\narrival %" PRId64 ".\n\n"
	    "But what it answers (%s)\n"
	    "is not on record at the gateway any more, which was put back from a backup\n"
	    "on ",
	    trace->arrival, trace->subject);
	moment_add(out, epoch->begun_at, now);
	buf_add_text(out, ". What was sent after\n");
	moment_add(out, epoch->backup_at, now);
	buf_add_text(out,
	    " was lost there, and your answer cannot be\n"
	    "counted. The fault is not yours, and what the advisory says holds. The\n"
	    "gateway's admins are told, and see to it that its publisher learns of your\n"
	    "answer. You need not answer again, unless it is sent anew.\n");
}

void letter_add_lost(struct buf *out, const struct lost_trace *trace, int64_t now)
{
	static const char *const what[LOST_KINDS] = {
	    [LOST_ANSWER] = "a signed answer to what is not on record",
	    [LOST_NUMBER] = "a number that is not on record is named",
	    [LOST_RETURN_PATH] = "mail came back that is not on record",
	};
	buf_printf(out, "  %s:\n", what[trace->kind]);
	paragraph_add(out, "      ", view_of(trace->subject));
	buf_add_text(out, "      ");
	if (trace->address[0] != '\0')
		buf_printf(out, "from %s, ", trace->address);
	moment_add(out, trace->received_at, now);
	buf_printf(out, ", arrival %" PRId64 "\n", trace->arrival);
}

void letter_lost(struct buf *out, const struct epoch *epoch, struct view lines)
{
	buf_add_text(out, "Mail came that shows what was lost when the gateway was put back");
	if (epoch->number > 1) {
		buf_add_text(out, " to\nwhat it was on ");
		moment_add(out, epoch->backup_at, epoch->begun_at);
	}
	buf_add_text(out, ":\n\n");
	buf_add_view(out, lines);
	buf_add_text(out,
	    "\nEach is kept: `dewctl inbox show N` shows arrival N. Tell the publisher\n"
	    "whom it concerns. Whoever answered has been told that the answer is kept and\n"
	    "not counted; a publisher, to send it as a new advisory. Nothing of this was\n"
	    "booked on another advisory or another recipient.\n");
}

void letter_refuse_lost(struct refusal *refusal, int line, const struct epoch *epoch,
    const char *number, const char *advice)
{
	struct buf begun = BUF_EMPTY(BUF_SMALL);
	struct buf backup = BUF_EMPTY(BUF_SMALL);
	moment_add(&begun, epoch->begun_at, 0);
	moment_add(&backup, epoch->backup_at, 0);
	refuse(refusal, line,
	    "there is no %s on record: the gateway was put back on %s to what it was on %s, and what "
	    "was given out in between was lost. %s",
	    number, buf_text(&begun), buf_text(&backup), advice);
	buf_release(&begun);
	buf_release(&backup);
}
