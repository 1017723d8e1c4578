#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/pace.h"
#include "gate/people.h"
#include "rules/agreement.h"
#include "rules/reach.h"
#include "store/advisories.h"

/* Room for one more element at the end of an array. */
static void *room(void *array, size_t count, size_t *size, size_t element)
{
	if (count < *size)
		return array;
	*size = *size * 2 + 64;
	array = reallocarray(array, *size, element);
	if (array == NULL)
		abort();
	return array;
}

static int add_member(void *context, const struct member *member, struct err *err)
{
	struct snapshot *all = context;
	(void)err;
	all->members =
	    room(all->members, all->people.member_count, &all->member_room, sizeof *all->members);
	all->members[all->people.member_count++] = *member;
	return 0;
}

static int add_contact(void *context, const struct contact *contact, struct err *err)
{
	struct snapshot *all = context;
	(void)err;
	all->contacts = room(
	    all->contacts, all->people.contact_count, &all->contact_room, sizeof *all->contacts);
	all->contacts[all->people.contact_count++] = *contact;
	return 0;
}

static int add_entry(
    void *context, const char *group, const char *name, bool is_contact, struct err *err)
{
	struct snapshot *all = context;
	(void)err;
	all->entries =
	    room(all->entries, all->people.entry_count, &all->entry_room, sizeof *all->entries);
	struct group_entry *entry = &all->entries[all->people.entry_count++];
	snprintf(entry->group, sizeof entry->group, "%s", group);
	snprintf(entry->entry, sizeof entry->entry, "%s", name);
	entry->is_contact = is_contact;
	return 0;
}

int people_load(struct gate *gate, struct snapshot *out, struct err *err)
{
	memset(out, 0, sizeof *out);
	if (store_member_each(gate->store, add_member, out, err) != 0 ||
	    store_contact_each(gate->store, NULL, add_contact, out, err) != 0 ||
	    store_group_each(gate->store, NULL, add_entry, out, err) != 0) {
		people_release(out);
		return -1;
	}
	out->people.members = out->members;
	out->people.contacts = out->contacts;
	out->people.entries = out->entries;
	out->chosen = calloc(out->people.contact_count + 1, sizeof *out->chosen);
	if (out->chosen == NULL)
		abort();
	return 0;
}

void people_release(struct snapshot *snapshot)
{
	free(snapshot->members);
	free(snapshot->contacts);
	free(snapshot->entries);
	free(snapshot->chosen);
	memset(snapshot, 0, sizeof *snapshot);
}

struct reaching {
	struct gate *gate;
	struct snapshot *all;
};

static bool choose_by_id(struct snapshot *all, int64_t id)
{
	for (size_t i = 0; i < all->people.contact_count; i++) {
		if (all->contacts[i].id == id)
			return all->chosen[i] = true;
	}
	return false;
}

/* A contact that was removed and added again is the same person. */
static bool choose_by_address(struct snapshot *all, const char *address)
{
	for (size_t i = 0; i < all->people.contact_count; i++) {
		if (strcasecmp(all->contacts[i].address, address) == 0)
			return all->chosen[i] = true;
	}
	return false;
}

/* Who has an earlier revision and is a contact no more is not reached, but is named. */
static int choose_removed(struct snapshot *all, const struct contact *contact, struct err *err)
{
	if (add_contact(all, contact, err) != 0)
		return -1;
	const size_t count = all->people.contact_count;
	all->people.contacts = all->contacts;
	all->chosen = reallocarray(all->chosen, count + 1, sizeof *all->chosen);
	if (all->chosen == NULL)
		abort();
	all->chosen[count - 1] = true;
	return 0;
}

static int choose_reached(void *context, int64_t id, struct err *err)
{
	const struct reaching *reaching = context;
	struct contact contact;
	bool found;
	if (choose_by_id(reaching->all, id))
		return 0;
	if (store_contact_get(reaching->gate->store, id, &contact, &found, err) != 0)
		return -1;
	return !found || choose_by_address(reaching->all, contact.address)
		   ? 0
		   : choose_removed(reaching->all, &contact, err);
}

int people_add_reached(
    struct gate *gate, struct snapshot *snapshot, int64_t advisory, struct err *err)
{
	struct reaching reaching = {gate, snapshot};
	return store_advisory_reached(gate->store, advisory, choose_reached, &reaching, err);
}

int people_agreement(
    struct gate *gate, int64_t contact, char reason[static STORE_REASON_SIZE], struct err *err)
{
	struct agreement_standing standing;
	if (store_agreement_standing(gate->store, contact, &standing, err) != 0)
		return -1;
	agreement_suffices(&standing, gate_now(gate), reason);
	return 0;
}

static int fill(struct gate *gate, const struct snapshot *snapshot, const struct contact *contact,
    enum tlp label, struct view audience, struct delivery *delivery, struct err *err)
{
	struct certificate certificate;
	char agreement[STORE_REASON_SIZE];
	bool found;
	memset(delivery, 0, sizeof *delivery);
	delivery->contact = contact->id;
	snprintf(delivery->address, sizeof delivery->address, "%s", contact->address);
	snprintf(delivery->fingerprint, sizeof delivery->fingerprint, "%s", contact->fingerprint);
	if (store_certificate_get(gate->store, contact->fingerprint, &certificate, &found, err) !=
	    0)
		return -1;
	if (found)
		memcpy(
		    delivery->key_id, certificate.facts.encryption_key_id, sizeof delivery->key_id);
	if (people_agreement(gate, contact->id, agreement, err) != 0)
		return -1;
	const bool reached =
	    reach_contact(contact, people_member(&snapshot->people, contact->member),
		found ? &certificate : NULL, agreement, label, gate_now(gate), delivery->reason) &&
	    reach_named(label, audience, contact, delivery->reason);
	snprintf(delivery->state, sizeof delivery->state, "%s", reached ? "queued" : "failed");
	return 0;
}

int people_deliveries(struct gate *gate, const struct snapshot *snapshot, enum tlp label,
    struct view audience, struct delivery **out, size_t *count, struct err *err)
{
	*count = 0;
	*out = calloc(snapshot->people.contact_count + 1, sizeof **out);
	if (*out == NULL)
		abort();
	for (size_t i = 0; i < snapshot->people.contact_count; i++) {
		if (!snapshot->chosen[i])
			continue;
		if (fill(gate, snapshot, &snapshot->contacts[i], label, audience, &(*out)[*count],
			err) != 0) {
			free(*out);
			*out = NULL;
			return -1;
		}
		++*count;
	}
	return 0;
}
