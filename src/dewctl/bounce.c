/* dewctl bounce ... */
#include "config.h"

#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "store/bounces.h"

static const struct report_column columns[] = {
    {"received_at", "RECEIVED", REPORT_TIME},
    {"advisory", "ADVISORY", REPORT_TEXT},
    {"revision", "REVISION", REPORT_NUMBER},
    {"address", "ADDRESS", REPORT_TEXT},
    {"verdict", "VERDICT", REPORT_TEXT},
    {"action", "ACTION", REPORT_TEXT},
    {"status", "STATUS", REPORT_TEXT},
    {"diagnostic", "DIAGNOSTIC", REPORT_TEXT},
    {"final_recipient", NULL, REPORT_TEXT},
    {"first_lines", NULL, REPORT_TEXT},
    {"instead", "INSTEAD", REPORT_TEXT},
    {"arrival", "ARRIVAL", REPORT_NUMBER},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int list_bounce(void *context, const struct bounce *bounce, struct err *err)
{
	const struct list *list = context;
	struct report *report = list->report;
	struct revision revision;
	struct advisory advisory;
	bool found;
	if (store_revision_by_message(list->ctl->store, bounce->message, &revision, &found, err) <
		0 ||
	    (found && store_advisory_by_id(
			  list->ctl->store, revision.advisory, &advisory, &found, err) < 0))
		return -1;
	report_row(report);
	report_add_time(report, bounce->received_at);
	report_add_text(report, found ? advisory.number : "");
	if (found)
		report_add_number(report, revision.number);
	else
		report_add_none(report);
	report_add_text(report, bounce->address);
	report_add_text(report, bounce->verdict);
	report_add_text(report, bounce->action);
	report_add_text(report, bounce->status);
	report_add_text(report, bounce->diagnostic);
	report_add_text(report, bounce->recipient);
	report_add_text(report, bounce->lines);
	report_add_text(report, bounce->instead_address);
	report_add_number(report, bounce->arrival);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct advisory advisory = {.id = 0};
	if (ctl_open_store(ctl, err) < 0 ||
	    (call->count > 0 && find_advisory(ctl, call->arguments[0], &advisory, err) < 0))
		return -1;
	struct list list = {ctl,
	    report_table(columns, sizeof columns / sizeof columns[0], "no mail has come back")};
	if (store_bounce_each(ctl->store, advisory.id, list_bounce, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

const struct ctl_verb bounce_verbs[] = {
    {"list", "[NUMBER]", 0, 1, true, NULL, "Lists mail that came back, and why",
	"Only what came to the return path of one delivery counts, and it flags that one\n"
	"delivery, readable or not. Action, status and diagnostic are some mail server's\n"
	"word for it; dewctl inbox show ARRIVAL --raw has all of it.\n",
	run_list},
    {0},
};
