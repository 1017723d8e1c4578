/* The states of things, and every change that is allowed, as tables.
 *
 * A state changes only by a row of its table; anything else is our bug and is an error (I12 of
 * src/invariants.md). `sending` found at start becomes `queued` by the event `interrupted`, which is
 * counted (I4). A delivery that is final (acknowledged, failed) never becomes due again by itself, and
 * an arrival that is final is never judged again (I12); one that is unreadable is, when an admin says
 * so, for nothing was done because of it. */
#ifndef DEWLINE_STORE_STATE_H
#define DEWLINE_STORE_STATE_H

#include <stdbool.h>

enum state_kind {
	STATE_ARRIVAL,
	STATE_ADVISORY,
	STATE_DELIVERY,
	STATE_CERTIFICATE,
	STATE_MEMBER,
	STATE_HOLD
};

/* Names as they stand in the store and are shown:
 *   arrival      received judged done refused unreadable
 *   advisory     held released sealed delivering complete withdrawn
 *   delivery     queued sending sent deferred acknowledged failed bounced
 *   certificate  pending confirmed retired
 *   member       invited active lapsed suspended left
 *   hold         waiting held released withdrawn rejected failed
 * Events:
 *   arrival      judge finish refuse give-up retry
 *   advisory     release seal start complete withdraw
 *   delivery     start interrupted accept postpone reject acknowledge bounce exclude retry
 *   certificate  confirm retire
 *   member       invite join lapse renew suspend resume leave
 *   hold         approve release reject withdraw fail
 * Some rows lead to where they began: news that comes late (the smarthost's word about a delivery
 * that is acknowledged already) is taken and changes nothing.
 *
 * The name of the state that `event` leads to from `from`, or NULL where that is not allowed. */
const char *state_after(enum state_kind kind, const char *from, const char *event);
/* True for a state that no event leaves for another. */
bool state_is_final(enum state_kind kind, const char *state);
/* True when the table knows this state. */
bool state_exists(enum state_kind kind, const char *state);

#endif
