/* The gate: the process that decides. It keeps the store and asks the workers. */
#ifndef DEWLINE_GATE_GATE_H
#define DEWLINE_GATE_GATE_H

#include "base/err.h"
#include "config/config.h"

/* Enters the gate's sandbox: the store, which is open by then, the drop, and no network. */
int gate_confine(const struct config *config, struct err *err);
/* The sandbox of the process that starts the gate (worker_confine_fn): as the gate opens its store
 * itself, it may besides use all of the state directory. */
int gate_confine_starter(const void *settings, struct err *err);

/* Runs the gate until SIGTERM, or until the other end of `control` closes. Workers are asked for
 * over `control` (worker/spawn.h). settings is `const struct config *`. Returns the exit status. */
int gate_main(const void *settings, int control);

#endif
