/* Who a mail says it is from, by its unsigned header. Anybody can write that: it decides in which
 * order mails are looked at, and nothing else. */
#ifndef DEWLINE_GATE_CLAIM_H
#define DEWLINE_GATE_CLAIM_H

#include "gate/context.h"
#include "store/people.h"

enum {
	CLAIM_HEAD = 16 * 1024, /* bytes of a mail that are looked at */
	CLAIM_NOBODY = 0, /* the sender of all that claims to be from nobody here */
};

/* The address in the first From field of these bytes, or an empty view. Pure, in one pass. */
struct view claim_address(struct view head);

/* The same of an arrival, "" where there is none; and the contact who has that address. */
int claim_of_arrival(struct gate *gate, int64_t arrival, char address[static STORE_ADDRESS_SIZE],
    struct contact *contact, bool *found, struct err *err);

/* The address that an arrival says it is from, where a contact, publisher or admin has it; else "". */
int claim_known(struct gate *gate, int64_t arrival, char address[static STORE_ADDRESS_SIZE],
    struct err *err);

/* A number for the contact, publisher or admin with that address, or CLAIM_NOBODY. */
int claim_sender(struct gate *gate, struct view head, int64_t *sender, struct err *err);

/* Whether these bytes name a return path that only the gateway can make, as what comes back to it does:
 * with that address. */
bool claim_returns(const struct gate *gate, struct view head, char address[static STORE_ADDRESS_SIZE]);

#endif
