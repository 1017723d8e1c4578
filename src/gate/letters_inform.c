#include "config.h"

#include <string.h>

#include "base/text.h"
#include "gate/letters_inform.h"

static const char rule[] =
    "----------------------------------------------------------------------------\n";

static void add_field(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_printf(out, "%-13s %s\n", name, value);
}

void letter_report_text(struct buf *out, const struct letter_report *letter)
{
	char when[TEXT_TIME_SIZE];
	buf_printf(out, "TLP:%s\n%s", letter->report->tlp, rule);
	add_field(out, "Report:", letter->report->number);
	add_field(out, "Title:", letter->title);
	buf_printf(out, "%-13s %s (%s)%s%s\n", "Member:", letter->member->name, letter->member->id,
	    strcmp(letter->member->state, "active") == 0 ? "" : ", ",
	    strcmp(letter->member->state, "active") == 0 ? "" : letter->member->state);
	buf_printf(
	    out, "%-13s %s <%s>\n", "Contact:", letter->contact->name, letter->contact->address);
	add_field(out, "About:", letter->about);
	text_format_time(letter->report->received_at, when);
	add_field(out, "Received:", when);
	buf_printf(out, "%s\n", rule);
	buf_add_view(out, letter->text);
	buf_printf(out,
	    "\n\n%sTo answer, send the gateway a mail, signed and encrypted, whose text begins\n"
	    "with this line and an empty one:\n\nReply: %s\n\n"
	    "The gateway passes it on to the contact. Share this report only as its label\n"
	    "allows.\n",
	    rule, letter->report->number);
}

void letter_report_receipt(
    struct buf *out, const struct member_report *report, const struct delivery_counts *counts)
{
	char when[TEXT_TIME_SIZE];
	const int64_t reached = counts->total - counts->failed;
	text_format_time(report->received_at, when);
	buf_printf(out, "Your report was taken on %s.\n\nNumber: %s\nTLP:%s\n\n", when,
	    report->number, report->tlp);
	if (reached > 0)
		buf_printf(out, "It goes, encrypted, to %lld publisher%s.\n", (long long)reached,
		    reached == 1 ? "" : "s");
	else
		buf_add_text(out, "NO publisher can be reached now. It is kept, and the gateway's "
				  "admins see it.\n");
	if (reached > 0 && counts->failed > 0)
		buf_printf(out, "%lld cannot be reached now, which the gateway's admins see.\n",
		    (long long)counts->failed);
	buf_printf(
	    out, "The gateway keeps your mail as arrival %lld.\n", (long long)report->arrival);
}

void letter_report_reply(struct buf *out, const struct member_report *report,
    const struct publisher *publisher, struct view said)
{
	buf_printf(out, "TLP:%s\n%s", report->tlp, rule);
	buf_printf(out, "%-13s %s\n%-13s %s <%s>\n%s\n", "Reply to:", report->number,
	    "From:", publisher->name, publisher->address, rule);
	buf_add_view(out, said);
	buf_printf(out,
	    "\n\n%sTo say more, send another report and name %s in it.\nShare this only as its "
	    "label allows.\n",
	    rule, report->number);
}

void letter_material(struct buf *out, const struct material *material, struct view title)
{
	buf_printf(out, "TLP:%s\n%s", material->tlp, rule);
	add_field(out, "Material:", material->name);
	if (title.len > 0)
		buf_printf(out, "%-13s %.*s\n", "Title:", (int)title.len, title.data);
	buf_printf(out,
	    "%-13s %lld bytes\n%s\nThe material that you asked for is attached. Share it only as "
	    "its label\nallows.\n",
	    "Size:", (long long)material->size, rule);
}

void letter_no_material(struct buf *out)
{
	buf_add_text(out, "There is no material of this name for you.\n\n"
			  "To see what there is, send the gateway a signed mail with this line:\n\n"
			  "Request: list\n");
}

void letter_material_row(struct buf *out, const struct material *material, struct view title)
{
	buf_printf(out, "%s\n    TLP:%s, %lld bytes%s%.*s\n", material->name, material->tlp,
	    (long long)material->size, title.len > 0 ? ": " : "", (int)title.len, title.data);
}

void letter_material_list(struct buf *out, size_t count, struct view rows)
{
	if (count == 0) {
		buf_add_text(out, "There are no materials for you now.\n");
		return;
	}
	buf_printf(out, "%zu material%s for you:\n\n", count, count == 1 ? "" : "s");
	buf_add_view(out, rows);
	buf_add_text(out,
	    "\nTo get one, send the gateway a signed mail whose text begins with this "
	    "line:\n\nRequest: NAME\n");
}
