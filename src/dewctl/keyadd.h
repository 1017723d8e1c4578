/* dewctl key add FILE; dewctl key refresh FILE|DIR, which takes only what is known already */
#ifndef DEWLINE_DEWCTL_KEYADD_H
#define DEWLINE_DEWCTL_KEYADD_H

#include "dewctl/options.h"

ctl_run_fn keyadd_run;
ctl_run_fn keyadd_refresh;

#endif
