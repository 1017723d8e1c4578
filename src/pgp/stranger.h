/* Mail signed by somebody whom nobody here knows, with the certificate in it. */
#ifndef DEWLINE_PGP_STRANGER_H
#define DEWLINE_PGP_STRANGER_H

#include "pgp/open.h"

struct stranger {
	char reason[CERTIFICATE_REASON_SIZE]; /* why it does not hold together, "" when it does */
	char fingerprint[FINGERPRINT_SIZE];
	struct buf minimal; /* the certificate, as admission takes it */
};

/* Whether `certificate` (armored or binary) holds exactly one certificate that the gateway would
 * take, and exactly one good signature, by it, covers the message. Works in a keyring of its own,
 * numbered `shard` and removed afterwards. The caller releases out->minimal. Unwelcome input is a
 * result; an error means that GnuPG itself did not work. */
int stranger_open(const struct home *home, int64_t shard, enum open_form form, struct view message,
    struct view signature, struct view certificate, size_t plaintext_max, struct stranger *out,
    struct err *err);

#endif
