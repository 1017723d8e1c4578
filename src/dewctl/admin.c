/* dewctl admin ... */
#include "config.h"

#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "rules/reach.h"

static const struct ctl_option add_options[] = {
    {"key", "FINGERPRINT", "the admin's certificate (dewctl key add)", NULL, true},
    {"name", "N", "the person's name", NULL, false},
    {0},
};

static int add_admin(struct ctl *ctl, struct publisher *admin, const char *key, struct err *err)
{
	bool added;
	if (find_free_certificate(ctl, key, admin->address, admin->fingerprint, err) < 0 ||
	    store_publisher_add(ctl->store, admin, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err,
		    "there is %s already: see dewctl admin list and dewctl publisher list",
		    admin->address);
	return ctl_audit(ctl, "admin.add", admin->address, err, "key %s", admin->fingerprint);
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = ctl_value(call, "name");
	struct publisher admin = {.admin = true, .added_at = ctl->now};
	if (check_address(call->arguments[0], err) < 0 ||
	    (name != NULL && check_name(name, err) < 0))
		return -1;
	snprintf(admin.address, sizeof admin.address, "%s", call->arguments[0]);
	snprintf(admin.name, sizeof admin.name, "%s", name != NULL ? name : "");
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, add_admin(ctl, &admin, ctl_value(call, "key"), err), err) < 0)
		return -1;
	ctl_say("Admin %s added.", admin.address);
	return 0;
}

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

static int list_admin(void *context, const struct publisher *admin, struct err *err)
{
	const struct list *list = context;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE] = "there is no such certificate";
	bool found;
	if (store_certificate_get(list->ctl->store, admin->fingerprint, &certificate, &found, err) <
	    0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, admin->address);
	report_add_text(list->report, admin->name);
	report_add_text(list->report, admin->fingerprint);
	report_add_flag(
	    list->report, found && reach_certificate(&certificate, list->ctl->now, reason));
	report_add_text(list->report, reason);
	report_add_time(list->report, admin->added_at);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no admins yet: dewctl admin add ADDRESS --key FINGERPRINT");
	if (store_admin_each(ctl->store, list_admin, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int remove_admin(struct ctl *ctl, const char *address, struct err *err)
{
	struct publisher admin;
	bool found;
	if (store_admin_by_address(ctl->store, address, &admin, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no admin %s: see dewctl admin list", address);
	if (store_publisher_remove(ctl->store, admin.id, err) < 0)
		return -1;
	return ctl_audit(ctl, "admin.remove", admin.address, err, "key %s", admin.fingerprint);
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *address = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, remove_admin(ctl, address, err), err) < 0)
		return -1;
	ctl_say("Admin %s is removed; the record stays.", address);
	return 0;
}

const struct ctl_verb admin_verbs[] = {
    {"add", "ADDRESS", 1, 1, false, add_options, "Lets a person have the gateway's alarms",
	"The certificate must be there (dewctl key add) and confirmed. Alarms are encrypted\n"
	"like all mail. An admin cannot publish: that is a publisher's right.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists admins", NULL, run_list},
    {"remove", "ADDRESS", 1, 1, false, NULL, "Sends a person no more alarms", "The record stays.\n",
	run_remove},
    {0},
};
