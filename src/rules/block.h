/* A control block in general: the first lines of a signed text, `Name: value`. What the names mean
 * is the business of each kind of block.
 *
 * Whoever writes a field is obeyed or told, never passed over, so this reads what mail programs
 * make of a block: blanks of every kind, empty lines between the fields, bold type (*TLP:* RED),
 * and values that go on in the next line. The block ends at the first line behind an empty one that
 * is no field; in the lines that follow nothing may look like one. */
#ifndef DEWLINE_RULES_BLOCK_H
#define DEWLINE_RULES_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "rules/refusal.h"

enum {
	BLOCK_FIELDS_MAX = 16,
	BLOCK_VALUES_SIZE = 4096, /* bytes of all values */
	BLOCK_TEXT_LINES =
	    20, /* of the text, empty ones not counted, that must not look like a field */
};

struct block_field {
	const char *name; /* as in the `names` that were given */
	struct view value; /* one line: blanks are spaces, what cannot be seen is left out */
	int line; /* of the signed text, from 1 */
	bool apart; /* behind an empty line */
};

/* Values are views into `values`: a block is not copied, and lives as long as they are used. */
struct block {
	size_t count;
	struct block_field fields[BLOCK_FIELDS_MAX];
	struct view text; /* what follows, trimmed: a view into the input */
	size_t used;
	char values[BLOCK_VALUES_SIZE];
};

/* Reads the block. `names` ends with NULL. False with a refusal when
 * - a line up to the first empty one is neither `Name: value` nor the rest of a wrapped value;
 * - a name is none of `names`, or stands there twice;
 * - a value has a control character, or all are too long;
 * - in the block or right behind it stands a field of another kind of block, a name that is nearly
 *   one, or an item of a list that would be a field without its mark;
 * - one of the text's first BLOCK_TEXT_LINES lines has one of `names` and a colon at its beginning.
 *   It may be indented further than the block, or say again what the block says. */
bool block_read(
    struct view text, const char *const *names, struct block *out, struct refusal *refusal);

/* The field of this name, or NULL. */
const struct block_field *block_find(const struct block *block, const char *name);

/* For a field whose value was refused: where an empty line stands before it, it may have been meant
 * as text, and the refusal then says how to write it. Returns false. */
bool block_refused(const struct block_field *field, struct refusal *refusal);

/* The first line's name when the text begins with a line `Name: value`, else an empty view. */
struct view block_first_name(struct view text);

#endif
