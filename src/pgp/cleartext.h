/* Cleartext signatures (RFC 9580 section 7) taken apart by ourselves. Internal.
 *
 * gpg's parser has let unsigned text pass for signed in several ways: text around the block, header
 * lines, long lines. Here the signed text is brought to the form that the signature is over, and
 * that very text is verified as with a detached signature and handed out. */
#ifndef DEWLINE_PGP_CLEARTEXT_H
#define DEWLINE_PGP_CLEARTEXT_H

#include <stdbool.h>

#include "base/buf.h"

/* Takes one cleartext-signed message with nothing but white space around it. `text` gets the signed
 * text: dash escapes and white space at line ends gone, lines ended by CR LF, none behind the last.
 * `signature` gets the signature packets. False: *why says what is wrong, continuing "it ...". */
bool cleartext_split(
    struct view message, struct buf *text, struct buf *signature, const char **why);

#endif
