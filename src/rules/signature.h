/* What one signature is worth to us: the only place that says so. */
#ifndef DEWLINE_RULES_SIGNATURE_H
#define DEWLINE_RULES_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "pgp/open.h"
#include "rules/uncounted.h"
#include "store/certificates.h"

/* A mail whose signature is dated ahead waits; for longer than this, in seconds, its signer is told. */
enum { SIGNATURE_TOLD_S = 600 };

/* UNCOUNTED_NOT when the message could be opened and exactly one signature covers the text, is
 * good, was made by this certificate (pinned and confirmed) and not in the future. */
enum uncounted signature_fault(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew);

/* Whether the holder of this certificate's key signed it, whatever else is wrong with that. */
bool signature_is_by(const struct opened *opened, const struct certificate *certificate);

#endif
