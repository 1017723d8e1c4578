#include "config.h"

#include <string.h>

#include "rules/signature.h"

static const enum uncounted faults[] = {
    [SIGNATURE_GOOD] = UNCOUNTED_NOT,
    [SIGNATURE_KEY_EXPIRED] = UNCOUNTED_KEY_EXPIRED,
    [SIGNATURE_KEY_REVOKED] = UNCOUNTED_KEY_REVOKED,
    [SIGNATURE_EXPIRED] = UNCOUNTED_SIGNATURE_EXPIRED,
    [SIGNATURE_UNKNOWN_KEY] = UNCOUNTED_UNKNOWN_KEY,
    [SIGNATURE_WEAK] = UNCOUNTED_WEAK,
    [SIGNATURE_BAD] = UNCOUNTED_BAD,
};

enum uncounted signature_fault(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew)
{
	const struct signature_facts *signature = &opened->signatures[0];
	if (!opened->readable)
		return UNCOUNTED_UNREADABLE;
	if (opened->signature_count != 1)
		return opened->signature_count == 0 ? UNCOUNTED_UNSIGNED
						    : UNCOUNTED_MANY_SIGNATURES;
	if (signature->status != SIGNATURE_GOOD)
		return faults[signature->status];
	if (signature->fingerprint[0] == '\0' ||
	    strcmp(signature->fingerprint, certificate->facts.fingerprint) != 0)
		return UNCOUNTED_OTHER_KEY;
	if (strcmp(certificate->state, "confirmed") != 0)
		return strcmp(certificate->state, "retired") == 0 ? UNCOUNTED_KEY_RETIRED
								  : UNCOUNTED_KEY_UNCONFIRMED;
	return signature->created > now + clock_skew ? UNCOUNTED_AHEAD : UNCOUNTED_NOT;
}

bool signature_is_by(const struct opened *opened, const struct certificate *certificate)
{
	for (uint32_t i = 0; i < opened->signature_count && i < OPEN_SIGNATURES_MAX; i++) {
		if (opened->signatures[i].proven &&
		    strcmp(opened->signatures[i].fingerprint, certificate->facts.fingerprint) == 0)
			return true;
	}
	return false;
}
