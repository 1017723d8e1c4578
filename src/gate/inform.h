/* Information back: a contact's report goes on to the publishers, a publisher's reply to the
 * contact, and the contact gets a receipt with the report's number. */
#ifndef DEWLINE_GATE_INFORM_H
#define DEWLINE_GATE_INFORM_H

#include "gate/open.h"
#include "store/people.h"

int inform_start(struct gate *gate, struct err *err);
void inform_stop(struct gate *gate);

/* `Report:` of a contact; takes over the facts. It must have come encrypted. TLP:RED goes to the
 * publisher of the advisory that it is about and to nobody else, all others to every publisher. */
void inform_report(struct mail_facts *facts, const struct contact *contact);

/* `Reply:` of a publisher who was sent the report; takes over the facts. */
void inform_reply(struct mail_facts *facts, const struct publisher *publisher);

/* A check of the schedule: makes the next receipt that is due to a contact. */
void inform_receipts(struct gate *gate, int64_t now);

#endif
