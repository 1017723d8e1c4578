/* dewctl reminder ... */
#include "config.h"

#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "rules/remind.h"
#include "store/reminders.h"

static const struct report_column columns[] = {
    {"advisory", "ADVISORY", REPORT_TEXT},
    {"revision", "REVISION", REPORT_NUMBER},
    {"kind", "KIND", REPORT_TEXT},
    {"stage", "STAGE", REPORT_NUMBER},
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"recorded_at", "AT", REPORT_TIME},
    {"state", "STATE", REPORT_TEXT},
    {"sent_at", NULL, REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};

static int list_reminder(void *context, const struct reminder *reminder, struct err *err)
{
	struct report *report = context;
	(void)err;
	report_row(report);
	report_add_text(report, reminder->advisory);
	report_add_number(report, reminder->revision);
	report_add_text(report, reminder->member[0] == '\0'	     ? "alarm"
				: reminder->stage == REMIND_DEADLINE ? "escalation"
								     : "reminder");
	report_add_number(report, reminder->stage);
	report_add_text(report, reminder->member);
	report_add_text(report, reminder->address);
	report_add_time(report, reminder->recorded_at);
	report_add_text(report, reminder->state);
	report_add_time(report, reminder->sent_at);
	report_add_text(report, reminder->reason);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct advisory advisory = {.id = 0};
	if (ctl_open_store(ctl, err) < 0 ||
	    (call->count > 0 && find_advisory(ctl, call->arguments[0], &advisory, err) < 0))
		return -1;
	struct report *report = report_table(
	    columns, sizeof columns / sizeof columns[0], "nobody had to be reminded so far");
	if (store_reminder_each(ctl->store, advisory.id, list_reminder, report, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

const struct ctl_verb reminder_verbs[] = {
    {"list", "[NUMBER]", 0, 1, true, NULL, "Lists reminders, escalations and alarms",
	"The stage is a part of the time to answer, in percent; 100 is the deadline.\n"
	"A state failed has its reason: that one could not be reminded.\n",
	run_list},
    {0},
};
