/* dewctl publisher ... */
#include "config.h"

#include <stdio.h>

#include "dewctl/approval.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"
#include "rules/reach.h"

static const struct ctl_option add_options[] = {
    {"key", "FINGERPRINT", "the publisher's certificate (dewctl key add)", NULL, true},
    {"name", "N", "the person's name", NULL, false},
    {0},
};

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = ctl_value(call, "name");
	const char *key = ctl_value(call, "key");
	struct approval what = {.kind = "publisher.add"};
	bool done;
	if (check_address(call->arguments[0], err) < 0 ||
	    (name != NULL && check_name(name, err) < 0) ||
	    find_fingerprint(&key, 1, what.fingerprint, err) < 0)
		return -1;
	snprintf(what.address, sizeof what.address, "%s", call->arguments[0]);
	snprintf(what.name, sizeof what.name, "%s", name != NULL ? name : "");
	if (ctl_open_store(ctl, err) < 0 || approval_act(ctl, &what, &done, err) < 0)
		return -1;
	if (done)
		ctl_say("Publisher %s added.", what.address);
	return 0;
}

static const struct ctl_option rekey_options[] = {
    {"key", "FINGERPRINT", "the new certificate", NULL, true},
    {0},
};

static int run_rekey(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *key = ctl_value(call, "key");
	struct approval what = {.kind = "publisher.rekey"};
	bool done;
	if (check_address(call->arguments[0], err) < 0 ||
	    find_fingerprint(&key, 1, what.fingerprint, err) < 0)
		return -1;
	snprintf(what.address, sizeof what.address, "%s", call->arguments[0]);
	if (ctl_open_store(ctl, err) < 0 || approval_act(ctl, &what, &done, err) < 0)
		return -1;
	if (done)
		ctl_say("Publisher %s has the key %s now; the former one is retired.", what.address,
		    what.fingerprint);
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

static int list_publisher(void *context, const struct publisher *publisher, struct err *err)
{
	const struct list *list = context;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE] = "there is no such certificate";
	bool found;
	if (store_certificate_get(
		list->ctl->store, publisher->fingerprint, &certificate, &found, err) < 0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, publisher->address);
	report_add_text(list->report, publisher->name);
	report_add_text(list->report, publisher->fingerprint);
	report_add_flag(
	    list->report, found && reach_certificate(&certificate, list->ctl->now, reason));
	report_add_text(list->report, reason);
	report_add_time(list->report, publisher->added_at);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no publishers yet: dewctl publisher add ADDRESS --key FINGERPRINT");
	if (store_publisher_each(ctl->store, list_publisher, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int remove_publisher(struct ctl *ctl, const char *address, struct err *err)
{
	struct publisher publisher;
	bool found;
	if (store_publisher_by_address(ctl->store, address, &publisher, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(
		    err, "there is no publisher %s: see dewctl publisher list", address);
	if (store_publisher_remove(ctl->store, publisher.id, err) < 0)
		return -1;
	return ctl_audit(
	    ctl, "publisher.remove", publisher.address, err, "key %s", publisher.fingerprint);
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *address = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, remove_publisher(ctl, address, err), err) < 0)
		return -1;
	ctl_say("Publisher %s is removed; the record stays.", address);
	return 0;
}

const struct ctl_verb publisher_verbs[] = {
    {"add", "ADDRESS", 1, 1, false, add_options, "Lets a person publish advisories",
	"The certificate must be there (dewctl key add); nothing is taken from it before it\n"
	"is confirmed. Receipts go to the address.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists publishers", NULL, run_list},
    {"rekey", "ADDRESS", 1, 1, false, rekey_options, "Gives a publisher another key",
	"Check the whole fingerprint over another channel first: this confirms it. The former\n"
	"certificate is retired. See dewctl key pending list.\n",
	run_rekey},
    {"remove", "ADDRESS", 1, 1, false, NULL, "Takes the right to publish away",
	"The record stays, and so do the advisories.\n", run_remove},
    {0},
};
