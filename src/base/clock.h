/* The time of day, and time that only moves forward. */
#ifndef DEWLINE_BASE_CLOCK_H
#define DEWLINE_BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970, UTC. Everything stored and compared with mail uses this. */
int64_t clock_now(void);

/* Milliseconds of CLOCK_MONOTONIC: deadlines and measurements. */
int64_t clock_monotonic_ms(void);

#endif
