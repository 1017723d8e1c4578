/* The texts about what is held: for its author, and for the publishers who must approve it. Pure.
 * UTF-8, LF, our own lines at most 76 wide. */
#ifndef DEWLINE_GATE_LETTERS_RELEASE_H
#define DEWLINE_GATE_LETTERS_RELEASE_H

#include "base/buf.h"
#include "rules/refusal.h"
#include "store/holds.h"

struct letter_hold {
	const char *number;
	const char *title;
	const char *tlp;
	const char *audience;
	bool exercise;
	bool update; /* a draft of a later revision */
	int64_t acknowledge; /* seconds after release, 0: no deadline */
	const struct hold *hold;
	const char *author;
	int64_t now;
};

/* To the author: when it goes, and to how many as of now. `approvers` is how many are asked, 0 when
 * none need be; `unreached` are "address (member): reason" lines. */
struct letter_plan {
	int64_t reachable;
	int64_t approvers;
	struct view unreached;
};
void letter_held(struct buf *out, const struct letter_hold *letter, const struct letter_plan *plan);

/* To every other publisher: the whole draft, and how to decide. */
void letter_request(struct buf *out, const struct letter_hold *letter, struct view text);

/* To the author and to who decided. */
struct letter_decision {
	const struct hold *hold;
	bool approved;
	const char *by; /* address */
	struct view reason; /* why it was rejected, or a remark */
	int64_t now;
};
void letter_decided(struct buf *out, const char *number, const struct letter_decision *decision);

/* To all who knew of it: it was withdrawn before anybody got it. */
void letter_unsent(struct buf *out, const char *number, const char *by);

/* To the author: it could not be released. */
void letter_impossible(struct buf *out, const char *number, const struct refusal *refusal);

#endif
