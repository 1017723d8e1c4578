#include "config.h"

#include "base/moment.h"
#include "gate/letters_unsent.h"

void letter_add_not_taken(
    struct buf *out, const struct delivery *delivery, const char *member, int64_t now)
{
	buf_printf(out, "  %s%s%s%s, first tried ", delivery->address,
	    member[0] == '\0' ? "" : " (", member, member[0] == '\0' ? "" : ")");
	moment_add_from(out, delivery->first_at, now);
	buf_printf(out, "\n      %s\n", delivery->reason);
}

void letter_not_taken(struct buf *out, const struct letter_not_taken *letter)
{
	buf_printf(out, "The mail server that takes the gateway's mail does not take this:\n%s\n\n",
	    letter->what[0] == '\0' ? "mail that is no advisory" : letter->what);
	if (letter->waiting_count > 0) {
		buf_printf(out,
		    "When this was written, it waited for %zu, and is tried again and again. "
		    "Where\n"
		    "this mail has come through, the others mostly have, too:\n\n",
		    letter->waiting_count);
		buf_add_view(out, letter->waiting);
		buf_add_char(out, '\n');
	}
	if (letter->failed_count > 0) {
		buf_printf(
		    out, "It failed for %zu, and is not tried again:\n\n", letter->failed_count);
		buf_add_view(out, letter->failed);
		buf_add_text(out, "\nThey know nothing of it: find another way.\n\n");
	}
	buf_add_text(out,
	    "What stands below an address is what the mail server said. Where somebody\n"
	    "has to know now, find another way.\n\n"
	    "For the gateway's admins, who get this too: `dewctl check` tells whether it\n"
	    "lasts, `dewctl queue list` what waits. When the mail server is mended,\n"
	    "`dewctl queue retry` sends at once what waits, and\n"
	    "`dewctl queue retry --failed all` what failed.\n");
}
