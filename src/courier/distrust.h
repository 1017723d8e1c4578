/* Why a mail server was not trusted, in words from which an admin sees what to mend. */
#ifndef DEWLINE_COURIER_DISTRUST_H
#define DEWLINE_COURIER_DISTRUST_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

#include "base/buf.h"

/* Appends all that is wrong with the certificate that the server showed: "it is for another name
 * (it names mail.a.example, expected mail.b.example)". `status` has GnuTLS's flags, `host` is whom
 * we expected. What comes from the certificate is made safe to show, and cut. */
void distrust_certificate(
    struct buf *words, gnutls_session_t session, unsigned status, const char *host);

/* Appends why the handshake failed, from GnuTLS's code: "it offers no TLS 1.2 or newer". */
void distrust_handshake(struct buf *words, gnutls_session_t session, int code);

/* Whether GnuTLS's code says no more than that the other side closed the connection. */
bool distrust_is_closed(int code);

#endif
