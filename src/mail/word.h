/* Encoded words in header fields (RFC 2047), undone leniently: what is malformed stays as it is.
 *
 * Not libetpan's decoder, which takes quadratic time: a subject of 8 kB kept it busy for seconds.
 */
#ifndef DEWLINE_MAIL_WORD_H
#define DEWLINE_MAIL_WORD_H

#include "base/buf.h"

/* Appends an unfolded value as well-formed UTF-8, controls not taken out. Characters that were
 * split between two encoded words of one charset are joined; white space between two encoded words
 * goes (section 6.2). Takes time in proportion to the length. */
void word_decode(struct view text, struct buf *out);

#endif
