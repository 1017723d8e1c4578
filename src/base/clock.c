#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "base/clock.h"

enum { SAME_S = 2 };

int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_find_boot(char boot[static CLOCK_BOOT_SIZE])
{
	FILE *file = fopen(CLOCK_BOOT_FILE, "re");
	boot[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(boot, CLOCK_BOOT_SIZE, file) == NULL)
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	fclose(file);
}

/* The kernel speaks for its own time: who is made to see another one (libfaketime) is not meant. */
static bool is_synchronised(int64_t now)
{
	struct timex state = {.modes = 0}; /* only looks */
	const int mode = adjtimex(&state);
	const int64_t off = (int64_t)state.time.tv_sec - now;
	return mode >= 0 && mode != TIME_ERROR && (state.status & STA_UNSYNC) == 0 &&
	       off >= -SAME_S && off <= SAME_S;
}

void clock_read(struct clock_reading *out)
{
	struct timespec running;
	clock_gettime(CLOCK_BOOTTIME, &running);
	out->now = clock_now();
	out->running = (int64_t)running.tv_sec;
	out->synchronised = is_synchronised(out->now);
}
