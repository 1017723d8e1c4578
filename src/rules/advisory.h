/* What a publisher's mail comes to: control block and CSAF together, or a refusal. */
#ifndef DEWLINE_RULES_ADVISORY_H
#define DEWLINE_RULES_ADVISORY_H

#include "mail/entity.h"
#include "rules/control.h"

struct draft {
	struct control control;
	enum tlp tlp;
	char title[MAIL_SUBJECT_SIZE];
	char severity[64];
	struct view text; /* the publisher's, or rendered from the CSAF */
};

/* Joins them. `earlier_tlp` is the label of the revision before for an update or withdrawal, which
 * may leave TLP out; NULL for a new one. Views in `out` point into `content`. */
bool advisory_draft(const struct mail_content *content, int64_t now, const enum tlp *earlier_tlp,
    struct draft *out, struct refusal *refusal);

#endif
