/* What `dewctl check` says of the last restore. */
#ifndef DEWLINE_DEWCTL_RESTORE_H
#define DEWLINE_DEWCTL_RESTORE_H

#include "dewctl/findings.h"

/* Adds to `detail` when the store was put back, and what is to be done still. */
enum finding restore_look(struct ctl *ctl, struct buf *detail);

#endif
