#include "config.h"

#include <stdio.h>

#include "dewctl/role.h"
#include "rules/reach.h"

static const struct report_column list_columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"fingerprint", "FINGERPRINT", REPORT_TEXT},
    {"usable", "USABLE", REPORT_FLAG},
    {"reason", "REASON", REPORT_TEXT},
    {"added_at", "ADDED", REPORT_TIME},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int list_one(void *context, const struct publisher *one, struct err *err)
{
	const struct list *list = context;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE] = "there is no such certificate";
	bool found;
	if (store_certificate_get(list->ctl->store, one->fingerprint, &certificate, &found, err) <
	    0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, one->address);
	report_add_text(list->report, one->name);
	report_add_text(list->report, one->fingerprint);
	report_add_flag(
	    list->report, found && reach_certificate(&certificate, list->ctl->now, reason));
	report_add_text(list->report, reason);
	report_add_time(list->report, one->added_at);
	return 0;
}

int role_list(struct ctl *ctl, const struct role *role, struct err *err)
{
	char none[128];
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	snprintf(none, sizeof none, "no %ss yet: dewctl %s add ADDRESS --key FINGERPRINT",
	    role->name, role->name);
	struct list list = {ctl, NULL};
	list.report =
	    report_table(list_columns, sizeof list_columns / sizeof list_columns[0], none);
	if (role->each(ctl->store, list_one, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int remove_one(
    struct ctl *ctl, const struct role *role, const char *address, struct err *err)
{
	struct publisher one;
	char event[STORE_NAME_SIZE];
	bool found;
	if (role->by_address(ctl->store, address, &one, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no %s %s: see dewctl %s list", role->name,
		    address, role->name);
	if (store_publisher_remove(ctl->store, one.id, err) < 0)
		return -1;
	snprintf(event, sizeof event, "%s.remove", role->name);
	return ctl_audit(ctl, event, one.address, err, "key %s", one.fingerprint);
}

int role_remove(struct ctl *ctl, const struct role *role, const char *address, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0)
		return -1;
	return ctl_end(ctl, remove_one(ctl, role, address, err), err);
}
