#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/unread.h"
#include "store/arrivals.h"

enum {
	GIVEN_UP_S = 7 * 86400, /* one that was given up is named for so long */
	NAMED_MOST = 5,
};

struct unread {
	int64_t waiting;
	int64_t given_up;
	struct buf names;
};

/* Those that seem to be from somebody known are named; how many others there are is said. */
static int add(void *context, const struct arrival *arrival, struct err *err)
{
	struct unread *unread = context;
	char when[TEXT_TIME_SIZE];
	(void)err;
	const bool final = strcmp(arrival->state, "unreadable") == 0;
	if (!final && strcmp(arrival->state, "received") != 0)
		return 0; /* it was read since */
	unread->waiting += !final;
	unread->given_up += final;
	if (!arrival->claimed || unread->waiting + unread->given_up > NAMED_MOST)
		return 0;
	buf_printf(&unread->names, "; arrival %" PRId64 ", ", arrival->id);
	text_add_shown(&unread->names, view_of(arrival->reason));
	text_format_time(arrival->wait_until, when);
	if (final)
		buf_add_text(&unread->names, ", given up");
	else if (arrival->wait_until != 0)
		buf_printf(&unread->names, ", tried again at %s", when);
	return 0;
}

enum finding unread_look(struct ctl *ctl, struct buf *detail)
{
	struct unread unread = {.names = BUF_EMPTY(BUF_SMALL)};
	struct err err;
	enum finding result = FINDING_WARNING;
	if (store_arrival_each_fatal(ctl->store, ctl->now - GIVEN_UP_S, add, &unread, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		result = FINDING_BAD;
	} else if (unread.waiting + unread.given_up == 0) {
		buf_printf(detail, "no mail ended the process that read it");
		result = FINDING_OK;
	} else {
		buf_printf(detail,
		    "of mail that ended the process which read it %" PRId64 " %s to be tried again "
		    "and %" PRId64 " %s given up in a week%s: dewctl inbox list shows them, dewctl "
		    "inbox retry N judges one anew",
		    unread.waiting, unread.waiting == 1 ? "waits" : "wait", unread.given_up,
		    unread.given_up == 1 ? "was" : "were", buf_text(&unread.names));
	}
	buf_release(&unread.names);
	return result;
}
