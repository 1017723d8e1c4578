/* What comes back from members, and what they ask for: `Report:` and `Request:` of a contact,
 * `Reply:` of a publisher. Pure.
 *
 * Only the block counts, and for a report or reply what follows it: a quoted original below does no
 * harm. */
#ifndef DEWLINE_RULES_INFORM_H
#define DEWLINE_RULES_INFORM_H

#include "rules/audience.h"
#include "rules/refusal.h"
#include "rules/tlp.h"
#include "store/certificates.h"

enum { INFORM_TITLE_SIZE = 256 };

struct inform_report {
	char title[INFORM_TITLE_SIZE];
	enum tlp tlp; /* AMBER unless given */
	int tlp_line;
	char about[STORE_NUMBER_SIZE]; /* an advisory's number, or "" */
	int about_line;
	struct view text; /* a view into the input */
};

/* False with a refusal when anything in the block is unknown, given twice or malformed, and for
 * TLP:RED that is about no advisory: that label goes to single people, so one must be named. */
bool inform_read_report(struct view text, struct inform_report *out, struct refusal *refusal);

/* `Reply: REP-2026-0001`. */
bool inform_read_reply(struct view text, char number[static STORE_NUMBER_SIZE], struct view *rest,
    struct refusal *refusal);

/* `Request: NAME`, or `Request: list`. A name that none can have is read as "", which is the name
 * of nothing: a refusal of its own would tell it from those that are kept back. */
bool inform_read_request(
    struct view text, char name[static STORE_ID_SIZE], struct refusal *refusal);

/* True when the contact may have what is for this audience under this label, now: of the audience,
 * cleared for the label, of an active member, with a certificate to seal for, and with the
 * agreement signed (`agreement` as for reach_contact). Otherwise reason is one line for the admins,
 * never for the contact. `certificate` may be NULL. */
bool inform_may_have(const struct people *people, const struct contact *contact,
    const struct certificate *certificate, const char *agreement, struct view audience,
    enum tlp label, int64_t now, char reason[static STORE_REASON_SIZE]);

#endif
