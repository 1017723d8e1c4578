/* The status word of an answer, as people and their mail programs write it. Pure.
 *
 * Careful on purpose: what says "affected" or "not affected" and may mean its contrary sets no
 * status. */
#ifndef DEWLINE_RULES_STATUS_H
#define DEWLINE_RULES_STATUS_H

#include <stdbool.h>

#include "base/buf.h"

/* What an answer means that says nothing else. */
extern const char status_unless_said[];

enum status_found {
	STATUS_NONE,
	STATUS_TAKEN,
	STATUS_DOUBTFUL, /* a status word, and something that turns it round or leaves it open */
};

/* Looks for a status word alone or before punctuation: white space of any kind, case, soft hyphens,
 * characters of no width, quotes, marks of bold type and a name before it ("Status: acting") do not
 * matter. `next` is the next line of the sender's own, which may
 * take back what a colon announces. Only of STATUS_TAKEN: *word is static; *rest is what stands
 * behind. */
enum status_found status_take(
    struct view line, struct view next, const char **word, struct view *rest);

/* A line without what may stand around its words: blanks, quotes, marks of bold type, and a full
 * stop or exclamation mark at its end. */
struct view status_bare(struct view line);

/* True for a line that only greets: "Hello,", "Sehr geehrte Damen und Herren,". */
bool status_is_greeting(struct view line);

#endif
