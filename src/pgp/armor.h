/* ASCII armor (RFC 9580 section 6) taken off by ourselves, strictly.
 *
 * gpg's own armor reader passes over text around a block, cuts long lines and joins several blocks,
 * so that what it verified need not be what a person saw. It is given packets only. */
#ifndef DEWLINE_PGP_ARMOR_H
#define DEWLINE_PGP_ARMOR_H

#include <stdbool.h>

#include "base/buf.h"

/* True when the first line that is not blank begins an armored block of any kind. */
bool armor_is(struct view text);

/* Appends the content of the one armored block of `kind` ("PGP MESSAGE") that `text` is, with
 * nothing but white space around it. False when it is anything else; *why says what, in words that
 * continue "it ...". */
bool armor_decode(struct view text, const char *kind, struct buf *out, const char **why);

#endif
