/* Tokens that travelled in the open: whatever in a mail can be read by whoever carries it. */
#ifndef DEWLINE_MAIL_EXPOSED_H
#define DEWLINE_MAIL_EXPOSED_H

#include "mail/reader.h"
#include "mail/token.h"
#include "mail/tree.h"

/* Adds the tokens in every part of the mail, its transfer encoding, charset and markup undone, and
 * in the mails that are attached to it. What is encrypted shows none. */
void exposed_find(
    const struct tree *tree, const struct mail_limits *limits, struct token_list *list);

#endif
