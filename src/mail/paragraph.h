/* Wrapping text into lines for mail. */
#ifndef DEWLINE_MAIL_PARAGRAPH_H
#define DEWLINE_MAIL_PARAGRAPH_H

#include "base/buf.h"

enum { PARAGRAPH_WIDTH = 76 };

/* Appends UTF-8 `text` in lines of at most 76 characters. The first line begins with `lead`,
 * further ones with as many spaces. Line ends in the text are kept, control characters and those
 * that turn the direction of writing are not. A longer word stands whole on a line of its own.
 * Empty text appends nothing. */
void paragraph_add(struct buf *out, const char *lead, struct view text);

#endif
