/* Why an answer does not count: a fixed set of reasons, and what becomes of each.
 *
 * Only a good signature proves who wrote a mail. Where there is one, the contact is told by mail, and
 * what to change. Where there is none, no mail goes because of it: it is said in the reminders that
 * go anyway. */
#ifndef DEWLINE_RULES_UNCOUNTED_H
#define DEWLINE_RULES_UNCOUNTED_H

#include <stdbool.h>

enum uncounted {
	UNCOUNTED_NOT, /* it counts */
	UNCOUNTED_UNREADABLE,
	UNCOUNTED_UNSIGNED,
	UNCOUNTED_UNKNOWN_KEY,
	UNCOUNTED_OTHER_KEY, /* than the pinned one */
	UNCOUNTED_BAD,
	UNCOUNTED_NO_TOKEN,
	UNCOUNTED_TOKEN_OUTSIDE, /* of what is signed */
	UNCOUNTED_TOKEN_ATTACHED, /* signed, and not in the text */
	UNCOUNTED_NOT_DELIVERED, /* its token is of what the contact was not sent */
	UNCOUNTED_AHEAD, /* signed by a clock ahead of ours */
	UNCOUNTED_BEFORE, /* the release */
	UNCOUNTED_WEAK,
	UNCOUNTED_MANY_SIGNATURES,
	UNCOUNTED_NESTED,
	UNCOUNTED_SIGNATURE_EXPIRED,
	UNCOUNTED_KEY_EXPIRED,
	UNCOUNTED_KEY_REVOKED,
	UNCOUNTED_KEY_RETIRED,
	UNCOUNTED_KEY_UNCONFIRMED,
	UNCOUNTEDS
};

/* Its name on record; "" for UNCOUNTED_NOT, and back, UNCOUNTED_NOT for what is no name. */
const char *uncounted_name(enum uncounted why);
enum uncounted uncounted_from(const char *name);
/* One clause for people, "it is not signed". */
const char *uncounted_text(enum uncounted why);
/* What to change: whole lines of at most 76. "" where a mail is never sent because of it. */
const char *uncounted_advice(enum uncounted why);
/* The same for a reminder, also where anybody could have written the mail; "" where it says nothing
 * of it. */
const char *uncounted_hint(enum uncounted why);
/* Whether a mail to the contact may be caused, once their signature has proven that they wrote it. */
bool uncounted_is_told(enum uncounted why);

#endif
