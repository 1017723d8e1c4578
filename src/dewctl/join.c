/* dewctl join ... */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "store/agreements.h"

static const struct ctl_option list_options[] = {
    {"all", NULL, "also those that were dismissed", NULL, false},
    {0},
};

static const struct report_column list_columns[] = {
    {"id", "ID", REPORT_NUMBER},
    {"received_at", "RECEIVED", REPORT_TIME},
    {"organisation", "ORGANISATION", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"fingerprint", "KEY", REPORT_TEXT},
    {"arrival", "ARRIVAL", REPORT_NUMBER},
    {"state", "STATE", REPORT_TEXT},
};
static const struct report_column show_columns[] = {
    {"id", "ID", REPORT_NUMBER},
    {"received_at", "Received", REPORT_TIME},
    {"organisation", "Organisation", REPORT_TEXT},
    {"address", "Address", REPORT_TEXT},
    {"name", "Name", REPORT_TEXT},
    {"fingerprint", "Key", REPORT_TEXT},
    {"arrival", "Arrival", REPORT_NUMBER},
    {"state", "State", REPORT_TEXT},
    {"certificate", "Certificate", REPORT_TEXT},
};

struct listing {
	struct report *report;
	int64_t only; /* 0: all */
};

static void add_cells(struct report *report, const struct join_request *request)
{
	report_add_number(report, request->id);
	report_add_time(report, request->received_at);
	report_add_text(report, request->organisation);
	report_add_text(report, request->address);
	report_add_text(report, request->name);
	report_add_text(report, request->fingerprint);
	report_add_number(report, request->arrival);
	report_add_text(report, request->state);
}

static int list_request(void *context, const struct join_request *request, struct err *err)
{
	const struct listing *listing = context;
	(void)err;
	report_row(listing->report);
	add_cells(listing->report, request);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct listing listing = {
	    .report = report_table(
		list_columns, sizeof list_columns / sizeof list_columns[0], "nobody asks to join")};
	if (store_join_request_each(
		ctl->store, ctl_value(call, "all") != NULL, list_request, &listing, err) < 0) {
		report_free(listing.report);
		return -1;
	}
	return ctl_print(ctl, listing.report, err);
}

static int read_id(const struct ctl_call *call, int64_t *id, struct err *err)
{
	return text_number(view_of(call->arguments[0]), 1, INT64_MAX, id)
		   ? 0
		   : ctl_refuse(
			 err, "there is no request %s: see dewctl join list", call->arguments[0]);
}

static int show_request(void *context, const struct join_request *request, struct err *err)
{
	struct listing *listing = context;
	struct buf armored = BUF_EMPTY(2 * CERTIFICATE_MINIMAL_MAX);
	(void)err;
	if (request->id != listing->only)
		return 0;
	listing->report = report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	add_cells(listing->report, request);
	text_base64(&armored, request->certificate, 0);
	report_add_view(listing->report, buf_view(&armored));
	buf_release(&armored);
	return 0;
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct listing listing = {0};
	if (read_id(call, &listing.only, err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    store_join_request_each(ctl->store, true, show_request, &listing, err) < 0)
		return -1;
	if (listing.report == NULL)
		return ctl_refuse(
		    err, "there is no request %" PRId64 ": see dewctl join list", listing.only);
	return ctl_print(ctl, listing.report, err);
}

static int dismiss(struct ctl *ctl, int64_t id, struct err *err)
{
	char subject[STORE_ID_SIZE];
	bool dismissed;
	if (store_join_request_dismiss(ctl->store, id, &dismissed, err) < 0)
		return -1;
	if (!dismissed)
		return ctl_refuse(
		    err, "no request %" PRId64 " is open: see dewctl join list --all", id);
	snprintf(subject, sizeof subject, "join request %" PRId64, id);
	return ctl_audit(ctl, "join.dismiss", subject, err, "no mail is sent");
}

static int run_dismiss(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	int64_t id;
	if (read_id(call, &id, err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0 || ctl_end(ctl, dismiss(ctl, id, err), err) < 0)
		return -1;
	ctl_say("Request %" PRId64 " is dismissed. Nobody is told.", id);
	return 0;
}

const struct ctl_verb join_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists strangers' signed requests to join",
	"All of it is as the stranger wrote it. To take one in: dewctl join show N, check the\n"
	"fingerprint and the person over another channel, add the certificate and invite.\n",
	run_list},
    {"show", "N", 1, 1, true, NULL, "Shows a request, with its certificate in base64",
	"dewctl join show N --json | jq -r .certificate | base64 -d | dewctl key add -\n",
	run_show},
    {"dismiss", "N", 1, 1, false, NULL, "Closes a request", "Nobody is told.\n", run_dismiss},
    {0},
};
