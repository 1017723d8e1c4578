/* Refusals that would be final, held against each other before they are believed.
 *
 * A smarthost that lost its list of recipients, or knows none of ours, says "no such user" of
 * everybody. What it says alike of recipients who have nothing to do with each other, while it takes
 * no mail at all, is about the gateway. What is remembered here ends with the first mail that it
 * takes, and with the process: then a refusal is believed again. */
#ifndef DEWLINE_GATE_REFUSALS_H
#define DEWLINE_GATE_REFUSALS_H

#include <stdbool.h>

#include "store/messages.h"

struct refusals;

struct refusals *refusals_new(void);
void refusals_free(struct refusals *refusals);

/* What the smarthost said of a delivery. Beyond a limit nothing more is remembered: what is alike
 * is known by then. */
void refusals_add(struct refusals *refusals, const struct delivery *delivery, const char *said);
/* A mail was taken. */
void refusals_forget(struct refusals *refusals);

/* Whether others were refused alike since the last mail that was taken. */
bool refusals_are_alike(
    const struct refusals *refusals, const struct delivery *delivery, const char *said);
/* It was believed, and the delivery has failed. */
void refusals_believe(struct refusals *refusals, int64_t delivery);
/* One that was believed too early, as another was refused alike since; each is given once. NULL:
 * none. The delivery is as it was when it was added. */
const struct delivery *refusals_take_back(struct refusals *refusals);

#endif
