/* Times and spans of time in the words that people use: English, and UTC whatever the machine's
 * zone. */
#ifndef DEWLINE_BASE_MOMENT_H
#define DEWLINE_BASE_MOMENT_H

#include <stdint.h>

#include "base/buf.h"

/* Seconds since 1970 as "Mon 30 Nov 03:09 UTC", and with the year, "Fri 1 Jan 2027 03:09 UTC", when
 * it is another one than at `now` (seconds since 1970; 0 gives the year always). 0 gives "". */
void moment_add(struct buf *out, int64_t when, int64_t now);

/* The same behind how far off it is: "in 4 hours, Mon 30 Nov 03:09 UTC", "2 days ago, Sat 28 Nov
 * 03:09 UTC". */
void moment_add_from(struct buf *out, int64_t when, int64_t now);

/* Seconds as "1 minute", "4 hours", "1 hour 30 minutes", "2 days 6 hours", "30 days": to the
 * minute below two days, to the hour below two weeks, and to the day from then on. Below half a
 * minute: "less than a minute". A negative span is as long as its contrary. */
void moment_add_span(struct buf *out, int64_t seconds);

#endif
