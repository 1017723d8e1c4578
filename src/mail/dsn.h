/* Delivery status notifications (RFC 3464), and mail that says the same in less order. */
#ifndef DEWLINE_MAIL_DSN_H
#define DEWLINE_MAIL_DSN_H

#include "mail/entity.h"
#include "mail/reader.h"
#include "mail/tree.h"

/* From a part of type message/delivery-status, wherever it stands; of several recipients the one
 * that fared worst. Failing that, from lines `Action:` and `Status:` in the first text of the mail,
 * which count only together. All empty when there is nothing of the kind. */
void dsn_read(const struct tree *tree, const struct mail_limits *limits, struct mail_bounce *out);

/* The addresses in the fields that say whom the mail was delivered to; those beyond
 * MAIL_ADDRESSES_MAX are passed over, and fields that MTAs write come before To. */
void dsn_read_addresses(struct view header, struct mail_outline *out);

#endif
