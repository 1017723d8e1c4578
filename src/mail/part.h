/* One part of a mail as people see it: its type, its content decoded, its text, its Subject. */
#ifndef DEWLINE_MAIL_PART_H
#define DEWLINE_MAIL_PART_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "mail/field.h"
#include "mail/tree.h"

/* Its Content-Type with the parameters (RFC 2045 section 5); an empty word when there is none. */
void part_type(const struct tree_entity *entity, struct field_structured *out);
/* True when its Content-Type has that parameter with that value, ASCII case ignored. */
bool part_type_is(const struct tree_entity *entity, const char *name, const char *value);

/* Appends the body, decoded as its Content-Transfer-Encoding says. */
void part_decode(const struct tree_entity *entity, struct buf *out);

/* Appends the text of a text part: transfer encoding and charset undone, format=flowed too, LF; of
 * text/html with its markup taken off. */
void part_text(const struct tree_entity *entity, struct buf *out);

/* The first Subject, as one line of UTF-8. False when there is none. */
bool part_subject(struct view header, char out[static MAIL_SUBJECT_SIZE]);

#endif
