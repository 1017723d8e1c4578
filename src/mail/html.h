/* HTML to text, for mail whose only text is HTML: markup off, line breaks kept, entities decoded.
 * Nothing is fetched, styled or run. */
#ifndef DEWLINE_MAIL_HTML_H
#define DEWLINE_MAIL_HTML_H

#include "base/buf.h"

/* Appends the text of well-formed UTF-8 `html`: UTF-8, LF, no runs of empty lines. One pass. */
void html_to_text(struct view html, struct buf *out);

#endif
