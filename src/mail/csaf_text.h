/* Looking into a CSAF document, and writing it as text for people.
 *
 * Only csaf.c includes this: no other file knows Jansson. */
#ifndef DEWLINE_MAIL_CSAF_TEXT_H
#define DEWLINE_MAIL_CSAF_TEXT_H

#include <jansson.h>

#include "base/buf.h"
#include "mail/entity.h"

/* A member of an object; NULL when there is none or `object` is NULL or no object. */
const json_t *csaf_member(const json_t *object, const char *name);
/* A member that is a string; "" otherwise. */
const char *csaf_string(const json_t *object, const char *name);

/* "CRITICAL", "HIGH"...: of the highest CVSS base score among the vulnerabilities, "" when none. */
const char *csaf_highest_severity(const json_t *root);

/* Appends the document as text: UTF-8, LF, wrapped at 76 but for single longer words such as the
 * addresses of pages; bounded, with a note where the attachment has more. */
void csaf_render(const json_t *root, const struct csaf_facts *facts, struct buf *out);

#endif
