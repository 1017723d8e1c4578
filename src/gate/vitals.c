#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "gate/vitals.h"

static void on_error(void *context, const char *text)
{
	const struct gate *gate = context;
	starter_tell(gate->starter, PULSE_ERROR, text);
}

void vitals_start(struct gate *gate)
{
	log_on_error(on_error, gate);
}

void vitals_check(struct gate *gate)
{
	const struct pool *const pools[] = {gate->readers, gate->vaults, gate->couriers};
	char text[ERR_TEXT_SIZE];
	for (int kind = 0; kind < WORKER_GATE; kind++) {
		if (pools[kind] == NULL)
			continue;
		const unsigned deaths = pool_deaths(pools[kind]);
		snprintf(text, sizeof text, "a %s was lost: %.400s",
		    worker_kind_name((enum worker_kind)kind), pool_last_loss(pools[kind]));
		for (; gate->losses_told[kind] < deaths; gate->losses_told[kind]++)
			starter_tell(gate->starter, PULSE_WORKER_END, text);
	}
}

void vitals_stop(struct gate *gate)
{
	vitals_check(gate);
	log_on_error(NULL, NULL);
}
