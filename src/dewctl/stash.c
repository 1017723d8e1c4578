#include "config.h"

#include "dewctl/stash.h"
#include "pgp/open.h"

enum { STASHED_TEXT_MAX = 1024 * 1024 };

int stash_add_cell(
    struct ctl *ctl, struct report *report, struct view stash, const char *whose, struct err *err)
{
	struct buf text = BUF_EMPTY(STASHED_TEXT_MAX);
	if (stash.len == 0) {
		report_add_none(report);
		return 0;
	}
	if (ctl_open_home(ctl, err) < 0)
		return -1;
	if (pgp_unstash(&ctl->home, stash, &text, err) == 0) {
		report_add_view(report, buf_view(&text));
	} else {
		report_add_none(report);
		ctl_warn("%s cannot be opened: %s", whose, err->text);
	}
	buf_release(&text);
	return 0;
}
