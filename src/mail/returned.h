/* Mail that came back and is no report by its type, or no sound mail at all: what its header and
 * its plain words say. Nothing is guessed: what no known form says is left empty. */
#ifndef DEWLINE_MAIL_RETURNED_H
#define DEWLINE_MAIL_RETURNED_H

#include "mail/entity.h"

/* Fills `writer`. */
void returned_read_header(struct view header, struct mail_bounce *out);

/* From a mail's text, UTF-8: `lines`; and if `action` is still empty, action, status, recipient and
 * diagnostic, as qmail and Exim say them, as lines `Action:` and `Status:` together do, or as an
 * SMTP reply in it says ("550 5.1.1 ..."). Looks no further than where the copy of a mail begins.
 * Fill `writer` first. */
void returned_read_text(struct view text, struct mail_bounce *out);

/* "5.1.1" (RFC 3463 section 2) at the front of a value; "" when there is none. */
void returned_status(struct view value, char *out, size_t size);
/* "failed" and its like (RFC 3464 section 2.3.3) at the front of a value, whatever stands behind
 * it: 0 the worst; RETURNED_ACTIONS when it is none. */
size_t returned_action(struct view value);
enum { RETURNED_ACTIONS = 5 };
const char *returned_action_name(size_t action);
/* The enhanced status behind the code of an SMTP reply, "550 5.1.1 ..." (RFC 2034), wherever in the
 * value the reply begins; *at is that place. False when there is none. */
bool returned_find_reply(struct view value, size_t *at, char *status, size_t size);
/* One line that a terminal can show, cut at a whole character. */
void returned_shown(struct view value, char *out, size_t size);

#endif
