/* Writing the forms of mail: header fields (RFC 5322, RFC 2047, RFC 2231) and bodies (RFC 2045).
 *
 * Whatever the input holds, the output is 7-bit with CR LF, and no input can end a field: control
 * characters are written as spaces. Lines are at most 76 characters, but for an address or a
 * Message-ID that is longer by itself. */
#ifndef DEWLINE_MAIL_ENCODE_H
#define DEWLINE_MAIL_ENCODE_H

#include "base/buf.h"

enum { ENCODE_LINE = 76 };

/* `prefix` and text, folded, with CR LF. prefix ends with a space: "Subject: ". */
void encode_text_field(struct buf *out, const char *prefix, struct view text);
/* `prefix`, a name unless it is empty, and <address>. */
void encode_address_field(
    struct buf *out, const char *prefix, const char *name, const char *address);
/* An address or identifier by itself, without CR LF: what cannot stand within < and > is left out.
 */
void encode_word(struct buf *out, const char *word);

/* `; name=value` on lines of their own, to continue a Content-Type or Content-Disposition. Without
 * the final CR LF. */
void encode_parameter(struct buf *out, const char *name, struct view value);

/* A text part with its own header (text/plain; charset=utf-8): 7bit where it can be, otherwise
 * quoted-printable or base64, whichever is shorter. A line that mail programs would take for the
 * start of a signature (RFC 3676 section 4.3) is written "- -". */
void encode_text_part(struct buf *out, struct view text);

#endif
