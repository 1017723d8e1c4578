/* When an advisory may leave: held until its hour, and until a second publisher has approved it. */
#ifndef DEWLINE_RULES_RELEASE_H
#define DEWLINE_RULES_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "rules/control.h"
#include "store/advisories.h"
#include "store/people.h"

/* How far ahead Release may be, in seconds. */
enum { RELEASE_MOST_S = 366 * 86400 };

/* False with a refusal when Release is too far ahead, or asks a withdrawal to wait: that goes at
 * once, for every hour that somebody acts on a wrong advisory counts. */
bool release_time_is_good(const struct control *control, int64_t now, struct refusal *refusal);

/* False with a refusal when a bulletin sets a deadline: nobody is asked to acknowledge one. */
bool bulletin_asks_nothing(
    bool is_bulletin, const struct control *control, struct refusal *refusal);

/* Whether another publisher must approve: the setting demands it for this label, or the author asks
 * for it. `Approval: no` takes nothing back, and a withdrawal needs none. */
bool release_needs_approval(
    enum config_approval setting, enum tlp label, const struct control *control);

/* What a publisher decides about a held advisory: "Approve: TOKEN" or "Reject: TOKEN" as the first
 * line of the signed text. */
struct decision {
	bool approve;
	char token[ADVISORY_TOKEN_SIZE];
	int line;
	struct view text; /* what follows the blank line: the reason, and maybe a quotation */
};
bool decision_read(struct view text, struct decision *out, struct refusal *refusal);

/* The two-person rule: true when who signed the decision is another publisher than the author, by
 * id and by address, and signed with another certificate than the one that signed the draft. */
bool decision_may_be_by(const struct publisher *decider, const char *decider_fingerprint,
    const struct publisher *author, const char *author_fingerprint, int line,
    struct refusal *refusal);

#endif
