/* dewctl ack export ID ADDRESS DIR */
#ifndef DEWLINE_DEWCTL_EXPORT_H
#define DEWLINE_DEWCTL_EXPORT_H

#include "dewctl/options.h"

ctl_run_fn export_run;

#endif
