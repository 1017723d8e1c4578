/* What `dewctl check` says of mail that ended the process which read or opened it. */
#ifndef DEWLINE_DEWCTL_UNREAD_H
#define DEWLINE_DEWCTL_UNREAD_H

#include "dewctl/findings.h"

/* Appends which wait to be tried again, which were given up lately, and what to do. */
enum finding unread_look(struct ctl *ctl, struct buf *detail);

#endif
