/* The gateway's own health, for the pre-flight: store, log, key, smarthost settings, drop. */
#ifndef DEWLINE_DEWCTL_FINDINGS_H
#define DEWLINE_DEWCTL_FINDINGS_H

#include "dewctl/ctl.h"

enum finding { FINDING_OK, FINDING_WARNING, FINDING_BAD };

struct report *findings_table(void);
void findings_add(struct report *table, const char *what, enum finding result, const char *detail);

/* Looks at everything, the store being open, and adds a row for each. How many are not right. */
int64_t findings_collect(struct ctl *ctl, struct report *table);

/* Connects to the smarthost, and adds a row on what became of that. How many are not right. */
int64_t findings_probe(struct ctl *ctl, struct report *table);

#endif
