/* Delivery status notifications (RFC 3464), and mail that says the same in less order. */
#ifndef DEWLINE_MAIL_DSN_H
#define DEWLINE_MAIL_DSN_H

#include "mail/entity.h"
#include "mail/reader.h"
#include "mail/tree.h"

/* From a part of type message/delivery-status, wherever it stands; of several recipients the one
 * that fared worst. Failing that, from the words of the mail's text (returned.h). All empty when
 * there is nothing of the kind. */
void dsn_read(const struct tree *tree, const struct mail_limits *limits, struct mail_bounce *out);

/* The same of a mail that is over a limit or no sound MIME, with its addresses: its bytes are
 * looked at as one text. */
void dsn_read_unsound(struct view raw, const struct mail_limits *limits, struct mail_outline *out);

/* The addresses in the fields that say whom the mail was delivered to; those beyond
 * MAIL_ADDRESSES_MAX are passed over, and fields that MTAs write come before To. */
void dsn_read_addresses(struct view header, struct mail_outline *out);

#endif
