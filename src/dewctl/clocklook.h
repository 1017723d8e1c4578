/* What is to be thought of the clock: whether it is believed, and what the dates of signatures say. */
#ifndef DEWLINE_DEWCTL_CLOCKLOOK_H
#define DEWLINE_DEWCTL_CLOCKLOOK_H

#include "dewctl/findings.h"
#include "rules/pace.h"

/* The clock as it stands now, held against what is kept of it. */
int clocklook_read(struct ctl *ctl, struct clock_reading *reading, struct pace_state *state,
    struct pace_verdict *verdict, struct err *err);

/* For the pre-flight: says in `detail` what is wrong and what to do. */
enum finding clocklook(struct ctl *ctl, struct buf *detail);

#endif
