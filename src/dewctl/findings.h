/* The gateway's own health, for the pre-flight: a table of rows, each by a look of findings_looks.h. */
#ifndef DEWLINE_DEWCTL_FINDINGS_H
#define DEWLINE_DEWCTL_FINDINGS_H

#include "dewctl/ctl.h"

/* FINDING_NONE: nothing is to be said of it, and there is no row. */
enum finding { FINDING_NONE, FINDING_OK, FINDING_WARNING, FINDING_BAD };

struct findings {
	struct report *table;
	int64_t warnings;
	int64_t bad;
};

/* An empty table, which the caller gives away or frees. */
struct findings findings_begin(void);
void findings_add(
    struct findings *findings, const char *what, enum finding result, const char *detail);

/* Looks at everything, and adds a row for each; where the store is not open, at what can be seen
 * without it. */
void findings_collect(struct ctl *ctl, struct findings *findings);

/* Connects to the smarthost and asks it to take a mail, without one; adds a row on what became of
 * that. The store is open. */
void findings_probe(struct ctl *ctl, struct findings *findings);

#endif
