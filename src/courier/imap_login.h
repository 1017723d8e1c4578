/* Getting into an IMAP server: greeting, TLS, authentication (RFC 3501, RFC 4959, RFC 8314).
 *
 * Nothing is negotiated away: STARTTLS that was asked for and is not offered, a server that greets
 * with PREAUTH, a certificate that does not verify, each ends the attempt before a user name is
 * said. What the server said before TLS is forgotten. */
#ifndef DEWLINE_COURIER_IMAP_LOGIN_H
#define DEWLINE_COURIER_IMAP_LOGIN_H

#include "base/buf.h"
#include "config/config.h"
#include "courier/imap_link.h"
#include "courier/tls.h"

struct imap_credentials {
	const struct tls_trust *trust;
	struct view password;
};

/* Opens, up to the state "authenticated"; imap_capabilities are those that hold then. ERR_PEER with
 * ERR_NEVER when the server refuses the user or the password: trying that again soon may lock the
 * account. `limits` must outlive the link. */
int imap_login(const struct config *config, const struct imap_limits *limits,
    const struct imap_credentials *credentials, struct imap_link **out, struct err *err);

#endif
