#include "config.h"

#include <inttypes.h>

#include "base/text.h"
#include "dewctl/findings_looks.h"
#include "store/arrivals.h"
#include "store/backlog.h"
#include "store/bounces.h"
#include "store/messages.h"
#include "store/uncounted.h"

enum {
	WAITING_WARNING_S = 300,
	WAITING_BAD_S = 3600,
	SLOW_BAD_S = 3600, /* a mailbox that is full or busy for so long needs somebody */
	UNSENT_SIZE = STORE_ADDRESS_SIZE + STORE_REASON_SIZE + sizeof ": ",
	BOUNCE_WARNING_S = 7 * 86400,
	CLAIMED_S = 3 * 86400,
};

/* As long as all is well, a mail is opened and sealed within seconds. */
enum finding look_at_waiting(struct ctl *ctl, struct buf *detail)
{
	struct backlog backlog;
	char since[TEXT_TIME_SIZE];
	struct err err;
	if (store_backlog(ctl->store, ctl->now - WAITING_WARNING_S, &backlog, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (backlog.since == 0) {
		buf_printf(detail, "nothing waits for longer than %d min", WAITING_WARNING_S / 60);
		return FINDING_OK;
	}
	text_format_time(backlog.since, since);
	buf_printf(detail,
	    "to be opened: %" PRId64 ", to be sealed: %" PRId64 ", to be sent: %" PRId64
	    ", drafts to be released or asked about: %" PRId64 ", to be withdrawn: %" PRId64
	    ", since %s: the log of dewlined says why",
	    backlog.mails, backlog.unsealed, backlog.untried, backlog.drafts, backlog.withdrawals,
	    since);
	return ctl->now - backlog.since < WAITING_BAD_S ? FINDING_WARNING : FINDING_BAD;
}

/* Mail that the smarthost does not take. */
struct unsent {
	int64_t now;
	int64_t ours; /* waiting because of what it has against the gateway, */
	int64_t slow; /* because of the recipient's mailbox, and so for long, */
	int64_t others; /* or lately */
	int64_t failed;
	int64_t since; /* the first attempt of the oldest that waits */
	char waiting_for[UNSENT_SIZE]; /* the oldest, the worst kind first */
	char failed_for[UNSENT_SIZE]; /* the newest */
};

static void say_one(
    char out[static UNSENT_SIZE], const struct delivery *delivery)
{
	snprintf(out, UNSENT_SIZE, "%s: %s", delivery->address,
	    delivery->reason);
}

static int count_unsent(void *context, const struct delivery *delivery, struct err *err)
{
	struct unsent *unsent = context;
	(void)err;
	if (delivery->about == DELIVERY_ABOUT_NOTHING)
		return 0;
	const bool ours = delivery->about == DELIVERY_ABOUT_GATEWAY;
	const bool first = ours ? unsent->ours == 0 : unsent->ours + unsent->slow + unsent->others == 0;
	if (ours)
		unsent->ours++;
	else if (unsent->now - delivery->first_at >= SLOW_BAD_S)
		unsent->slow++;
	else
		unsent->others++;
	if (first)
		say_one(unsent->waiting_for, delivery);
	if (unsent->since == 0 || delivery->first_at < unsent->since)
		unsent->since = delivery->first_at;
	return 0;
}

static int count_failed(void *context, const struct delivery *delivery, struct err *err)
{
	struct unsent *unsent = context;
	(void)err;
	unsent->failed++;
	say_one(unsent->failed_for, delivery);
	return 0;
}

static void say_unsent(const struct unsent *unsent, struct buf *detail)
{
	const int64_t waiting = unsent->ours + unsent->slow + unsent->others;
	char since[TEXT_TIME_SIZE];
	text_format_time(unsent->since, since);
	if (waiting > 0)
		buf_printf(detail, "%" PRId64 " %s since %s, such as %s%s", waiting,
		    waiting == 1 ? "mail waits" : "mails wait", since, unsent->waiting_for,
		    unsent->ours > 0
			? "; mend it at the smarthost or in smarthost: of the configuration, "
			  "then dewctl queue retry"
			: "");
	if (unsent->failed > 0)
		buf_printf(detail,
		    "%s%" PRId64 " failed, such as %s; dewctl queue list --failed names them, "
		    "dewctl queue retry --failed all tries again, and an address that is wrong is "
		    "to be changed or removed",
		    waiting > 0 ? ". " : "", unsent->failed, unsent->failed_for);
}

enum finding look_at_queue(struct ctl *ctl, struct buf *detail)
{
	struct unsent unsent = {.now = ctl->now};
	struct err err;
	if (store_delivery_each_queued(ctl->store, count_unsent, &unsent, &err) < 0 ||
	    store_delivery_each_refused(ctl->store, count_failed, &unsent, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	say_unsent(&unsent, detail);
	if (unsent.ours + unsent.slow + unsent.failed > 0)
		return FINDING_BAD;
	if (unsent.others > 0)
		return FINDING_WARNING;
	buf_printf(detail, "the smarthost has refused nothing that still has to be sent");
	return FINDING_OK;
}

/* What came back, also of the alarms about it, of which nobody is told by mail. */
enum finding look_at_bounces(struct ctl *ctl, struct buf *detail)
{
	char address[STORE_ADDRESS_SIZE];
	int64_t count;
	struct err err;
	if (store_bounce_open(ctl->store, ctl->now - BOUNCE_WARNING_S, &count, address, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (count == 0) {
		buf_printf(
		    detail, "no mail came back in the last %d days", BOUNCE_WARNING_S / 86400);
		return FINDING_OK;
	}
	buf_printf(detail,
	    "%" PRId64 " %s back in the last %d days, and no answer came since, the last from %s: "
	    "dewctl bounce list",
	    count, count == 1 ? "mail came" : "mails came", BOUNCE_WARNING_S / 86400, address);
	return FINDING_WARNING;
}

/* Mail of people known here that counts for nothing, and that they may not know of. */
enum finding look_at_answers(struct ctl *ctl, struct buf *detail)
{
	struct err err;
	int64_t untold;
	int64_t claimed;
	if (store_uncounted_count_untold(ctl->store, &untold, &err) < 0 ||
	    store_arrival_count_claimed(ctl->store, ctl->now - CLAIMED_S, &claimed, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (untold > 0)
		buf_printf(detail,
		    "%" PRId64 " do not count, and their contacts could not be told%s", untold,
		    claimed > 0 ? "; " : ": dewctl inbox list");
	if (claimed > 0)
		buf_printf(detail,
		    "in three days %" PRId64 " mail%s with the address of somebody known, who has "
		    "not proven to have sent %s, and is not told: dewctl inbox list",
		    claimed, claimed == 1 ? " came" : "s came", claimed == 1 ? "it" : "them");
	if (untold > 0 || claimed > 0)
		return FINDING_WARNING;
	buf_printf(detail, "whoever sent one that does not count has been told");
	return FINDING_OK;
}
