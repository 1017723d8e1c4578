/* The gateway's own health, for the pre-flight: store, log, key, smarthost settings, drop. */
#ifndef DEWLINE_DEWCTL_FINDINGS_H
#define DEWLINE_DEWCTL_FINDINGS_H

#include "dewctl/ctl.h"

enum finding { FINDING_OK, FINDING_WARNING, FINDING_BAD };

struct findings {
	struct report *table;
	int64_t warnings;
	int64_t bad;
};

/* An empty table, which the caller gives away or frees. */
struct findings findings_begin(void);
void findings_add(
    struct findings *findings, const char *what, enum finding result, const char *detail);

/* Looks at everything, the store being open, and adds a row for each. */
void findings_collect(struct ctl *ctl, struct findings *findings);

/* Connects to the smarthost, and adds a row on what became of that. */
void findings_probe(struct ctl *ctl, struct findings *findings);

#endif
