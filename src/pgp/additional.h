/* The keys besides the recorded one that gpg may encrypt for when it is told a certificate: newer
 * GnuPG (2.2.41, 2.4) adds a session key for each additional decryption subkey that the owner has
 * named (key flag 0x0400). Internal.
 *
 * They are found out once, when a shard is built, and stand in a file of its home. A subkey that
 * gpg does not encrypt for does no harm there: it only says whose it is. */
#ifndef DEWLINE_PGP_ADDITIONAL_H
#define DEWLINE_PGP_ADDITIONAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/certificate.h"

/* Lists the certificates in the home `dir` and writes the file: of each the subkeys for encryption
 * other than the one that mail is sealed for now, and those without a use that GPGME knows; of
 * `gateway` all its subkeys for encryption. */
int additional_write(const char *dir, const char *gateway, struct err *err);

/* True when the files are there. */
bool additional_is_there(const char *dir);

/* Whether the certificate with this fingerprint was in the home when additional_write listed it, as a
 * second file says. */
bool additional_was_held(const char *dir, const char *fingerprint);

/* Appends the file's content to `out`. */
int additional_read(const char *dir, struct buf *out, struct err *err);

struct additional {
	char fingerprint[FINGERPRINT_SIZE]; /* primary key of the certificate */
	char key_id[KEY_ID_SIZE];
};

/* Cuts the next one off the front of the content. False at its end. */
bool additional_next(struct view *rest, struct additional *out);

#endif
