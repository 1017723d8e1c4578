/* Why GnuPG does not take a key, read from its packets in words that lead on: for what GnuPG itself
 * leaves out or shows as if it were not there. Nothing here is verified, and nothing is decided by it
 * but the words. Internal. */
#ifndef DEWLINE_PGP_EXPLAIN_H
#define DEWLINE_PGP_EXPLAIN_H

#include <stdbool.h>

#include "base/buf.h"

#include "pgp/admission.h"
#include "pgp/certificate.h"

/* Fills `reason` and returns true for a certificate that gpg need not be asked about: of another
 * version than 4, of algorithms that it does not know, or made to take it very long. */
bool explain_unfit(struct view certificate, char reason[static CERTIFICATE_REASON_SIZE]);

/* Fills `reason` and returns true where `certificate` has a subkey that could encrypt, and gpg
 * listed it as one that does not, or not at all. */
bool explain_encryption(struct view certificate, const struct admission *listed,
    char reason[static CERTIFICATE_REASON_SIZE]);

#endif
