/* Whether the smarthost would take mail today, as a courier process sees it. */
#ifndef DEWLINE_DEWCTL_PROBE_H
#define DEWLINE_DEWCTL_PROBE_H

#include "config/config.h"
#include "courier/courier.h"

/* Called with each step of the probe, as it is known. */
typedef void probe_fn(void *context, const struct courier_result *result);

/* Opens a connection as for mail, with TLS and AUTH, says the envelope, takes it back and closes the
 * connection; nothing is sent. A step that never came, because the courier died or took too long, is a
 * result too. */
void probe_smarthost(const struct config *config, const struct courier_probe *probe, probe_fn *fn,
    void *context);

#endif
