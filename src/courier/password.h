/* A password in a file, and what is made of it for a server. */
#ifndef DEWLINE_COURIER_PASSWORD_H
#define DEWLINE_COURIER_PASSWORD_H

#include "base/buf.h"
#include "base/err.h"

enum { PASSWORD_MAX = 1024 }; /* bytes of the file */

/* The first line of the file, without its line end, into `out`, which begins empty with
 * PASSWORD_MAX. ERR_DAEMON when there is none, or it holds a NUL; then `out` is empty. */
int password_read(const char *path, struct buf *out, struct err *err);

/* Appends base64 of what SASL PLAIN sends (RFC 4616). */
void password_add_plain(struct buf *out, const char *user, struct view password);

#endif
