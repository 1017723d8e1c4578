#include "config.h"

#include <string.h>

#include "base/moment.h"
#include "gate/letters_inform.h"
#include "gate/letters_parts.h"

void letter_report_text(struct buf *out, const struct letter_report *letter)
{
	const struct member *member = letter->member;
	const bool active = strcmp(member->state, "active") == 0;
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(out, "TLP:%s\n", letter->report->tlp);
	letter_add_rule(out);
	letter_add_field(out, "Report:", letter->report->number);
	letter_add_field(out, "Title:", letter->title);
	buf_printf(&value, "%s (%s)%s%s", member->name, member->id, active ? "" : ", ",
	    active ? "" : member->state);
	letter_add_field(out, "Member:", buf_text(&value));
	buf_clear(&value);
	buf_printf(&value, "%s <%s>", letter->contact->name, letter->contact->address);
	letter_add_field(out, "Contact:", buf_text(&value));
	letter_add_field(out, "About:", letter->about);
	buf_clear(&value);
	moment_add(&value, letter->report->received_at, 0);
	letter_add_field(out, "Received:", buf_text(&value));
	letter_add_rule(out);
	buf_printf(out,
	    "To answer, reply to this mail, signed and encrypted, with this line as the\n"
	    "first, and an empty line behind it:\n\n    Reply: %s\n\n"
	    "The gateway passes it on to the contact. Share this report only as its label\n"
	    "allows.\n",
	    letter->report->number);
	letter_add_rule(out);
	buf_add_char(out, '\n');
	buf_add_view(out, letter->text);
	buf_add_char(out, '\n');
	buf_release(&value);
}

void letter_report_receipt(
    struct buf *out, const struct member_report *report, const struct delivery_counts *counts)
{
	const int64_t reached = counts->total - counts->failed;
	buf_add_text(out, "Your report came in on ");
	moment_add(out, report->received_at, 0);
	buf_printf(out, ".\n\nNumber: %s\nTLP:%s\n\n", report->number, report->tlp);
	if (reached > 0)
		buf_printf(out, "It goes, encrypted, to %lld publisher%s.\n", (long long)reached,
		    reached == 1 ? "" : "s");
	else
		buf_add_text(out, "NO publisher can be reached now. It is kept, and the gateway's\n"
				  "admins see it. If it is urgent, find another way.\n");
	if (reached > 0 && counts->failed > 0)
		buf_printf(out, "%lld cannot be reached now, which the gateway's admins see.\n",
		    (long long)counts->failed);
	buf_printf(out, "Should you have to ask the gateway's admins, it is arrival %lld.\n",
	    (long long)report->arrival);
}

void letter_report_reply(struct buf *out, const struct member_report *report,
    const struct publisher *publisher, struct view said)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(out, "TLP:%s\n", report->tlp);
	letter_add_rule(out);
	letter_add_field(out, "Reply to:", report->number);
	buf_printf(&value, "%s <%s>", publisher->name, publisher->address);
	letter_add_field(out, "From:", buf_text(&value));
	letter_add_rule(out);
	buf_printf(out,
	    "To say more, send another report and name %s in it.\n"
	    "Share this only as its label allows.\n",
	    report->number);
	letter_add_rule(out);
	buf_add_char(out, '\n');
	buf_add_view(out, said);
	buf_add_char(out, '\n');
	buf_release(&value);
}

void letter_material(struct buf *out, const struct material *material, struct view title)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(out, "TLP:%s\n", material->tlp);
	letter_add_rule(out);
	letter_add_field(out, "Material:", material->name);
	buf_add_view(&value, title);
	letter_add_field(out, "Title:", buf_text(&value));
	buf_clear(&value);
	buf_printf(&value, "%lld bytes", (long long)material->size);
	letter_add_field(out, "Size:", buf_text(&value));
	letter_add_rule(out);
	buf_add_text(out, "The material that you asked for is attached. Share it only as its "
			  "label\nallows.\n");
	buf_release(&value);
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
