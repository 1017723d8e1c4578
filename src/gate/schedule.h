/* What happens because its time has come: one table of checks, each of which finds its work in the
 * store and does what is due. */
#ifndef DEWLINE_GATE_SCHEDULE_H
#define DEWLINE_GATE_SCHEDULE_H

#include "gate/context.h"

/* Runs every check now and again at least every half minute. */
void schedule_start(struct gate *gate);

/* Runs them soon: something that they depend on has changed (dewctl committed, a mail was judged).
 */
void schedule_soon(struct gate *gate);

#endif
