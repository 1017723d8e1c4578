/* Header fields: cutting them apart, structured values with parameters, unstructured text.
 *
 * Only for headers that limits_header let pass. */
#ifndef DEWLINE_MAIL_FIELD_H
#define DEWLINE_MAIL_FIELD_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"

enum { FIELD_PARAMETERS_MAX = 64 };

/* Cuts the next field off *rest: its name, and its value still folded, without the last line end.
 * Lines that are no field are passed over. False when there is none. */
bool field_next(struct view *rest, struct view *name, struct view *value);

/* The first field of that name. False, and an empty value, when there is none. */
bool field_find(struct view header, const char *name, struct view *value);
/* How many fields of that name. */
size_t field_count(struct view header, const char *name);

/* A value such as `text/plain; charset=utf-8` (RFC 2045 section 5.1). */
struct field_parameter {
	struct view name;
	struct view value; /* raw; between its quotes when quoted */
	bool quoted;
};
struct field_structured {
	char word[MAIL_TYPE_SIZE]; /* what stands before the first ";", lower case, comments dropped
				    */
	struct field_parameter parameters[FIELD_PARAMETERS_MAX];
	size_t count;
};
void field_structure(struct view value, struct field_structured *out);
/* Appends a parameter's value to `out`: quoting, continuations and charset (RFC 2231) undone,
 * encoded words decoded too, since mailers put them there; UTF-8. False when there is none. */
bool field_parameter(const struct field_structured *field, const char *name, struct buf *out);
/* True when the parameter is there and equals `value`, ASCII case ignored. */
bool field_parameter_is(const struct field_structured *field, const char *name, const char *value);

/* Appends an unstructured value as one line of UTF-8: unfolded, encoded words decoded (RFC 2047),
 * control characters as spaces. */
void field_text(struct view value, struct buf *out);

/* True when the header says that no person wrote this (RFC 3834 section 5, and what others use). */
bool field_automatic(struct view header);

#endif
