/* What one signature is worth to us: the only place that says so. */
#ifndef DEWLINE_RULES_SIGNATURE_H
#define DEWLINE_RULES_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "pgp/open.h"
#include "store/certificates.h"

/* True when the message could be opened and exactly one signature covers the text, is good, was
 * made by this certificate (pinned and confirmed) and not in the future. Otherwise reason is one
 * line. */
bool signature_counts(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew, char reason[static STORE_REASON_SIZE]);

#endif
