/* A run at another date (tests/run --at). */
#ifndef DEWLINE_TESTS_OTHER_CLOCK_H
#define DEWLINE_TESTS_OTHER_CLOCK_H

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

/* libfaketime opens what its programs share wherever one of them begins, in a sandbox too. */
static inline void allow_other_clock(struct config *config)
{
	if (getenv("FAKETIME_SHARED") != NULL)
		snprintf(config->sandbox_write, sizeof config->sandbox_write, "/dev/shm");
}

#endif
