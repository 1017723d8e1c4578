/* dewctl queue ... */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"

static const struct report_column columns[] = {
    {"id", "ID", REPORT_NUMBER},
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
	char what[STORE_NAME_SIZE]; /* "DEW-2026-0007 r1" or the kind: "receipt" */
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
	else if (store_message_kind(list->ctl->store, delivery->message, list->what, err) < 0)
		return -1;
	return 0;
}

static int list_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	struct list *list = context;
	if (name_message(list, delivery, err) < 0)
		return -1;
	report_row(list->report);
	report_add_number(list->report, delivery->id);
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
	const bool failed = ctl_value(call, "failed") != NULL;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	list.report = report_table(columns, sizeof columns / sizeof columns[0],
	    failed ? "the smarthost has refused nobody for good" : "nothing waits to be sent");
	const int status = failed
			       ? store_delivery_each_refused(ctl->store, list_delivery, &list, err)
			       : store_delivery_each_queued(ctl->store, list_delivery, &list, err);
	if (status < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int retry_waiting(struct ctl *ctl, int64_t *count, struct err *err)
{
	if (store_delivery_retry_now(ctl->store, ctl->now, count, err) < 0)
		return -1;
	return ctl_audit(ctl, "queue.retry", "", err, "%" PRId64 " deliveries", *count);
}

/* "all", a delivery by the number that `queue list` shows, or else an advisory. */
static int find_failed(
    struct ctl *ctl, const char *which, int64_t *advisory, int64_t *delivery, struct err *err)
{
	struct advisory found;
	struct delivery one;
	bool exists;
	*advisory = *delivery = 0;
	if (strcmp(which, "all") == 0)
		return 0;
	if (!text_number(view_of(which), 1, INT64_MAX, delivery)) {
		*delivery = 0;
		if (find_advisory(ctl, which, &found, err) < 0)
			return -1;
		*advisory = found.id;
		return 0;
	}
	if (store_delivery_get(ctl->store, *delivery, &one, &exists, err) < 0)
		return -1;
	if (!exists)
		return ctl_refuse(
		    err, "there is no delivery %s: dewctl queue list --failed", which);
	if (strcmp(one.state, "failed") != 0)
		return ctl_refuse(err, "delivery %s to %s has not failed, it is %s", which,
		    one.address, one.state);
	if (one.batch == 0)
		return ctl_refuse(err,
		    "delivery %s to %s was never sealed, so there is nothing to send: %s", which,
		    one.address, one.reason);
	return 0;
}

static int retry_failed(struct ctl *ctl, const char *which, int64_t *count, struct err *err)
{
	int64_t advisory;
	int64_t delivery;
	if (find_failed(ctl, which, &advisory, &delivery, err) < 0 ||
	    store_delivery_retry_failed(ctl->store, advisory, delivery, ctl->now, count, err) < 0)
		return -1;
	return ctl_audit(
	    ctl, "queue.retry", which, err, "%" PRId64 " deliveries that had failed", *count);
}

static int run_retry(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *which = ctl_value(call, "failed");
	int64_t count = 0;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl,
		which == NULL ? retry_waiting(ctl, &count, err)
			      : retry_failed(ctl, which, &count, err),
		err) < 0)
		return -1;
	ctl_say("%" PRId64 " %s due now; dewlined sends %s.", count,
	    count == 1 ? "delivery is" : "deliveries are", count == 1 ? "it" : "them");
	ctl_warn_idle(ctl);
	return 0;
}

static const struct ctl_option list_options[] = {
    {"failed", NULL, "what the smarthost refused for good, or for too long", NULL, false},
    {0},
};
static const struct ctl_option retry_options[] = {
    {"failed", "WHICH", "what failed: of an advisory (its number), one delivery (its ID), or all",
	NULL, false},
    {0},
};

const struct ctl_verb queue_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists what waits to be sent, and why", NULL, run_list},
    {"retry", "", 0, 0, false, retry_options, "Makes everything that waits due at once",
	"With --failed what the smarthost refused begins anew instead, with all the time that a\n"
	"new mail has. What a newer revision took the place of, and who was removed or has "
	"another\n"
	"address since, is left out, unless that one delivery is named.\n",
	run_retry},
    {0},
};
