/* What is made of a password for a server. */
#ifndef DEWLINE_COURIER_PASSWORD_H
#define DEWLINE_COURIER_PASSWORD_H

#include "base/buf.h"

/* Appends base64 of what SASL PLAIN sends (RFC 4616). */
void password_add_plain(struct buf *out, const char *user, struct view password);

#endif
