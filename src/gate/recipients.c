#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/pace.h"
#include "gate/people.h"
#include "gate/recipients.h"
#include "rules/reach.h"

static struct delivery *add(struct recipients *recipients)
{
	if (recipients->count == recipients->room) {
		recipients->room = recipients->room * 2 + 4;
		recipients->deliveries = reallocarray(
		    recipients->deliveries, recipients->room, sizeof *recipients->deliveries);
		if (recipients->deliveries == NULL)
			abort();
	}
	struct delivery *delivery = &recipients->deliveries[recipients->count++];
	memset(delivery, 0, sizeof *delivery);
	return delivery;
}

/* Who it is and the key to seal for. *certificate is filled when *found. */
static int fill(struct gate *gate, struct delivery *delivery, const char *address,
    const char *fingerprint, struct certificate *certificate, bool *found, struct err *err)
{
	snprintf(delivery->address, sizeof delivery->address, "%s", address);
	snprintf(delivery->fingerprint, sizeof delivery->fingerprint, "%s", fingerprint);
	if (store_certificate_get(gate->store, fingerprint, certificate, found, err) != 0)
		return -1;
	if (*found)
		memcpy(delivery->key_id, certificate->facts.encryption_key_id,
		    sizeof delivery->key_id);
	return 0;
}

static void conclude(struct delivery *delivery, bool reached)
{
	snprintf(delivery->state, sizeof delivery->state, "%s", reached ? "queued" : "failed");
}

static int add_one(struct gate *gate, struct recipients *recipients,
    const struct publisher *publisher, struct err *err)
{
	struct delivery *delivery = add(recipients);
	struct certificate certificate;
	bool found;
	delivery->publisher = publisher->id;
	if (fill(gate, delivery, publisher->address, publisher->fingerprint, &certificate, &found,
		err) != 0)
		return -1;
	conclude(delivery,
	    reach_publisher(publisher, found ? &certificate : NULL, gate_now(gate), delivery->reason));
	return 0;
}

int recipients_add_publisher(
    struct gate *gate, struct recipients *recipients, int64_t id, struct err *err)
{
	struct publisher publisher;
	bool found;
	if (store_publisher_get(gate->store, id, &publisher, &found, err) != 0)
		return -1;
	return found ? add_one(gate, recipients, &publisher, err) : 0;
}

struct adding {
	struct gate *gate;
	struct recipients *recipients;
	int64_t except;
};

static int add_other(void *context, const struct publisher *publisher, struct err *err)
{
	const struct adding *adding = context;
	return publisher->id == adding->except
		   ? 0
		   : add_one(adding->gate, adding->recipients, publisher, err);
}

int recipients_add_publishers(
    struct gate *gate, struct recipients *recipients, int64_t except, struct err *err)
{
	struct adding adding = {gate, recipients, except};
	return store_publisher_each(gate->store, add_other, &adding, err);
}

int recipients_add_admins(struct gate *gate, struct recipients *recipients, struct err *err)
{
	struct adding adding = {gate, recipients, 0};
	return store_admin_each(gate->store, add_other, &adding, err);
}

/* label NULL: a notice. */
static int add_contact(struct gate *gate, struct recipients *recipients, int64_t id,
    const enum tlp *label, struct err *err)
{
	struct contact contact;
	struct member member;
	struct certificate certificate;
	char agreement[STORE_REASON_SIZE] = "";
	bool found;
	if (store_contact_get(gate->store, id, &contact, &found, err) != 0 ||
	    (found && store_member_get(gate->store, contact.member, &member, &found, err) != 0))
		return -1;
	if (!found)
		return 0;
	struct delivery *delivery = add(recipients);
	delivery->contact = id;
	if (fill(gate, delivery, contact.address, contact.fingerprint, &certificate, &found, err) !=
	    0)
		return -1;
	const struct certificate *pinned = found ? &certificate : NULL;
	if (label != NULL && people_agreement(gate, id, agreement, err) != 0)
		return -1;
	conclude(delivery, label != NULL
			       ? reach_contact(&contact, &member, pinned, agreement, *label,
				     gate_now(gate), delivery->reason)
			       : reach_notice(&contact, pinned, gate_now(gate), delivery->reason));
	return 0;
}

int recipients_add_reader(struct gate *gate, struct recipients *recipients, int64_t contact,
    enum tlp label, struct err *err)
{
	return add_contact(gate, recipients, contact, &label, err);
}

int recipients_add_contact(
    struct gate *gate, struct recipients *recipients, int64_t contact, struct err *err)
{
	return add_contact(gate, recipients, contact, NULL, err);
}

void recipients_remove(struct recipients *recipients, struct view address)
{
	size_t kept = 0;
	for (size_t i = 0; i < recipients->count; i++)
		if (!view_is_nocase(address, recipients->deliveries[i].address))
			recipients->deliveries[kept++] = recipients->deliveries[i];
	recipients->count = kept;
}

void recipients_release(struct recipients *recipients)
{
	free(recipients->deliveries);
	*recipients = (struct recipients){0};
}
