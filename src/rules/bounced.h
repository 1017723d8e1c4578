/* What a delivery status notification means for the delivery it is about. Pure. */
#ifndef DEWLINE_RULES_BOUNCED_H
#define DEWLINE_RULES_BOUNCED_H

#include "mail/entity.h"
#include "store/store.h"

/* The fewer of these a person has to look at, the better: so what is a failure is one also where
 * its reason cannot be read, and only what is known to be none is none. */
enum bounced {
	BOUNCED_NOTED, /* delivered, relayed, expanded, or delayed: it is still under way */
	BOUNCED_AUTOMATIC, /* a program answered for somebody: a vacation, a reading receipt */
	BOUNCED_WRITTEN, /* somebody known wrote, unsigned */
	BOUNCED_UNREADABLE, /* it came back, and nobody can read why */
	BOUNCED_GIVEN_UP, /* failed, but by what may pass: the address is not at fault */
	BOUNCED_FAILED, /* failed for good */
};

/* `known`: it says that it is from a contact, publisher or admin, as anybody can write. */
enum bounced bounced_judge(const struct mail_bounce *bounce, bool known);
/* True when the mail that it is about did not arrive. */
bool bounced_is_failure(enum bounced verdict);
/* "bounced", "given up", "unreadable", "auto-reply", "written", "noted": as the store has them. */
const char *bounced_name(enum bounced verdict);

/* "5.1.1: what the server said", or "came back, reason unreadable"; at most STORE_REASON_SIZE with
 * NUL. */
void bounced_reason(
    enum bounced verdict, const struct mail_bounce *bounce, char out[static STORE_REASON_SIZE]);

/* The audience "all", less what the given one takes away: who may get a mail in another's place. */
void bounced_may_replace(const char *audience, struct buf *out);

#endif
