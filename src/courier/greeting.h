/* What time it is at the smarthost: many servers greet with it, as "mx.example ESMTP Exim 4.96 Mon,
 * 30 Nov 2026 20:08:07 +0000" (the date-time of RFC 5322 section 3.3, in free text). */
#ifndef DEWLINE_COURIER_GREETING_H
#define DEWLINE_COURIER_GREETING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The first date in a greeting, in seconds since 1970. False where there is none. */
bool greeting_time(struct view words, int64_t *when);

#endif
