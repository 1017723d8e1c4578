/* dewctl key export: the gateway's own certificate. */
#ifndef DEWLINE_DEWCTL_KEYEXPORT_H
#define DEWLINE_DEWCTL_KEYEXPORT_H

#include "dewctl/options.h"

ctl_run_fn keyexport_run;

#endif
