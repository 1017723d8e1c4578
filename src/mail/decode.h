/* Transfer encodings (RFC 2045 section 6), undone leniently: what is malformed stays as it is.
 *
 * libetpan's decoders are not used: the one for quoted-printable reads behind the end of a body
 * that ends in "=A", and turns LF into CR LF. */
#ifndef DEWLINE_MAIL_DECODE_H
#define DEWLINE_MAIL_DECODE_H

#include "base/buf.h"

/* Appends decoded base64: foreign characters are passed over, padding ends it. */
void decode_base64(struct view text, struct buf *out);
/* Appends decoded quoted-printable; line ends stay as they are. */
void decode_quoted_printable(struct view text, struct buf *out);

#endif
