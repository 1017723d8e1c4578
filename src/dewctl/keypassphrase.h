/* dewctl key passphrase: gives the gateway's key a new random one. */
#ifndef DEWLINE_DEWCTL_KEYPASSPHRASE_H
#define DEWLINE_DEWCTL_KEYPASSPHRASE_H

#include "dewctl/options.h"

ctl_run_fn keypassphrase_run;

#endif
