/* dewctl member ... */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dewctl/find.h"
#include "dewctl/membernew.h"
#include "dewctl/verbs.h"

static const struct ctl_option add_options[] = {
    {"name", "N", "the organisation's name", NULL, true},
    {"kind", "KIND", "national (the default), local or other", membernew_check_kind, false},
    {"parent", "ID", "the member that this one belongs to", NULL, false},
    {0},
};

static int add_member(struct ctl *ctl, const struct member *member, struct err *err)
{
	bool added;
	if (membernew_check(ctl, member, err) < 0 ||
	    store_member_add(ctl->store, member, &added, err) < 0)
		return -1;
	if (!added)
		return membernew_refuse_taken(ctl, member, err);
	return ctl_audit(ctl, "member.add", member->id, err, "%s, %s%s%s", member->kind,
	    member->name, member->parent[0] != '\0' ? ", part of " : "", member->parent);
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct member member;
	if (membernew_read(ctl, call, &member, err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0)
		return -1;
	if (ctl_end(ctl, add_member(ctl, &member, err), err) < 0)
		return -1;
	ctl_say("Member %s added. Next: dewctl contact add %s ADDRESS --key FINGERPRINT", member.id,
	    member.id);
	return 0;
}

static const struct report_column list_columns[] = {
    {"id", "ID", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"kind", "KIND", REPORT_TEXT},
    {"parent", "PARENT", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"contacts", "CONTACTS", REPORT_NUMBER},
    {"added_at", "ADDED", REPORT_TIME},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int count_contact(void *context, const struct contact *contact, struct err *err)
{
	int64_t *count = context;
	(void)contact, (void)err;
	(*count)++;
	return 0;
}

static int list_member(void *context, const struct member *member, struct err *err)
{
	const struct list *list = context;
	int64_t contacts = 0;
	if (store_contact_each(list->ctl->store, member->id, count_contact, &contacts, err) < 0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, member->id);
	report_add_text(list->report, member->name);
	report_add_text(list->report, member->kind);
	report_add_text(list->report, member->parent);
	report_add_text(list->report, member->state);
	report_add_number(list->report, contacts);
	report_add_time(list->report, member->added_at);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no members yet: dewctl member add ID --name N");
	if (store_member_each(ctl->store, list_member, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static const struct report_column show_columns[] = {
    {"id", "ID", REPORT_TEXT},
    {"name", "Name", REPORT_TEXT},
    {"kind", "Kind", REPORT_TEXT},
    {"parent", "Parent", REPORT_TEXT},
    {"state", "State", REPORT_TEXT},
    {"added_at", "Added", REPORT_TIME},
};
static const struct report_column contact_columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"rank", "RANK", REPORT_NUMBER},
    {"clearance", "CLEARANCE", REPORT_TEXT},
    {"reachable", "REACHABLE", REPORT_FLAG},
    {"reason", "REASON", REPORT_TEXT},
};
static const struct report_column group_columns[] = {{"name", "NAME", REPORT_TEXT}};

static int show_contact(void *context, const struct contact *contact, struct err *err)
{
	const struct list *list = context;
	char reason[STORE_REASON_SIZE];
	bool reachable;
	if (find_reach(list->ctl, contact, &reachable, reason, err) < 0)
		return -1;
	report_row(list->report);
	report_add_text(list->report, contact->address);
	report_add_text(list->report, contact->name);
	report_add_number(list->report, contact->rank);
	report_add_text(list->report, contact->clearance);
	report_add_flag(list->report, reachable);
	report_add_text(list->report, reason);
	return 0;
}

struct group_search {
	const char *entry;
	struct report *report;
};

static int show_group(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	const struct group_search *search = context;
	(void)err;
	if (!is_contact && strcmp(entry, search->entry) == 0) {
		report_row(search->report);
		report_add_text(search->report, group);
	}
	return 0;
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct member member;
	if (ctl_open_store(ctl, err) < 0 || find_member(ctl, call->arguments[0], &member, err) < 0)
		return -1;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	report_add_text(report, member.id);
	report_add_text(report, member.name);
	report_add_text(report, member.kind);
	report_add_text(report, member.parent);
	report_add_text(report, member.state);
	report_add_time(report, member.added_at);
	struct list contacts = {
	    ctl, report_table(contact_columns, sizeof contact_columns / sizeof contact_columns[0],
		     "none: nothing can be delivered to this member")};
	report_attach(report, "contacts", "Contacts", contacts.report);
	struct group_search groups = {member.id, report_table(group_columns, 1, "in no group")};
	report_attach(report, "groups", "Groups", groups.report);
	if (store_contact_each(ctl->store, member.id, show_contact, &contacts, err) < 0 ||
	    store_group_each(ctl->store, NULL, show_group, &groups, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

/* One event of the member's table, and its audit entry. */
static int move(
    struct ctl *ctl, const char *id, const char *event, const char *audit_event, struct err *err)
{
	struct member member;
	bool moved;
	if (find_member(ctl, id, &member, err) < 0 ||
	    store_member_move(ctl->store, id, event, &moved, err) < 0)
		return -1;
	if (!moved)
		return ctl_refuse(err, "member %s %s%s: this cannot be done to it now", id,
		    strcmp(member.state, "left") == 0 ? "" : "is ", member.state);
	return ctl_audit(ctl, audit_event, id, err, "%s", member.name);
}

static int run_suspend(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *id = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, move(ctl, id, "suspend", "member.suspend", err), err) < 0)
		return -1;
	ctl_say(
	    "Member %s is suspended: its contacts get nothing, and every receipt names them.", id);
	return 0;
}

static int run_resume(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *id = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, move(ctl, id, "resume", "member.resume", err), err) < 0)
		return -1;
	ctl_say("Member %s takes part again.", id);
	return 0;
}

struct removal {
	struct contact *contacts;
	size_t count;
};

static int collect_contact(void *context, const struct contact *contact, struct err *err)
{
	struct removal *removal = context;
	(void)err;
	removal->contacts =
	    reallocarray(removal->contacts, removal->count + 1, sizeof *removal->contacts);
	if (removal->contacts == NULL)
		abort();
	removal->contacts[removal->count++] = *contact;
	return 0;
}

/* The member leaves and its contacts with it, so that their certificates and addresses are free. */
static int remove_member(struct ctl *ctl, const char *id, struct removal *removal, struct err *err)
{
	if (move(ctl, id, "leave", "member.remove", err) < 0 ||
	    store_contact_each(ctl->store, id, collect_contact, removal, err) < 0)
		return -1;
	for (size_t i = 0; i < removal->count; i++)
		if (store_contact_remove(ctl->store, removal->contacts[i].id, err) < 0 ||
		    ctl_audit(ctl, "contact.remove", removal->contacts[i].address, err,
			"its member %s was removed", id) < 0)
			return -1;
	return 0;
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct removal removal = {0};
	const char *id = call->arguments[0];
	int status = -1;
	if (ctl_open_store(ctl, err) == 0 && store_begin(ctl->store, err) == 0)
		status = ctl_end(ctl, remove_member(ctl, id, &removal, err), err);
	if (status == 0)
		ctl_say(
		    "Member %s left, and %zu of its contacts with it; the record of them stays.",
		    id, removal.count);
	free(removal.contacts);
	return status;
}

const struct ctl_verb member_verbs[] = {
    {"add", "ID", 1, 1, false, add_options, "Adds a member",
	"ID is what audiences call it: lower-case letters, digits and hyphens, such as us-de.\n",
	run_add},
    {"invite", "ID", 1, 1, false, invite_options, "Invites an organisation with its first contact",
	"The daemon sends the invitation and the agreement, encrypted. The member takes part\n"
	"once the contact replies, signed, with \"accept\" as the first line.\n",
	invite_run},
    {"list", "", 0, 0, true, NULL, "Lists members", NULL, run_list},
    {"show", "ID", 1, 1, true, NULL, "Shows a member, its contacts and groups", NULL, run_show},
    {"suspend", "ID", 1, 1, false, NULL, "Sends a member nothing until it is resumed",
	"Its contacts stay in every audience and stand in the receipts as not reached.\n",
	run_suspend},
    {"resume", "ID", 1, 1, false, NULL, "Ends a suspension", NULL, run_resume},
    {"remove", "ID", 1, 1, false, NULL, "Takes a member out, with its contacts",
	"The record of them stays; the ID is not given again.\n", run_remove},
    {0},
};
