/* Whether dewlined can do its work here. Its start and `dewlined -t` ask the same, so that the one
 * does what the other said. */
#ifndef DEWLINE_DEWLINED_READY_H
#define DEWLINE_DEWLINED_READY_H

#include "base/err.h"
#include "config/config.h"

/* The configuration was edited: neither address is that of the sample. */
int ready_configuration(const struct config *config, struct err *err);

/* Becomes the user who owns the state where it was started as root and the setting `user` says so;
 * refuses where it was started as another user than that one, or where there is no such user. */
int ready_user(const struct config *config, struct err *err);

/* Our user can read and write the place in the drop where mail comes to lie. The other two of the Maildir
 * hold up nothing but what is in them: a warning is logged. */
int ready_drop(const struct config *config, struct err *err);

#endif
