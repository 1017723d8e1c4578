/* dewctl member invite */
#include "config.h"

#include <string.h>

#include "dewctl/find.h"
#include "dewctl/membernew.h"
#include "store/agreements.h"

static const char *check_clearance(struct view value)
{
	enum tlp tlp;
	return tlp_from(value, &tlp) ? NULL : "RED, AMBER+STRICT, AMBER, GREEN or CLEAR";
}

const struct ctl_option invite_options[] = {
    {"name", "N", "the organisation's name", NULL, true},
    {"kind", "KIND", "national (the default), local or other", membernew_check_kind, false},
    {"parent", "ID", "the member that this one belongs to", NULL, false},
    {"contact", "ADDRESS", "who is asked: the member's first contact", NULL, true},
    {"key", "FINGERPRINT", "that contact's certificate (dewctl key add)", NULL, true},
    {"contact-name", "N", "the person's name", NULL, false},
    {"clearance", "TLP", "the highest label they get: AMBER unless given", check_clearance, false},
    {0},
};

static int read_contact(
    struct ctl *ctl, const struct ctl_call *call, struct contact *out, struct err *err)
{
	const char *name = ctl_value(call, "contact-name");
	const char *clearance = ctl_value(call, "clearance");
	enum tlp tlp = TLP_AMBER;
	*out = (struct contact){.added_at = ctl->now, .rank = 1};
	if (check_new_address(ctl, ctl_value(call, "contact"), err) < 0 ||
	    (name != NULL && check_name(name, err) < 0))
		return -1;
	if (clearance != NULL)
		tlp_from(view_of(clearance), &tlp);
	snprintf(out->member, sizeof out->member, "%s", call->arguments[0]);
	snprintf(out->address, sizeof out->address, "%s", ctl_value(call, "contact"));
	snprintf(out->name, sizeof out->name, "%s", name != NULL ? name : "");
	snprintf(out->clearance, sizeof out->clearance, "%s", tlp_name(tlp));
	return 0;
}

/* Whoever is invited is told what to agree to. */
static int need_agreement(struct ctl *ctl, struct err *err)
{
	struct agreement agreement;
	struct buf text = BUF_EMPTY(AGREEMENT_TEXT_MAX + 1);
	bool found;
	const int status = store_agreement_get(ctl->store, 0, &agreement, &text, &found, err);
	buf_release(&text);
	if (status == 0 && !found)
		return ctl_refuse(
		    err, "there is no agreement to sign yet: dewctl agreement publish FILE first");
	return status;
}

static int invite(struct ctl *ctl, const struct member *member, struct contact *contact,
    const char *key, struct err *err)
{
	bool added;
	if (need_agreement(ctl, err) < 0 || membernew_check(ctl, member, err) < 0 ||
	    store_member_invite(ctl->store, member, &added, err) < 0)
		return -1;
	if (!added)
		return membernew_refuse_taken(ctl, member, err);
	if (find_free_certificate(
		ctl, key, contact->address, FIND_KEPT_MAIL, contact->fingerprint, err) < 0 ||
	    store_contact_add(ctl->store, contact, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err, "there is a contact %s already: see dewctl contact show %s",
		    contact->address, contact->address);
	if (ctl_audit(ctl, "member.invite", member->id, err, "%s, %s%s%s", member->kind,
		member->name, member->parent[0] != '\0' ? ", part of " : "", member->parent) < 0)
		return -1;
	return ctl_audit(ctl, "contact.add", contact->address, err, "%s, key %s, TLP:%s, rank 1",
	    contact->member, contact->fingerprint, contact->clearance);
}

int invite_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct member member;
	struct contact contact;
	if (membernew_read(ctl, call, &member, err) < 0 ||
	    read_contact(ctl, call, &contact, err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, invite(ctl, &member, &contact, ctl_value(call, "key"), err), err) < 0)
		return -1;
	ctl_say("Member %s is invited: the daemon asks %s to sign the agreement.", member.id,
	    contact.address);
	return 0;
}
