/* Refusals that are alike, but for the recipient that they name.
 *
 * That one address is not there is about that address. The same words for addresses that have
 * nothing to do with each other are about whoever sends: a smarthost that lost its list of
 * recipients says of everybody that there is no such user. */
#ifndef DEWLINE_RULES_ALIKE_H
#define DEWLINE_RULES_ALIKE_H

#include <stdbool.h>

#include "base/buf.h"

struct refused_one {
	struct view address; /* of the recipient */
	struct view said; /* the reply: code, enhanced code and text */
};

/* The same reply for addresses of two domains. What differs from one mail to the next does not
 * count: addresses, and words that hold the recipient's name or domain or (behind the codes) a
 * digit, such as a time or the name of a queue file. Two of one domain may well be gone together. */
bool alike_refused(const struct refused_one *a, const struct refused_one *b);

#endif
