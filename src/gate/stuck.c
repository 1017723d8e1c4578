#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_mailbox.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/stuck.h"
#include "store/audit.h"
#include "store/stuck.h"

enum {
	LASTING_S = 2 * 60, /* some walks: what passes by itself is not told */
	REST_MS = 60 * 1000,
};

struct stuck {
	struct stuck_state state; /* as in the store */
	int64_t told_since; /* of the letter under way; 0: none is */
	int64_t rest_until; /* monotonic, milliseconds: a letter failed */
};

/* Keeps the state, with a line in the audit when that begins or ends. */
static void keep(struct gate *gate, const struct stuck_state *state, const char *event)
{
	struct err err;
	if (store_begin(gate->store, &err) != 0 || store_stuck_set(gate->store, state, &err) != 0 ||
	    (event != NULL && store_audit_add(gate->store, clock_now(), "gate", event, "drop", &err,
				  "%s", state->reason) != 0) ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		return;
	}
	gate->stuck->state = *state;
}

void stuck_note(struct gate *gate, int64_t count, const char *reason)
{
	const struct stuck_state *known = &gate->stuck->state;
	struct stuck_state state = *known;
	if (count == known->count && strncmp(reason, known->reason, sizeof state.reason - 1) == 0)
		return;
	state.count = count;
	snprintf(state.reason, sizeof state.reason, "%s", reason);
	if (count == 0) {
		log_info("nothing is stuck in the drop any more");
		state.since = 0;
		state.told = false;
		keep(gate, &state, "drop.free");
		return;
	}
	log_error("%lld cannot be taken from the drop, and will be tried again: %s",
	    (long long)count, reason);
	if (known->since == 0)
		state.since = clock_now();
	keep(gate, &state, known->since == 0 ? "drop.stuck" : NULL);
}

static int record_told(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct gate *gate = context;
	struct stuck_state state = gate->stuck->state;
	(void)message;
	(void)title;
	*go = state.since == gate->stuck->told_since; /* else it has ended meanwhile */
	state.told = true;
	return *go ? store_stuck_set(gate->store, &state, err) : 0;
}

static void on_told(void *context, enum outgoing_end how, const char *problem)
{
	struct gate *gate = context;
	struct stuck *stuck = gate->stuck;
	if (how == OUTGOING_RECORDED)
		stuck->state.told = true;
	else
		stuck->rest_until = clock_monotonic_ms() + REST_MS;
	if (how == OUTGOING_FAILED)
		log_error("the admins cannot be told of the drop now: %s", problem);
	stuck->told_since = 0;
}

static void tell(struct gate *gate, const struct buf *text)
{
	struct stuck_state state = gate->stuck->state;
	struct recipients to = {0};
	struct err err;
	if (recipients_add_admins(gate, &to, &err) != 0) {
		recipients_release(&to);
		gate_fail(gate, &err);
		return;
	}
	const struct outgoing outgoing = {
	    .kind = "alarm",
	    .to = gate->config->gateway.list,
	    .subject = "Alarm: mail cannot be taken from the drop",
	    .text = buf_view(text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_told,
	    .done = on_told,
	    .context = gate,
	};
	gate->stuck->told_since = state.since;
	if (to.count > 0 && outgoing_send(gate, &outgoing))
		return;
	recipients_release(&to);
	gate->stuck->told_since = 0;
	state.told = true; /* there is nobody to tell: the log and dewctl have it */
	keep(gate, &state, NULL);
}

void stuck_check(struct gate *gate, int64_t now)
{
	const struct stuck *stuck = gate->stuck;
	const struct stuck_state *state = &stuck->state;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	if (state->since == 0 || state->told || stuck->told_since != 0 ||
	    now - state->since < LASTING_S || clock_monotonic_ms() < stuck->rest_until)
		return;
	letter_drop_stuck(&text, gate->config, state, now);
	tell(gate, &text);
	buf_release(&text);
}

int stuck_start(struct gate *gate, struct err *err)
{
	gate->stuck = calloc(1, sizeof *gate->stuck);
	if (gate->stuck == NULL)
		abort();
	return store_stuck_get(gate->store, &gate->stuck->state, err);
}

void stuck_stop(struct gate *gate)
{
	free(gate->stuck);
}
