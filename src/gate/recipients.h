/* Whom a message goes to, when it goes to single people: one delivery each, `queued`, or `failed`
 * with the reason why that person cannot be reached now. */
#ifndef DEWLINE_GATE_RECIPIENTS_H
#define DEWLINE_GATE_RECIPIENTS_H

#include "gate/context.h"
#include "rules/tlp.h"
#include "store/messages.h"

/* From malloc, for struct outgoing. Empty it with recipients_release only if it was not handed
 * over. */
struct recipients {
	struct delivery *deliveries;
	size_t count;
	size_t room;
};

/* A publisher or an admin, by id. */
int recipients_add_publisher(
    struct gate *gate, struct recipients *recipients, int64_t publisher, struct err *err);
/* Every publisher but `except` (0: none). */
int recipients_add_publishers(
    struct gate *gate, struct recipients *recipients, int64_t except, struct err *err);
/* Every admin, for alarms. */
int recipients_add_admins(struct gate *gate, struct recipients *recipients, struct err *err);
/* A contact, for what only those may have who may have an advisory with this label. */
int recipients_add_reader(struct gate *gate, struct recipients *recipients, int64_t contact,
    enum tlp label, struct err *err);
/* A contact, for a notice that is no advisory: no clearance is asked for, and neither an agreement
 * nor an active member; only a certificate that can be sealed for. */
int recipients_add_contact(
    struct gate *gate, struct recipients *recipients, int64_t contact, struct err *err);
/* Takes out whoever has this address, ASCII case ignored. */
void recipients_remove(struct recipients *recipients, struct view address);
void recipients_release(struct recipients *recipients);

#endif
