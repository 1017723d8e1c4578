/* States that are kept as a value of lines: a number or a text in each. */
#ifndef DEWLINE_STORE_LINES_H
#define DEWLINE_STORE_LINES_H

#include "store/store.h"

/* Takes the next line off `rest`: its number, 0 where there is none. */
int64_t lines_next_number(struct view *rest);
/* Likewise its text, "" where there is none; cut where it does not fit. */
void lines_next_text(struct view *rest, char out[static STORE_REASON_SIZE]);
/* Appends a text as one line, without control characters. */
void lines_add_text(struct buf *out, const char *text);

#endif
