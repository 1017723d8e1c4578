/* What strangers sent is not kept for ever, and not without limit (keep.strangers,
 * keep.strangers_mb). Evidence and all else that somebody known signed is never removed. */
#ifndef DEWLINE_GATE_KEEP_H
#define DEWLINE_GATE_KEEP_H

#include "gate/context.h"

/* A check of schedule.h. What went stands in the log and in the audit. */
void keep_check(struct gate *gate, int64_t now);

#endif
