/* dewctl report ... */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "dewctl/find.h"
#include "dewctl/stash.h"
#include "dewctl/verbs.h"
#include "store/inform.h"

enum { MOST_UNLESS_ASKED = 20 };

static const struct ctl_option list_options[] = {
    {"most", "N", "list the newest N (20 unless given)", ctl_check_count, false},
    {0},
};

static const struct report_column list_columns[] = {
    {"number", "NUMBER", REPORT_TEXT},
    {"received_at", "RECEIVED", REPORT_TIME},
    {"address", "FROM", REPORT_TEXT},
    {"member", "MEMBER", REPORT_TEXT},
    {"tlp", "TLP", REPORT_TEXT},
    {"about", "ABOUT", REPORT_TEXT},
    {"replies", "REPLIES", REPORT_NUMBER},
    {"arrival", NULL, REPORT_NUMBER},
    {"title", "TITLE", REPORT_PROSE},
};
static const struct report_column show_columns[] = {
    {"number", "Number", REPORT_TEXT},
    {"received_at", "Received", REPORT_TIME},
    {"address", "From", REPORT_TEXT},
    {"member", "Member", REPORT_TEXT},
    {"tlp", "TLP", REPORT_TEXT},
    {"about", "About", REPORT_TEXT},
    {"replies", "Replies", REPORT_NUMBER},
    {"arrival", "Arrival", REPORT_NUMBER},
    {"title", "Title", REPORT_PROSE},
};
static const struct report_column delivery_columns[] = {
    {"kind", "MAIL", REPORT_TEXT},
    {"address", "TO", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"sent_at", "SENT", REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};

struct list {
	struct ctl *ctl;
	struct report *report;
	const char *kind;
	struct member_report found;
};

/* Both tables have the same columns. */
static int add_cells(struct list *list, const struct member_report *report, struct err *err)
{
	struct contact contact = {.id = 0};
	struct advisory advisory = {.id = 0};
	bool found;
	if (store_contact_get(list->ctl->store, report->contact, &contact, &found, err) < 0 ||
	    (report->advisory != 0 && store_advisory_by_id(list->ctl->store, report->advisory,
					  &advisory, &found, err) < 0))
		return -1;
	report_add_text(list->report, report->number);
	report_add_time(list->report, report->received_at);
	report_add_text(list->report, contact.address);
	report_add_text(list->report, contact.member);
	report_add_text(list->report, report->tlp);
	report_add_text(list->report, advisory.number);
	report_add_number(list->report, report->replies);
	report_add_number(list->report, report->arrival);
	return stash_add_cell(list->ctl, list->report, report->title, report->number, err);
}

static int list_report(void *context, const struct member_report *report, struct err *err)
{
	struct list *list = context;
	report_row(list->report);
	return add_cells(list, report, err);
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct list list = {.ctl = ctl};
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	list.report = report_table(
	    list_columns, sizeof list_columns / sizeof list_columns[0], "no reports yet");
	if (store_report_each(ctl->store, ctl_number(call, "most", MOST_UNLESS_ASKED), list_report,
		&list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int show_report(void *context, const struct member_report *report, struct err *err)
{
	struct list *list = context;
	list->found = *report;
	return add_cells(list, report, err);
}

static int add_delivery(void *context, const struct delivery *delivery, struct err *err)
{
	const struct list *list = context;
	(void)err;
	report_row(list->report);
	report_add_text(list->report, list->kind);
	report_add_text(list->report, delivery->address);
	report_add_text(list->report, delivery->state);
	report_add_time(list->report, delivery->sent_at);
	report_add_text(list->report, delivery->reason);
	return 0;
}

static int add_reply(void *context, const struct report_reply *reply, struct err *err)
{
	struct list *list = context;
	list->kind = "reply";
	return store_delivery_each(list->ctl->store, reply->message, add_delivery, list, err);
}

/* Every mail that the report led to. */
static int add_deliveries(struct list *list, struct err *err)
{
	const struct member_report *report = &list->found;
	struct store *store = list->ctl->store;
	list->kind = "report";
	if (store_delivery_each(store, report->message, add_delivery, list, err) < 0)
		return -1;
	list->kind = "receipt";
	if (report->receipt != 0 &&
	    store_delivery_each(store, report->receipt, add_delivery, list, err) < 0)
		return -1;
	return store_report_reply_each(store, report->id, add_reply, list, err);
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct list list = {.ctl = ctl};
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct report *record =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	list.report = record;
	int status = store_report_open(ctl->store, call->arguments[0], show_report, &list, err);
	if (status == 0 && list.found.id == 0)
		status = ctl_refuse(
		    err, "there is no report %s: see dewctl report list", call->arguments[0]);
	if (status == 0) {
		list.report = report_table(delivery_columns,
		    sizeof delivery_columns / sizeof delivery_columns[0], "no mail");
		status = add_deliveries(&list, err);
		report_attach(record, "mail", "Mail about it", list.report);
	}
	if (status < 0) {
		report_free(record);
		return -1;
	}
	return ctl_print(ctl, record, err);
}

const struct ctl_verb report_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists what members reported, the newest first", NULL,
	run_list},
    {"show", "NUMBER", 1, 1, true, NULL, "Shows a report and the mail that it led to",
	"Its text stays in the mail that came in: dewctl inbox show ARRIVAL --raw.\n", run_show},
    {0},
};
