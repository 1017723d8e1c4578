/* Why something that a person wrote is refused as a whole. */
#ifndef DEWLINE_RULES_REFUSAL_H
#define DEWLINE_RULES_REFUSAL_H

#include <stdbool.h>

#include "base/buf.h"

/* The line of the signed text (from 1, 0: none in particular) and one sentence for people. */
struct refusal {
	int line;
	char text[512];
};

/* Fills a refusal; control characters and ill-formed UTF-8 in what it quotes are made visible.
 * Returns false always. */
bool refuse(struct refusal *refusal, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What people may get wrong is quoted back to them with "%.*s", but not at length. */
int refusal_shown(struct view value);

#endif
