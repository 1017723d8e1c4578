/* dewctl key pending: new keys that people ask to be known by. */
#ifndef DEWLINE_DEWCTL_KEYPENDING_H
#define DEWLINE_DEWCTL_KEYPENDING_H

#include "dewctl/options.h"

ctl_run_fn keypending_run;

#endif
