/* The control block: the first lines of a publisher's signed text, `Name: value`, up to a blank
 * line. One table says which fields there are; anything else is refused with its line. */
#ifndef DEWLINE_RULES_CONTROL_H
#define DEWLINE_RULES_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "rules/refusal.h"
#include "rules/tlp.h"
#include "store/store.h"

enum { CONTROL_AUDIENCE_SIZE = 1024 };

enum control_act { CONTROL_NEW, CONTROL_BULLETIN, CONTROL_UPDATE, CONTROL_WITHDRAW };

struct control {
	enum control_act act;
	char number[STORE_NUMBER_SIZE]; /* of what is updated or withdrawn */
	bool has_tlp;
	enum tlp tlp;
	int tlp_line;
	char audience[CONTROL_AUDIENCE_SIZE]; /* "" when not given */
	int audience_line;
	int64_t acknowledge; /* seconds after release, 0: no deadline */
	int acknowledge_line;
	int64_t release; /* seconds since 1970, 0: now */
	int release_line;
	bool approval; /* asked for by the publisher */
	bool exercise;
	bool has_exercise;
	bool trace; /* every recipient gets a copy of its own */
	int trace_line;
	int exercise_line;
	char gateway[STORE_ADDRESS_SIZE]; /* whom it is for, "" when not given */
	int gateway_line;
	char title[MAIL_SUBJECT_SIZE]; /* "" when not given */
	int title_line;
	struct view text; /* what follows the blank line, a view into the input */
};

/* Reads the block. False with a refusal when anything in it is unknown, given twice or malformed.
 */
bool control_read(struct view text, struct control *out, struct refusal *refusal);

/* True for what mail programs put in the place of a Subject that they hide, and for none at all. */
bool control_is_no_title(struct view title);

/* True when it is for the gateway with this address: what a publisher signed for another one must
 * not be passed on here by whoever could open it there. `must`: it has to say so. Otherwise false
 * with a refusal. */
bool control_is_for(
    const struct control *control, const char *address, bool must, struct refusal *refusal);

/* True for what gets a number of its own: a new advisory or bulletin. */
bool control_is_first(const struct control *control);

#endif
