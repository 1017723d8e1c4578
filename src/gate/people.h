/* A snapshot of everybody, and the list of deliveries that an audience comes to. */
#ifndef DEWLINE_GATE_PEOPLE_H
#define DEWLINE_GATE_PEOPLE_H

#include "gate/context.h"
#include "rules/audience.h"
#include "store/messages.h"

struct snapshot {
	struct people people;
	struct member *members;
	struct contact *contacts;
	struct group_entry *entries;
	bool *chosen; /* one for each contact */
	size_t member_room, contact_room, entry_room;
};

int people_load(struct gate *gate, struct snapshot *out, struct err *err);
void people_release(struct snapshot *snapshot);

/* Chooses also all who were reached by an earlier revision of this advisory: by their address where
 * the contact was removed and added again; and those who are contacts no more join the snapshot, so
 * that they are named. */
int people_add_reached(
    struct gate *gate, struct snapshot *snapshot, int64_t advisory, struct err *err);

/* What the contact's signatures on the agreement lack today, for reach_contact; "" when they
 * suffice.
 */
int people_agreement(
    struct gate *gate, int64_t contact, char reason[static STORE_REASON_SIZE], struct err *err);

/* `audience` is what the publisher wrote: TLP:RED asks whether it names a contact.
 *
 * One delivery for each chosen contact: `queued`, or `failed` with the reason why that contact
 * cannot be reached. From malloc. */
int people_deliveries(struct gate *gate, const struct snapshot *snapshot, enum tlp label,
    struct view audience, struct delivery **out, size_t *count, struct err *err);

#endif
