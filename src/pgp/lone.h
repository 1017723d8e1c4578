/* A certificate that stands alone in a file: what mail programs attach of their owner by themselves. */
#ifndef DEWLINE_PGP_LONE_H
#define DEWLINE_PGP_LONE_H

#include <stdbool.h>

#include "base/buf.h"

/* True when `content`, armored or binary, is a certificate with the same primary key as `minimal`
 * (binary), and nothing else: no other certificate, no secret key, no text around the armor. */
bool lone_certificate_is(struct view content, struct view minimal);

#endif
