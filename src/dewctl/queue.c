/* dewctl queue ... */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "dewctl/find.h"
#include "dewctl/verbs.h"

static const struct report_column columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"what", "WHAT", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"attempts", "ATTEMPTS", REPORT_NUMBER},
    {"next_at", "NEXT ATTEMPT", REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};

struct list {
	struct ctl *ctl;
	struct report *report;
	int64_t message; /* that `what` speaks of: many deliveries share one */
	char what[STORE_NAME_SIZE]; /* "DEW-2026-0007 r1" or "receipt" */
};

static int name_message(struct list *list, const struct delivery *delivery, struct err *err)
{
	struct revision revision;
	struct advisory advisory;
	bool found;
	if (list->message == delivery->message)
		return 0;
	list->message = delivery->message;
	if (store_revision_by_message(list->ctl->store, delivery->message, &revision, &found, err) <
	    0)
		return -1;
	if (found &&
	    store_advisory_by_id(list->ctl->store, revision.advisory, &advisory, &found, err) < 0)
		return -1;
	if (found)
		snprintf(list->what, sizeof list->what, "%s r%" PRId64, advisory.number,
		    revision.number);
	else
		snprintf(list->what, sizeof list->what, "receipt");
	return 0;
}

static int list_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	struct list *list = context;
	if (name_message(list, delivery, err) < 0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, delivery->address);
	report_add_text(list->report, list->what);
	report_add_text(list->report, delivery->state);
	report_add_number(list->report, delivery->attempts);
	report_add_time(list->report, delivery->next_at);
	report_add_text(list->report, delivery->reason);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct list list = {.ctl = ctl};
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	list.report =
	    report_table(columns, sizeof columns / sizeof columns[0], "nothing waits to be sent");
	if (store_delivery_each_queued(ctl->store, list_delivery, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int retry(struct ctl *ctl, int64_t *count, struct err *err)
{
	if (store_delivery_retry_now(ctl->store, ctl->now, count, err) < 0)
		return -1;
	return ctl_audit(ctl, "queue.retry", "", err, "%" PRId64 " deliveries", *count);
}

static int run_retry(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	int64_t count = 0;
	(void)call;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, retry(ctl, &count, err), err) < 0)
		return -1;
	ctl_say("%" PRId64 " %s due now; dewlined sends %s.", count,
	    count == 1 ? "delivery is" : "deliveries are", count == 1 ? "it" : "them");
	ctl_warn_idle(ctl);
	return 0;
}

const struct ctl_verb queue_verbs[] = {
    {"list", "", 0, 0, true, NULL, "Lists what waits to be sent, and why", NULL, run_list},
    {"retry", "", 0, 0, false, NULL, "Makes everything that waits due at once", NULL, run_retry},
    {0},
};
