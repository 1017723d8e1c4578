/* How long a test waits. */
#ifndef DEWLINE_TESTS_PATIENCE_H
#define DEWLINE_TESTS_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A time limit for what will come: longer where tests/run found the machine to be slow, and while it
 * has other things to do. */
static inline int64_t patient(int64_t ms)
{
	static const double load_most = 10;
	const char *told = getenv("DEWLINE_PATIENCE");
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double load = 0;
	double factor = told != NULL ? strtod(told, NULL) : 1;
	if (getloadavg(&load, 1) == 1 && cores > 0 && load > (double)cores)
		factor *= load < (double)cores * load_most ? load / (double)cores : load_most;
	return (int64_t)((double)ms * (factor > 1 ? factor : 1));
}

/* Milliseconds of the processor that this process has taken, which no load makes longer. */
static inline int64_t processor_ms(void)
{
	return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

#endif
