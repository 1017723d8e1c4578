/* Whether the smarthost can be reached today, as a courier process sees it. */
#ifndef DEWLINE_DEWCTL_PROBE_H
#define DEWLINE_DEWCTL_PROBE_H

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"

/* Opens a connection as for mail, with TLS and AUTH, and closes it. Appends what was found, or what
 * is wrong (false). */
bool probe_smarthost(const struct config *config, struct buf *words);

#endif
