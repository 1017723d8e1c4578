/* What becomes of each certificate in a mail that begins "Key: update". */
#ifndef DEWLINE_RULES_KEYFATE_H
#define DEWLINE_RULES_KEYFATE_H

#include <stdbool.h>
#include <stddef.h>

#include "pgp/certificate.h"

enum keyfate {
	KEYFATE_REFUSED,
	KEYFATE_PASSED_OVER, /* the gateway's own */
	KEYFATE_UNCHANGED,
	KEYFATE_RENEWED,
	KEYFATE_KEPT, /* refused, but for what it revokes */
	KEYFATE_WAITS, /* a new key, for an admin */
	KEYFATE_CLOSED, /* its encryption subkey is revoked, and there is no other */
	KEYFATE_REVOKED,
};

/* One certificate of the mail, merged with what is known. */
struct keyfate_key {
	const struct certificate_verdict *verdict;
	bool own; /* of who signed the mail */
	bool gateways;
	bool barred; /* the store has something against it, which `reason` says already */
	enum keyfate fate;
	char reason[CERTIFICATE_REASON_SIZE]; /* of KEYFATE_REFUSED and KEYFATE_KEPT */
};

/* Decides for each. `vouches`: the signing key was live, so that it can vouch for a new one. Of new
 * keys one at most is taken: where several could be, none is. The result is what the mail comes to
 * as a whole: a revocation holds whatever else there is, then the new key, then the own one. */
enum keyfate keyfate_judge(struct keyfate_key *keys, size_t count, bool vouches);

#endif
