/* The life of a key: when its owner is warned, and what a mail that brings a certificate may do. */
#ifndef DEWLINE_RULES_KEYLIFE_H
#define DEWLINE_RULES_KEYLIFE_H

#include "pgp/open.h"
#include "rules/block.h"
#include "rules/uncounted.h"
#include "store/certificates.h"

/* Days left at which the owner is warned; KEYLIFE_EXPIRED: none are. Each stage is a lower number
 * than those before it. */
enum {
	KEYLIFE_UNTOLD = 1000, /* nothing was said yet of this expiry */
	KEYLIFE_MONTH = 30,
	KEYLIFE_WEEK = 7,
	KEYLIFE_DAY = 1,
	KEYLIFE_EXPIRED = 0,
	KEYLIFE_HORIZON_S = KEYLIFE_MONTH * 86400,
};

/* The stage that a key which ends at `expires` (0: never) is in: the one with the fewest days that
 * holds, so that after an outage the latest alone is told; KEYLIFE_UNTOLD for none. */
int keylife_stage(int64_t expires, int64_t now);
/* Whether that stage is to be told now, when the last that was told is `told`. */
bool keylife_is_due(int64_t expires, int64_t now, int64_t told);

/* Whether the signature of a mail that begins "Key:" counts: as any other, and also when its key
 * had expired by what we know. Such a mail still proves that the sender holds the key. *expired
 * says that it is so: then only a renewal of that same key may be taken, which its own
 * self-signatures prove, and no other key. */
enum uncounted keylife_fault(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew, bool *expired);

/* Reads the control block: `Key: update` and nothing else. *text is what follows it. */
bool keylife_read(struct view signed_text, struct view *text, struct refusal *refusal);

/* Whether an attachment begins as a binary certificate does (RFC 9580 section 4.2). */
bool keylife_is_binary(struct view content);

#endif
