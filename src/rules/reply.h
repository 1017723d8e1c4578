/* Reading an acknowledgment: the tokens in it, the status word, the comment.
 *
 * The input is what a signature covers and nothing else. */
#ifndef DEWLINE_RULES_REPLY_H
#define DEWLINE_RULES_REPLY_H

#include "base/buf.h"
#include "mail/token.h"
#include "store/advisories.h"

enum { REPLY_STATUS_SIZE = 16, REPLY_COMMENT_MAX = 16 * 1024 };

struct reply {
	struct token_list tokens; /* what has the form of one; as the gateway writes them first */
	char status[REPLY_STATUS_SIZE]; /* received, affected, not affected, acting, unreadable */
	struct buf comment; /* without quoted text; released by the caller */
};

/* The first line of the sender's own sets the status when it is a status word, alone or before
 * punctuation (status.h); a greeting before it is passed over. Otherwise the status is `received`.
 * Quoted lines (quoting.h), the line that introduces them and the sender's signature block count
 * for tokens only. The tokens of the subject come first. Takes time in proportion to the text's
 * length, whatever it holds. */
void reply_read(struct view text, struct view subject, struct reply *out);

/* The same of a cleartext signature's text, whose lines have lost the white space at their ends:
 * "--" is what begins the signature block. */
void reply_read_cleartext(struct view text, struct view subject, struct reply *out);

#endif
