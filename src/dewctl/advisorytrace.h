/* dewctl advisory trace */
#ifndef DEWLINE_DEWCTL_ADVISORYTRACE_H
#define DEWLINE_DEWCTL_ADVISORYTRACE_H

#include "dewctl/ctl.h"

int advisorytrace_run(struct ctl *ctl, const struct ctl_call *call, struct err *err);

#endif
