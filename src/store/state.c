#include "config.h"

#include <stddef.h>
#include <string.h>

#include "store/state.h"

struct transition {
	const char *from;
	const char *event;
	const char *to;
};

static const struct transition arrival[] = {
    {"received", "judge", "judged"},
    {"received", "refuse", "refused"},
    {"received", "give-up", "unreadable"},
    {"judged", "finish", "done"},
    {"judged", "refuse", "refused"},
    {"judged", "give-up", "unreadable"},
    {"unreadable", "retry", "received"},
    {NULL, NULL, NULL},
};

/* Batches are sealed and sent side by side: the first copies may leave while others are not sealed
 * yet, and there may be nobody to send to at all. A new revision starts over; the notice of a
 * withdrawal goes the same way, while the advisory stays withdrawn. */
static const struct transition advisory[] = {
    {"held", "release", "released"},
    {"held", "withdraw", "withdrawn"},
    {"released", "release", "released"},
    {"released", "seal", "sealed"},
    {"released", "start", "delivering"},
    {"released", "complete", "complete"},
    {"released", "withdraw", "withdrawn"},
    {"sealed", "release", "released"},
    {"sealed", "start", "delivering"},
    {"sealed", "complete", "complete"},
    {"sealed", "withdraw", "withdrawn"},
    {"delivering", "release", "released"},
    {"delivering", "seal", "delivering"},
    {"delivering", "start", "delivering"},
    {"delivering", "complete", "complete"},
    {"delivering", "withdraw", "withdrawn"},
    {"complete", "release", "released"},
    {"complete", "withdraw", "withdrawn"},
    {"withdrawn", "seal", "withdrawn"},
    {"withdrawn", "start", "withdrawn"},
    {"withdrawn", "complete", "withdrawn"},
    {"withdrawn", "withdraw", "withdrawn"},
    {NULL, NULL, NULL},
};

/* An acknowledgment proves receipt, also while an attempt that nobody knows the end of is to be
 * repeated, or before the smarthost's word of it is recorded: nothing that comes later from there
 * takes it back. A bounce may be faster than that word as well. */
static const struct transition delivery[] = {
    {"queued", "start", "sending"},
    {"queued", "exclude", "failed"},
    {"queued", "retry", "queued"},
    {"queued", "acknowledge", "acknowledged"},
    {"sending", "interrupted", "queued"},
    {"sending", "accept", "sent"},
    {"sending", "postpone", "deferred"},
    {"sending", "reject", "failed"},
    {"sending", "acknowledge", "acknowledged"},
    {"sending", "bounce", "bounced"},
    {"failed", "retry", "queued"},
    {"failed", "postpone", "deferred"},
    {"deferred", "start", "sending"},
    {"deferred", "retry", "queued"},
    {"deferred", "exclude", "failed"},
    {"deferred", "acknowledge", "acknowledged"},
    {"sent", "acknowledge", "acknowledged"},
    {"sent", "bounce", "bounced"},
    {"bounced", "acknowledge", "acknowledged"},
    {"bounced", "bounce", "bounced"},
    {"bounced", "accept", "bounced"},
    {"bounced", "postpone", "bounced"},
    {"bounced", "reject", "bounced"},
    {"acknowledged", "acknowledge", "acknowledged"},
    {"acknowledged", "accept", "acknowledged"},
    {"acknowledged", "postpone", "acknowledged"},
    {"acknowledged", "reject", "acknowledged"},
    {"acknowledged", "bounce", "acknowledged"},
    {NULL, NULL, NULL},
};

static const struct transition certificate[] = {
    {"pending", "confirm", "confirmed"},
    {"pending", "retire", "retired"},
    {"confirmed", "retire", "retired"},
    {NULL, NULL, NULL},
};

/* Membership is by choice: who left may come back. */
static const struct transition member[] = {
    {"invited", "join", "active"},
    {"invited", "leave", "left"},
    {"active", "suspend", "suspended"},
    {"active", "lapse", "lapsed"},
    {"active", "leave", "left"},
    {"lapsed", "renew", "active"},
    {"lapsed", "suspend", "suspended"},
    {"lapsed", "leave", "left"},
    {"suspended", "resume", "active"},
    {"suspended", "leave", "left"},
    {"left", "join", "active"},
    {"left", "invite", "invited"},
    {NULL, NULL, NULL},
};

/* What waits for approval, and what waits for its hour. Another publisher may still stop what was
 * approved: only the release itself is final. */
static const struct transition hold[] = {
    {"waiting", "approve", "held"},
    {"waiting", "reject", "rejected"},
    {"waiting", "withdraw", "withdrawn"},
    {"waiting", "fail", "failed"},
    {"held", "release", "released"},
    {"held", "reject", "rejected"},
    {"held", "withdraw", "withdrawn"},
    {"held", "fail", "failed"},
    {NULL, NULL, NULL},
};

static const struct transition *const tables[] = {
    [STATE_ARRIVAL] = arrival,
    [STATE_ADVISORY] = advisory,
    [STATE_DELIVERY] = delivery,
    [STATE_CERTIFICATE] = certificate,
    [STATE_MEMBER] = member,
    [STATE_HOLD] = hold,
};

const char *state_after(enum state_kind kind, const char *from, const char *event)
{
	for (const struct transition *row = tables[kind]; row->from != NULL; row++) {
		if (strcmp(row->from, from) == 0 && strcmp(row->event, event) == 0)
			return row->to;
	}
	return NULL;
}

bool state_is_final(enum state_kind kind, const char *state)
{
	for (const struct transition *row = tables[kind]; row->from != NULL; row++) {
		if (strcmp(row->from, state) == 0 && strcmp(row->to, state) != 0)
			return false;
	}
	return state_exists(kind, state);
}

bool state_exists(enum state_kind kind, const char *state)
{
	for (const struct transition *row = tables[kind]; row->from != NULL; row++) {
		if (strcmp(row->from, state) == 0 || strcmp(row->to, state) == 0)
			return true;
	}
	return false;
}
