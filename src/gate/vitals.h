/* What the gate tells dewlined of how it goes, for STATE/pulse (worker/pulse.h): each error that it
 * logs, at once, and each worker that it lost. */
#ifndef DEWLINE_GATE_VITALS_H
#define DEWLINE_GATE_VITALS_H

#include "gate/context.h"

/* From now on, with gate->starter set. */
void vitals_start(struct gate *gate);
/* Tells of the workers that were lost since the last call. */
void vitals_check(struct gate *gate);
/* The same for the last time, before the pools and the starter go. */
void vitals_stop(struct gate *gate);

#endif
