/* A control block in general: the first lines of a signed text, `Name: value`, up to a blank line.
 * What the names mean is the business of each kind of block. */
#ifndef DEWLINE_RULES_BLOCK_H
#define DEWLINE_RULES_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "rules/refusal.h"

enum { BLOCK_FIELDS_MAX = 16 };

struct block_field {
	struct view name;
	struct view value;
	int line; /* of the signed text, from 1 */
};

struct block {
	size_t count;
	struct block_field fields[BLOCK_FIELDS_MAX];
	struct view text; /* what follows the blank line, trimmed */
};

/* Views point into the text. False with a refusal when a line is not `Name: value`, a name stands
 * there twice, is none of `names` (which ends with NULL), or a value has a control character. */
bool block_read(
    struct view text, const char *const *names, struct block *out, struct refusal *refusal);

/* The field of this name, or NULL. */
const struct block_field *block_find(const struct block *block, const char *name);

/* The first line's name when the text begins with a line `Name: value`, else an empty view. */
struct view block_first_name(struct view text);

#endif
