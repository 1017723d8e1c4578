#include "config.h"

#include <stdio.h>
#include <string.h>

#include "rules/signature.h"

static const char *const faults[] = {
    [SIGNATURE_GOOD] = "",
    [SIGNATURE_KEY_EXPIRED] = "the signing key had expired",
    [SIGNATURE_KEY_REVOKED] = "the signing key is revoked",
    [SIGNATURE_EXPIRED] = "the signature has expired",
    [SIGNATURE_UNKNOWN_KEY] = "the signing key is unknown",
    [SIGNATURE_WEAK] = "the signature uses a weak algorithm",
    [SIGNATURE_BAD] = "the signature is bad",
};

bool signature_counts(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew, char reason[static STORE_REASON_SIZE])
{
	const struct signature_facts *signature = &opened->signatures[0];
	const char *fault = "";
	if (!opened->readable)
		fault = "it cannot be read";
	else if (opened->signature_count != 1)
		fault = opened->signature_count == 0 ? "it is not signed"
						     : "it has more than one signature";
	else if (signature->status != SIGNATURE_GOOD)
		fault = faults[signature->status];
	else if (signature->fingerprint[0] == '\0' ||
		 strcmp(signature->fingerprint, certificate->facts.fingerprint) != 0)
		fault = "the signature is not by the pinned certificate";
	else if (strcmp(certificate->state, "retired") == 0)
		fault = "the signer's certificate is retired";
	else if (strcmp(certificate->state, "confirmed") != 0)
		fault = "the signer's certificate is not confirmed";
	else if (signature->created > now + clock_skew)
		fault = "the signature is dated in the future";
	snprintf(reason, STORE_REASON_SIZE, "%s", fault);
	return fault[0] == '\0';
}
