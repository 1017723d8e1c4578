#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/entitle.h"
#include "gate/pace.h"
#include "gate/people.h"
#include "rules/reach.h"
#include "store/advisories.h"
#include "store/audit.h"
#include "store/inform.h"
#include "store/people.h"

/* What decides besides the recipient. */
struct entitlement {
	bool is_advisory; /* a revision of one: its audience says whom it names */
	bool is_labelled; /* else a notice, which needs neither clearance nor membership */
	enum tlp label;
	struct revision revision; /* when is_advisory */
	int64_t now; /* 0: expiries do not matter */
};

/* The label of the message's revision, when it is one, or of what else has one. */
static int find_label(
    struct gate *gate, int64_t message, struct entitlement *entitlement, struct err *err)
{
	struct revision *revision = &entitlement->revision;
	bool *labelled = &entitlement->is_labelled;
	if (store_revision_by_message(
		gate->store, message, revision, &entitlement->is_advisory, err) != 0)
		return -1;
	*labelled = entitlement->is_advisory;
	if (!*labelled && store_label_get(gate->store, message, revision->tlp, labelled, err) != 0)
		return -1;
	if (*labelled && !tlp_from(view_of(revision->tlp), &entitlement->label))
		return err_set(err, ERR_DAEMON, ERR_NEVER, "a message with the TLP label \"%s\"",
		    revision->tlp);
	return 0;
}

static int judge_contact(struct gate *gate, const struct entitlement *entitlement,
    const struct delivery *delivery, const struct certificate *certificate, bool *may,
    char reason[static STORE_REASON_SIZE], struct err *err)
{
	struct contact contact;
	struct member member;
	char agreement[STORE_REASON_SIZE];
	bool found;
	if (store_contact_get(gate->store, delivery->contact, &contact, &found, err) != 0 ||
	    (found && store_member_get(gate->store, contact.member, &member, &found, err) != 0) ||
	    people_agreement(gate, delivery->contact, agreement, err) != 0)
		return -1;
	if (found && entitlement->is_labelled)
		*may = reach_contact(&contact, &member, certificate, agreement,
			   entitlement->label, entitlement->now, reason) &&
		       (!entitlement->is_advisory ||
			   reach_named(entitlement->label,
			       view_of(entitlement->revision.audience), &contact, reason));
	else
		*may = found && reach_notice(&contact, certificate, entitlement->now, reason);
	if (!found)
		snprintf(reason, STORE_REASON_SIZE, "the contact is not known any more");
	return 0;
}

static int judge_publisher(struct gate *gate, const struct entitlement *entitlement,
    const struct delivery *delivery, const struct certificate *certificate, bool *may,
    char reason[static STORE_REASON_SIZE], struct err *err)
{
	struct publisher publisher;
	bool found;
	if (store_publisher_get(gate->store, delivery->publisher, &publisher, &found, err) != 0)
		return -1;
	*may = found && reach_publisher(&publisher, certificate, entitlement->now, reason);
	if (!found)
		snprintf(reason, STORE_REASON_SIZE, "the publisher is not known any more");
	return 0;
}

static int judge(struct gate *gate, const struct entitlement *entitlement,
    const struct delivery *delivery, bool *may, char reason[static STORE_REASON_SIZE],
    struct err *err)
{
	struct certificate certificate;
	bool found;
	if (store_certificate_get(gate->store, delivery->fingerprint, &certificate, &found, err) !=
	    0)
		return -1;
	const struct certificate *pinned = found ? &certificate : NULL;
	return delivery->contact != 0
		   ? judge_contact(gate, entitlement, delivery, pinned, may, reason, err)
		   : judge_publisher(gate, entitlement, delivery, pinned, may, reason, err);
}

int entitle_exclude(
    struct gate *gate, const struct delivery *delivery, const char *reason, struct err *err)
{
	char label[STORE_NAME_SIZE];
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	if (gate_label(gate, delivery->message, label, err) != 0 ||
	    store_delivery_move(
		gate->store, delivery->id, "exclude", reason, 0, clock_now(), false, err) != 0)
		return -1;
	log_warning("%s: %s is not reached: %s", label, delivery->address, reason);
	snprintf(subject, sizeof subject, "%s %s", label, delivery->address);
	return store_audit_add(
	    gate->store, clock_now(), "gate", "delivery.excluded", subject, err, "%s", reason);
}

/* The transaction is begun for the first who is taken out: mostly there is nobody. */
static int check_all(struct gate *gate, const struct entitlement *entitlement,
    const struct delivery *deliveries, size_t count, bool *may, bool *begun, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		char reason[STORE_REASON_SIZE];
		if (judge(gate, entitlement, &deliveries[i], &may[i], reason, err) != 0)
			return -1;
		if (may[i])
			continue;
		if (!*begun && store_begin(gate->store, err) != 0)
			return -1;
		*begun = true;
		if (entitle_exclude(gate, &deliveries[i], reason, err) != 0)
			return -1;
	}
	return *begun ? store_commit(gate->store, err) : 0;
}

int entitle_check(struct gate *gate, enum entitle_step step, const struct delivery *deliveries,
    size_t count, bool *may, struct err *err)
{
	struct entitlement entitlement = {.now = step == ENTITLE_SEALING ? gate_now(gate) : 0};
	bool begun = false;
	if (count == 0)
		return 0;
	if (find_label(gate, deliveries[0].message, &entitlement, err) != 0 ||
	    check_all(gate, &entitlement, deliveries, count, may, &begun, err) != 0) {
		store_rollback(gate->store);
		return -1;
	}
	if (begun)
		gate->want_account = true;
	return 0;
}
