/* dewctl advisory show ID */
#ifndef DEWLINE_DEWCTL_ADVISORYSHOW_H
#define DEWLINE_DEWCTL_ADVISORYSHOW_H

#include "dewctl/options.h"

ctl_run_fn advisoryshow_run;

#endif
