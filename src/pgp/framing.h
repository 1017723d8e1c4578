/* What a received OpenPGP message may look like from outside, before gpg sees it. Internal.
 *
 * gpg takes sequences that RFC 9580 section 10.3 does not allow, and then what it verified and what
 * it printed are two things. These functions look at packet framing only. On false, *why says what
 * is wrong, in words that continue "it ...". */
#ifndef DEWLINE_PGP_FRAMING_H
#define DEWLINE_PGP_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	FRAMING_SESSION_KEYS_MAX = 1024, /* each hidden one costs a private-key operation */
	FRAMING_SIGNATURES_MAX = 64,
	/* gpg hashes no more of a line than 19,995 bytes when a signature is over text, so that one
	 * could write anything behind. */
	FRAMING_TEXT_LINE_MAX = 16 * 1024,
};

/* How data is encrypted with integrity protection: not every GnuPG opens all of them. */
enum framing_data {
	FRAMING_MDC, /* tag 18 version 1, RFC 4880 section 5.13: every program */
	FRAMING_OCB, /* tag 20: GnuPG's own, since 2.2.21 to open */
	FRAMING_VERSION_2, /* tag 18 version 2, RFC 9580 section 5.13.2: no GnuPG so far */
};

/* Takes the session keys for passwords away from those for public keys, where there are any: whoever
 * has a key needs no password, and gpg would ask for one first. */
void framing_drop_passwords(struct buf *message);

/* Session keys for public keys, then one encrypted data packet with integrity protection, which is
 * of the form *data. */
bool framing_is_encrypted(struct view message, enum framing_data *data, const char **why);

/* Whether GnuPG of this version ("2.2.40") is known to open such data; when not, what to do about
 * it goes to `why`, one clause for a mail that could not be opened. */
bool framing_opens(enum framing_data data, const char *version, char *why, size_t size);

/* One signed message: one-pass signatures, literal data, signatures; or all that compressed. */
bool framing_is_signed(struct view message, const char **why);

/* Signature packets only, over a document. *count of them; *text is true when one of them is over
 * text (type 0x01), which gpg reads line by line. */
bool framing_is_signatures(struct view packets, uint32_t *count, bool *text, const char **why);

/* True when no line is longer than FRAMING_TEXT_LINE_MAX. */
bool framing_has_short_lines(struct view text);

#endif
