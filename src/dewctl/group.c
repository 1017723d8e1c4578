/* dewctl group ... */
#include "config.h"

#include <string.h>

#include "dewctl/find.h"
#include "dewctl/verbs.h"

static int refuse_member_id(struct ctl *ctl, const char *name, struct err *err)
{
	struct member member;
	bool found;
	if (store_member_get(ctl->store, name, &member, &found, err) < 0)
		return -1;
	return found ? ctl_refuse(err,
			   "%s is a member, and an audience must know which is meant: "
			   "choose another name",
			   name)
		     : 0;
}

static int refuse_left_member(struct ctl *ctl, const char *entry, struct err *err)
{
	struct member member;
	bool found;
	if (store_member_get(ctl->store, entry, &member, &found, err) < 0)
		return -1;
	if (found && strcmp(member.state, "left") == 0)
		return ctl_refuse(err, "member %s left: nothing was added", entry);
	return 0;
}

/* All of the entries or, after a refusal, none; *fresh of them were not in it before. */
static int add_entries(
    struct ctl *ctl, const struct ctl_call *call, size_t *fresh, struct err *err)
{
	const char *name = call->arguments[0];
	bool known;
	bool added;
	if (refuse_member_id(ctl, name, err) < 0)
		return -1;
	for (size_t i = 1; i < call->count; i++) {
		const char *entry = call->arguments[i];
		if (refuse_left_member(ctl, entry, err) < 0 ||
		    store_group_add(ctl->store, name, entry, &known, &added, err) < 0)
			return -1;
		if (!known)
			return ctl_refuse(err,
			    "%s is no member and no contact's address: nothing was "
			    "added",
			    entry);
		if (added && ctl_audit(ctl, "group.add", name, err, "%s", entry) < 0)
			return -1;
		*fresh += added;
	}
	return 0;
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	size_t fresh = 0;
	if (check_id(call->arguments[0], err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, add_entries(ctl, call, &fresh, err), err) < 0)
		return -1;
	const size_t before = call->count - 1 - fresh;
	if (before == 0)
		ctl_say("Group %s: %zu added.", call->arguments[0], fresh);
	else
		ctl_say("Group %s: %zu added, %zu in it already.", call->arguments[0], fresh, before);
	return 0;
}

static const struct report_column list_columns[] = {
    {"name", "NAME", REPORT_TEXT},
    {"entries", "ENTRIES", REPORT_NUMBER},
};

struct counting {
	struct report *report;
	char group[STORE_NAME_SIZE]; /* "" in front of the first */
	int64_t entries;
};

static void end_group(struct counting *counting)
{
	if (counting->group[0] == '\0')
		return;
	report_row(counting->report);
	report_add_text(counting->report, counting->group);
	report_add_number(counting->report, counting->entries);
}

/* Entries come group by group. */
static int count_entry(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	struct counting *counting = context;
	(void)entry, (void)is_contact, (void)err;
	if (strcmp(group, counting->group) != 0) {
		end_group(counting);
		snprintf(counting->group, sizeof counting->group, "%s", group);
		counting->entries = 0;
	}
	counting->entries++;
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct counting counting = {0};
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	counting.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no groups yet: dewctl group add NAME MEMBER...");
	if (store_group_each(ctl->store, NULL, count_entry, &counting, err) < 0) {
		report_free(counting.report);
		return -1;
	}
	end_group(&counting);
	return ctl_print(ctl, counting.report, err);
}

static const struct report_column show_columns[] = {
    {"entry", "ENTRY", REPORT_TEXT},
    {"kind", "KIND", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int show_entry(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	const struct list *list = context;
	struct member member = {.state = "missing"};
	struct contact contact = {0};
	bool found;
	(void)group;
	const int status =
	    is_contact ? store_contact_by_address(list->ctl->store, entry, &contact, &found, err)
		       : store_member_get(list->ctl->store, entry, &member, &found, err);
	if (status < 0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, entry);
	report_add_text(list->report, is_contact ? "contact" : "member");
	report_add_text(list->report, is_contact ? contact.name : member.name);
	if (is_contact)
		report_add_text(list->report, found ? "present" : "removed");
	else
		report_add_text(list->report, member.state);
	return 0;
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report =
	    report_table(show_columns, sizeof show_columns / sizeof show_columns[0], "empty");
	int status = store_group_each(ctl->store, call->arguments[0], show_entry, &list, err);
	if (status == 0 && report_rows(list.report) == 0)
		status = ctl_refuse(
		    err, "there is no group %s: see dewctl group list", call->arguments[0]);
	if (status < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int remove_group(struct ctl *ctl, const char *name, struct err *err)
{
	bool found;
	if (store_group_remove(ctl->store, name, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no group %s: see dewctl group list", name);
	return ctl_audit(ctl, "group.remove", name, err, "the name only");
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, remove_group(ctl, call->arguments[0], err), err) < 0)
		return -1;
	ctl_say("Group %s is removed; its members are not.", call->arguments[0]);
	return 0;
}

const struct ctl_verb group_verbs[] = {
    {"add", "NAME MEMBER...", 2, CTL_ANY_NUMBER, false, NULL,
	"Puts members or contacts into a group",
	"Makes the group with the first. Each MEMBER is a member's ID or a contact's address.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists groups", NULL, run_list},
    {"show", "NAME", 1, 1, true, NULL, "Shows who is in a group", NULL, run_show},
    {"remove", "NAME", 1, 1, false, NULL, "Removes a group, not its members", NULL, run_remove},
    {0},
};
