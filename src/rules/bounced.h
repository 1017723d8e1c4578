/* What a delivery status notification means for the delivery it is about. Pure. */
#ifndef DEWLINE_RULES_BOUNCED_H
#define DEWLINE_RULES_BOUNCED_H

#include "mail/entity.h"
#include "store/store.h"

enum bounced {
	BOUNCED_NOTHING, /* delivered, relayed or expanded */
	BOUNCED_NOTED, /* delayed, or nothing that can be read */
	BOUNCED_GIVEN_UP, /* failed, but by what may pass: the address is not at fault */
	BOUNCED_FAILED, /* failed for good */
};

enum bounced bounced_judge(const struct mail_bounce *bounce);

/* "5.1.1: what the server said", at most STORE_REASON_SIZE with NUL. */
void bounced_reason(const struct mail_bounce *bounce, char out[static STORE_REASON_SIZE]);

/* The audience "all", less what the given one takes away: who may get a mail in another's place. */
void bounced_may_replace(const char *audience, struct buf *out);

#endif
