#include "config.h"

#include <string.h>

#include "dewctl/ctl.h"
#include "dewctl/keypending.h"
#include "store/keylife.h"

static const struct report_column columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"used_by", "IS", REPORT_TEXT},
    {"fingerprint", "NEW KEY", REPORT_TEXT},
    {"former", "FORMER KEY", REPORT_TEXT},
    {"arrival", "ARRIVAL", REPORT_NUMBER},
    {"asked_at", "ASKED", REPORT_TIME},
};

static int add_row(void *context, const struct key_successor *successor, struct err *err)
{
	struct report *report = context;
	(void)err;
	report_row(report);
	report_add_text(report, successor->address);
	report_add_text(report, successor->contact != 0 ? "contact" : "publisher");
	report_add_text(report, successor->fingerprint);
	report_add_text(report, successor->former);
	report_add_number(report, successor->arrival);
	report_add_time(report, successor->asked_at);
	return 0;
}

int keypending_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (call->count == 1 && strcmp(call->arguments[0], "list") != 0)
		return ctl_refuse(err, "there is only dewctl key pending list");
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct report *report =
	    report_table(columns, sizeof columns / sizeof columns[0], "no new key waits");
	if (store_key_successor_each(ctl->store, add_row, report, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}
