/* The count before parsing: what a mail may hold before anything looks at its meaning.
 *
 * Everything here works on raw bytes in one pass, so that a bomb costs no more than reading it.
 * tree.c asks before it goes on to the body of an entity; no header that fails here reaches
 * libetpan. */
#ifndef DEWLINE_MAIL_LIMITS_H
#define DEWLINE_MAIL_LIMITS_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "mail/reader.h"

enum {
	LIMITS_BOUNDARY = 70, /* characters (RFC 2046 section 5.1.1) */
};

/* The header of one entity, without the empty line behind it: bytes, fields, length of a line, NUL,
 * parentheses open at once. False, and a reason, when it is over a limit. */
bool limits_header(
    struct view header, const struct mail_limits *limits, char reason[static MAIL_REASON_SIZE]);

/* A boundary as it stands between its quotes: 1 to 70 printable ASCII characters, no quote, no
 * backslash, no space at its end. Wider than RFC 2046 only in the marks that mailers do use. */
bool limits_boundary(struct view boundary, char reason[static MAIL_REASON_SIZE]);

/* Writes a reason. Returns false always. */
bool limits_refuse(char reason[static MAIL_REASON_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
