/* dewctl key add FILE */
#ifndef DEWLINE_DEWCTL_KEYADD_H
#define DEWLINE_DEWCTL_KEYADD_H

#include "dewctl/options.h"

ctl_run_fn keyadd_run;

#endif
