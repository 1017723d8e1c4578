/* dewctl agreement status, and agreement export ADDRESS DIR. */
#ifndef DEWLINE_DEWCTL_AGREEMENTSHOW_H
#define DEWLINE_DEWCTL_AGREEMENTSHOW_H

#include "dewctl/options.h"

ctl_run_fn agreement_status_run;
ctl_run_fn agreement_export_run;

#endif
