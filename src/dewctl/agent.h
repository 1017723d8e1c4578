/* Whether a gpg-agent serves a home already, so that dewctl ends only one that it started itself.
 */
#ifndef DEWLINE_DEWCTL_AGENT_H
#define DEWLINE_DEWCTL_AGENT_H

#include <stdbool.h>

bool ctl_agent_is_running(const char *home);

#endif
