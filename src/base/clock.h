/* The time of day, and time that only moves forward. */
#ifndef DEWLINE_BASE_CLOCK_H
#define DEWLINE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_BOOT_SIZE = 40 };
#define CLOCK_BOOT_FILE "/proc/sys/kernel/random/boot_id"

/* What the machine's clocks say at one moment. */
struct clock_reading {
	int64_t now; /* clock_now */
	int64_t running; /* seconds since the machine was started, sleep included, however the time
			  * of day is set */
	char boot[CLOCK_BOOT_SIZE]; /* which start that was; "" where the kernel does not say */
	bool synchronised; /* the kernel says that a time service keeps the time of day */
};

/* Seconds since 1970, UTC. Everything stored and compared with mail uses this. */
int64_t clock_now(void);

/* Milliseconds of CLOCK_MONOTONIC: deadlines and measurements. */
int64_t clock_monotonic_ms(void);

/* A reading is made in two steps, for a sandbox may not let the first one be done again.
 * clock_find_boot fills `boot`, the other one all else. */
void clock_find_boot(char boot[static CLOCK_BOOT_SIZE]);
void clock_read(struct clock_reading *out);

#endif
