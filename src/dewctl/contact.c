/* dewctl contact ... */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "dewctl/approval.h"
#include "dewctl/find.h"
#include "dewctl/verbs.h"

enum { DEFAULT_RANK = 1 };

static const enum tlp default_clearance = TLP_AMBER;

static const char *check_clearance(struct view value)
{
	enum tlp tlp;
	return tlp_from(value, &tlp) ? NULL : "RED, AMBER+STRICT, AMBER, GREEN or CLEAR";
}

static const struct ctl_option add_options[] = {
    {"key", "FINGERPRINT", "the contact's certificate (dewctl key add)", NULL, true},
    {"name", "N", "the person's name", NULL, false},
    {"clearance", "TLP", "the highest label they get: AMBER unless given", check_clearance, false},
    {"rank", "N", "1 (the default) is the primary contact, then backups", ctl_check_count, false},
    {0},
};

static int add_contact(struct ctl *ctl, struct contact *contact, const char *key, struct err *err)
{
	struct member member;
	bool added;
	if (find_member(ctl, contact->member, &member, err) < 0)
		return -1;
	if (strcmp(member.state, "left") == 0)
		return ctl_refuse(err, "member %s left: add it under another ID first", member.id);
	if (find_free_certificate(
		ctl, key, contact->address, FIND_KEPT_MAIL, contact->fingerprint, err) < 0 ||
	    store_contact_add(ctl->store, contact, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err, "there is a contact %s already: see dewctl contact show %s",
		    contact->address, contact->address);
	return ctl_audit(ctl, "contact.add", contact->address, err, "%s, key %s, TLP:%s, rank %lld",
	    contact->member, contact->fingerprint, contact->clearance, (long long)contact->rank);
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = ctl_value(call, "name");
	const char *clearance = ctl_value(call, "clearance");
	enum tlp tlp = default_clearance;
	struct contact contact = {.added_at = ctl->now};
	if (check_new_address(ctl, call->arguments[1], err) < 0 ||
	    (name != NULL && check_name(name, err) < 0))
		return -1;
	if (clearance != NULL)
		tlp_from(view_of(clearance), &tlp);
	contact.rank = ctl_number(call, "rank", DEFAULT_RANK);
	snprintf(contact.member, sizeof contact.member, "%s", call->arguments[0]);
	snprintf(contact.address, sizeof contact.address, "%s", call->arguments[1]);
	snprintf(contact.name, sizeof contact.name, "%s", name != NULL ? name : "");
	snprintf(contact.clearance, sizeof contact.clearance, "%s", tlp_name(tlp));
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, add_contact(ctl, &contact, ctl_value(call, "key"), err), err) < 0)
		return -1;
	ctl_say("Contact %s added to %s, up to TLP:%s.", contact.address, contact.member,
	    contact.clearance);
	return 0;
}

static const struct report_column list_columns[] = {
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"rank", "RANK", REPORT_NUMBER},
    {"clearance", "CLEARANCE", REPORT_TEXT},
    {"fingerprint", NULL, REPORT_TEXT},
    {"added_at", NULL, REPORT_TIME},
    {"reachable", "REACHABLE", REPORT_FLAG},
    {"reason", "REASON", REPORT_TEXT},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int list_contact(void *context, const struct contact *contact, struct err *err)
{
	const struct list *list = context;
	struct report *report = list->report;
	char reason[STORE_REASON_SIZE];
	bool reachable;
	if (find_reach(list->ctl, contact, &reachable, reason, err) < 0)
		return -1;
	report_row(report);
	report_add_text(report, contact->member);
	report_add_text(report, contact->address);
	report_add_text(report, contact->name);
	report_add_number(report, contact->rank);
	report_add_text(report, contact->clearance);
	report_add_text(report, contact->fingerprint);
	report_add_time(report, contact->added_at);
	report_add_flag(report, reachable);
	report_add_text(report, reason);
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct member member;
	const char *of = call->arguments[0]; /* NULL: all */
	if (ctl_open_store(ctl, err) < 0 || (of != NULL && find_member(ctl, of, &member, err) < 0))
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no contacts yet: dewctl contact add MEMBER ADDRESS --key FINGERPRINT");
	if (store_contact_each(ctl->store, of, list_contact, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static const struct report_column show_columns[] = {
    {"address", "Address", REPORT_TEXT},
    {"name", "Name", REPORT_TEXT},
    {"member", "Member", REPORT_TEXT},
    {"rank", "Rank", REPORT_NUMBER},
    {"clearance", "Clearance", REPORT_TEXT},
    {"fingerprint", NULL, REPORT_TEXT},
    {NULL, "Key", REPORT_TEXT},
    {"key_state", "Key state", REPORT_TEXT},
    {"reachable", "Reachable today", REPORT_FLAG},
    {"reason", "Reason", REPORT_TEXT},
    {"added_at", "Added", REPORT_TIME},
};
static const struct report_column group_columns[] = {
    {"name", "NAME", REPORT_TEXT},
    {"entry", "THROUGH", REPORT_TEXT},
};

struct group_search {
	const struct contact *contact;
	struct report *report;
};

static int show_group(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	const struct group_search *search = context;
	const struct contact *contact = search->contact;
	(void)err;
	if (is_contact ? strcasecmp(entry, contact->address) == 0
		       : strcmp(entry, contact->member) == 0) {
		report_row(search->report);
		report_add_text(search->report, group);
		report_add_text(search->report, entry);
	}
	return 0;
}

static int fill_show(
    struct ctl *ctl, const struct contact *contact, struct report *report, struct err *err)
{
	struct certificate certificate;
	struct buf grouped = BUF_EMPTY(BUF_SMALL);
	char reason[STORE_REASON_SIZE];
	bool reachable;
	bool found;
	if (find_reach(ctl, contact, &reachable, reason, err) < 0 ||
	    store_certificate_get(ctl->store, contact->fingerprint, &certificate, &found, err) < 0)
		return -1;
	report_add_text(report, contact->address);
	report_add_text(report, contact->name);
	report_add_text(report, contact->member);
	report_add_number(report, contact->rank);
	report_add_text(report, contact->clearance);
	report_add_text(report, contact->fingerprint);
	find_group_fingerprint(contact->fingerprint, &grouped);
	report_add_view(report, buf_view(&grouped));
	buf_release(&grouped);
	report_add_text(report, found ? certificate.state : "missing");
	report_add_flag(report, reachable);
	report_add_text(report, reason);
	report_add_time(report, contact->added_at);
	struct group_search search = {
	    contact, report_table(group_columns, sizeof group_columns / sizeof group_columns[0],
			 "in no group")};
	report_attach(report, "groups", "Groups", search.report);
	return store_group_each(ctl->store, NULL, show_group, &search, err);
}

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct contact contact;
	if (ctl_open_store(ctl, err) < 0 ||
	    find_contact(ctl, call->arguments[0], &contact, err) < 0)
		return -1;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	if (fill_show(ctl, &contact, report, err) < 0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

static int remove_contact(
    struct ctl *ctl, const char *address, struct contact *contact, struct err *err)
{
	if (find_contact(ctl, address, contact, err) < 0 ||
	    store_contact_remove(ctl->store, contact->id, err) < 0)
		return -1;
	return ctl_audit(ctl, "contact.remove", contact->address, err, "%s", contact->member);
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct contact contact;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, remove_contact(ctl, call->arguments[0], &contact, err), err) < 0)
		return -1;
	ctl_say("Contact %s of %s is removed; the record stays.", contact.address, contact.member);
	return 0;
}

static const struct ctl_option rekey_options[] = {
    {"key", "FINGERPRINT", "the new certificate", NULL, true},
    {0},
};

static int run_rekey(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *key = ctl_value(call, "key");
	struct approval what = {.kind = "contact.rekey"};
	bool done;
	if (check_address(call->arguments[0], err) < 0 ||
	    find_fingerprint(&key, 1, what.fingerprint, err) < 0)
		return -1;
	snprintf(what.address, sizeof what.address, "%s", call->arguments[0]);
	if (ctl_open_store(ctl, err) < 0 || approval_act(ctl, &what, &done, err) < 0)
		return -1;
	if (done)
		ctl_say("Contact %s has the key %s now; the former one is retired.", what.address,
		    what.fingerprint);
	return 0;
}

const struct ctl_verb contact_verbs[] = {
    {"add", "MEMBER ADDRESS", 2, 2, false, add_options, "Adds a person to a member",
	"The certificate must be there (dewctl key add); nothing is sent before it is\n"
	"confirmed. One certificate serves one person.\n",
	run_add},
    {"list", "[MEMBER]", 0, 1, true, NULL, "Lists contacts, of one member or of all", NULL,
	run_list},
    {"show", "ADDRESS", 1, 1, true, NULL, "Shows a contact", NULL, run_show},
    {"rekey", "ADDRESS", 1, 1, false, rekey_options, "Gives a contact another key",
	"Check the whole fingerprint over another channel first: this confirms it. The former\n"
	"certificate is retired. See dewctl key pending list.\n",
	run_rekey},
    {"remove", "ADDRESS", 1, 1, false, NULL, "Takes a contact out",
	"The record stays, and so do acknowledgments. To change a contact's clearance, remove\n"
	"the contact and add it again: rank, groups and the signed agreement are then to be\n"
	"made anew. For another key use contact rekey, which keeps them.\n",
	run_remove},
    {0},
};
