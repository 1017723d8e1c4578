/* The one way by which anything leaves: compose, stash, record with its deliveries. Sealing and
 * sending find it in the store. */
#ifndef DEWLINE_GATE_OUTGOING_H
#define DEWLINE_GATE_OUTGOING_H

#include "gate/context.h"
#include "mail/entity.h"
#include "store/copies.h"
#include "store/messages.h"
#include "store/people.h"
#include "worker/frame.h"

enum outgoing_end {
	OUTGOING_RECORDED,
	OUTGOING_DROPPED, /* record() said no, and nothing was changed */
	OUTGOING_FAILED, /* the vault could not stash it: nothing was changed, try again later */
};

/* Called in the transaction that records the message, before its deliveries are added. *go false
 * rolls everything back (OUTGOING_DROPPED). `title` is the stashed title, empty if there was none.
 */
typedef int outgoing_record_fn(
    void *context, int64_t message, struct view title, bool *go, struct err *err);
typedef void outgoing_done_fn(void *context, enum outgoing_end end, const char *problem);

/* A delivery's own text, in place of the one text for all. */
struct outgoing_copy {
	int64_t number; /* 0: none, as nothing can be sent to this one */
	unsigned char mark[STORE_MARK_SIZE];
	struct view text;
};

struct outgoing {
	const char *kind; /* advisory, receipt, refusal; static */
	const char *to; /* address for the To field; alive until outgoing_send returns */
	const char *subject; /* protected; likewise */
	struct view text; /* likewise */
	const struct mail_part *attachments; /* likewise */
	size_t attachment_count;
	const char *title; /* to be stashed beside, or NULL; likewise */
	struct delivery *deliveries; /* from malloc; taken over */
	size_t delivery_count;
	bool low_priority; /* waits for all other mail that is due */
	/* One for each delivery, or NULL; likewise. `text` is not used then. */
	const struct outgoing_copy *copies;
	outgoing_record_fn *record; /* may be NULL */
	outgoing_done_fn *done;
	void *context;
};

/* The most that a message may hold, in bytes, with its attachments as they travel. */
#define OUTGOING_MAX (FRAME_BODY_MAX / 4)

/* False when it does not fit into OUTGOING_MAX: nothing is called back then, and the deliveries are
 * still the caller's. Nothing is called back before this returns. */
bool outgoing_send(struct gate *gate, const struct outgoing *outgoing);

#endif
