/* dewctl inbox ... */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "store/arrivals.h"

enum { MOST_UNLESS_ASKED = 20 };

static const struct ctl_option list_options[] = {
    {"most", "N", "list the newest N (20 unless given)", ctl_check_count, false},
    {0},
};
static const struct ctl_option show_options[] = {
    {"raw", NULL, "write the mail itself, byte for byte, to standard output", NULL, false},
    {0},
};

static const struct ctl_option retry_options[] = {
    {"all", NULL, "every mail that is unreadable and still kept", NULL, false},
    {0},
};

static const struct report_column list_columns[] = {
    {"id", "ID", REPORT_NUMBER},
    {"received_at", "RECEIVED", REPORT_TIME},
    {"size", "SIZE", REPORT_NUMBER},
    {"state", "STATE", REPORT_TEXT},
    {"meaning", "MEANING", REPORT_TEXT},
    {"shape", "SHAPE", REPORT_TEXT},
    {"refusal", "NOT TAKEN", REPORT_TEXT},
    {"signer", NULL, REPORT_TEXT},
    {"from", "SIGNED BY", REPORT_TEXT},
    {"reason", "REASON", REPORT_TEXT},
    {"tries", NULL, REPORT_NUMBER},
    {"waits_until", "NEXT TRY", REPORT_TIME},
    {"kept", NULL, REPORT_FLAG},
};
static const struct report_column show_columns[] = {
    {"id", "ID", REPORT_NUMBER},
    {"received_at", "Received", REPORT_TIME},
    {"size", "Size in bytes", REPORT_NUMBER},
    {"state", "State", REPORT_TEXT},
    {"meaning", "Meaning", REPORT_TEXT},
    {"shape", "Shape", REPORT_TEXT},
    {"refusal", "Not taken", REPORT_TEXT},
    {"signer", "Signer's key", REPORT_TEXT},
    {"from", "Signed by", REPORT_TEXT},
    {"reason", "Reason", REPORT_TEXT},
    {"tries", "Workers it ended", REPORT_NUMBER},
    {"waits_until", "Next try", REPORT_TIME},
    {"kept", "Mail is kept", REPORT_FLAG},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

/* Both tables have the same columns. */
static int add_cells(
    struct ctl *ctl, struct report *report, const struct arrival *arrival, struct err *err)
{
	struct buf signer = BUF_EMPTY(BUF_SMALL);
	if (arrival->signer[0] != '\0' && find_user_of(ctl, arrival->signer, &signer, err) < 0)
		return -1;
	report_add_number(report, arrival->id);
	report_add_time(report, arrival->received_at);
	report_add_number(report, arrival->size);
	report_add_text(report, arrival->state);
	report_add_text(report, arrival->meaning);
	report_add_text(report, arrival->shape);
	report_add_text(report, arrival->refusal);
	report_add_text(report, arrival->signer);
	/* Somebody who was removed since is known by the key only. */
	report_add_text(report, signer.len > 0 ? buf_text(&signer) : arrival->signer);
	report_add_text(report, arrival->reason);
	report_add_number(report, arrival->tries);
	report_add_time(report, arrival->wait_until);
	report_add_flag(report, arrival->kept);
	buf_release(&signer);
	return 0;
}

static int list_arrival(void *context, const struct arrival *arrival, struct err *err)
{
	const struct list *list = context;
	report_row(list->report);
	return add_cells(list->ctl, list->report, arrival, err);
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const int64_t most = ctl_number(call, "most", MOST_UNLESS_ASKED);
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(
	    list_columns, sizeof list_columns / sizeof list_columns[0], "no mail came in yet");
	if (store_arrival_each(ctl->store, most, list_arrival, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int write_raw(struct ctl *ctl, const struct arrival *arrival, struct err *err)
{
	struct buf raw = BUF_EMPTY((size_t)arrival->size + 1);
	if (strcmp(arrival->meaning, "aside") == 0)
		return ctl_refuse(err, "arrival %" PRId64 " is a file that is not kept here: %s",
		    arrival->id, arrival->reason);
	if (!arrival->kept)
		return ctl_refuse(err,
		    "arrival %" PRId64 " was a stranger's and is kept no more: see keep in "
		    "dewline.cfg(5)",
		    arrival->id);
	if (isatty(STDOUT_FILENO))
		return ctl_refuse(err,
		    "a stranger's mail can upset a terminal: dewctl inbox show %" PRId64
		    " --raw > FILE",
		    arrival->id);
	int status = store_arrival_raw(ctl->store, arrival->id, &raw, err);
	if (status == 0 && fwrite(raw.data, 1, raw.len, stdout) != raw.len)
		status = err_system(err, "cannot write the output");
	buf_release(&raw);
	return status;
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct arrival arrival;
	int64_t id;
	bool found = false;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	if (text_number(view_of(call->arguments[0]), 1, INT64_MAX, &id) &&
	    store_arrival_get(ctl->store, id, &arrival, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(
		    err, "there is no arrival %s: see dewctl inbox list", call->arguments[0]);
	if (ctl_value(call, "raw") != NULL)
		return write_raw(ctl, &arrival, err);
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	if (add_cells(ctl, report, &arrival, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

/* -- retry -- */

struct retrying {
	struct ctl *ctl;
	int64_t *ids;
	size_t count;
};

static int note_unreadable(void *context, const struct arrival *arrival, struct err *err)
{
	struct retrying *retrying = context;
	(void)err;
	retrying->ids =
	    reallocarray(retrying->ids, retrying->count + 1, sizeof *retrying->ids);
	if (retrying->ids == NULL)
		abort();
	retrying->ids[retrying->count++] = arrival->id;
	return 0;
}

static int retry_one(struct ctl *ctl, int64_t id, bool *taken, struct err *err)
{
	char subject[STORE_NAME_SIZE];
	snprintf(subject, sizeof subject, "arrival %" PRId64, id);
	if (store_arrival_retry(ctl->store, id, ctl->now, taken, err) < 0)
		return -1;
	return *taken ? ctl_audit(ctl, "arrival.retry", subject, err, "it is judged anew") : 0;
}

/* Why there is nothing to judge anew. */
static int refuse_retry(const struct arrival *arrival, struct err *err)
{
	if (!arrival->kept)
		return ctl_refuse(err,
		    "arrival %" PRId64 " is kept no more: whoever sent it has to send it again",
		    arrival->id);
	if (strcmp(arrival->state, "received") == 0 || strcmp(arrival->state, "judged") == 0)
		return ctl_refuse(
		    err, "arrival %" PRId64 " is to be judged now as it is", arrival->id);
	return ctl_refuse(err,
	    "arrival %" PRId64 " was read and is %s%s%s: only what is unreadable, or waits, is "
	    "judged anew",
	    arrival->id, arrival->state, arrival->meaning[0] == '\0' ? "" : ", ",
	    arrival->meaning);
}

static int retry_given(struct ctl *ctl, const char *given, struct err *err)
{
	struct arrival arrival;
	int64_t id;
	bool found = false;
	bool taken;
	if (text_number(view_of(given), 1, INT64_MAX, &id) &&
	    store_arrival_get(ctl->store, id, &arrival, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no arrival %s: see dewctl inbox list", given);
	if (retry_one(ctl, id, &taken, err) < 0)
		return -1;
	return taken ? 1 : refuse_retry(&arrival, err);
}

static int retry_all(struct ctl *ctl, struct err *err)
{
	struct retrying retrying = {.ctl = ctl};
	int count = 0;
	bool taken;
	int status =
	    store_arrival_each_unreadable(ctl->store, note_unreadable, &retrying, err);
	for (size_t i = 0; i < retrying.count && status == 0; i++) {
		status = retry_one(ctl, retrying.ids[i], &taken, err);
		count += status == 0 && taken;
	}
	free(retrying.ids);
	return status < 0 ? -1 : count;
}

static int run_retry(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const bool all = ctl_value(call, "all") != NULL;
	if (all == (call->count > 0))
		return ctl_refuse(err, "give the number of one mail, or --all");
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0)
		return -1;
	const int count = all ? retry_all(ctl, err) : retry_given(ctl, call->arguments[0], err);
	if (ctl_end(ctl, count < 0 ? -1 : 0, err) < 0)
		return -1;
	if (count == 0)
		ctl_say("No mail is unreadable and kept: there is nothing to judge anew.");
	else if (all)
		ctl_say("%d mail%s judged anew: see dewctl inbox list.", count,
		    count == 1 ? " is" : "s are");
	else
		ctl_say("It is judged anew: see dewctl inbox show %s. An answer in it counts by the "
			"time at which it came.",
		    call->arguments[0]);
	if (count > 0)
		ctl_warn_idle(ctl);
	return 0;
}

const struct ctl_verb inbox_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists mail that came in, the newest first", NULL,
	run_list},
    {"show", "N", 1, 1, true, show_options, "Shows one mail's state, or the mail itself", NULL,
	run_show},
    {"retry", "[N]", 0, 1, false, retry_options,
	"Judges a mail anew that could not be read, or that waits", NULL, run_retry},
    {0},
};
