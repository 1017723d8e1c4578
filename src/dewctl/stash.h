/* Titles and comments, which the store keeps encrypted to the gateway, opened for showing. */
#ifndef DEWLINE_DEWCTL_STASH_H
#define DEWLINE_DEWCTL_STASH_H

#include "dewctl/ctl.h"

/* Adds the stashed text as the next cell; none for an empty stash, and none with a warning when it
 * cannot be opened: one damaged text must not hide the others. */
int stash_add_cell(
    struct ctl *ctl, struct report *report, struct view stash, const char *whose, struct err *err);

#endif
