#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_clock.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "rules/pace.h"
#include "rules/signature.h"
#include "rules/witness.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/pace.h"

enum {
	KEEP_MS = 5 * 60 * 1000, /* well below PACE_START_S */
	ASK_MS = 5 * 1000,
	LASTING_S = 2 * 60, /* a jump there and back again is not told */
	REST_MS = 60 * 1000,
};

enum letter { LETTER_NONE, LETTER_OFF, LETTER_SLOW };

struct pacing {
	struct pace_state state; /* as in the store */
	char boot[CLOCK_BOOT_SIZE];
	int64_t kept_at; /* monotonic, milliseconds, as all below */
	int64_t asked_at; /* what signatures say */
	enum letter telling; /* under way */
	int64_t told_since; /* of the state that it tells of */
	int64_t rest_until; /* a letter failed */
};

static struct pace_verdict judge(
    const struct pacing *pacing, const struct pace_mark *mark, struct clock_reading *reading)
{
	memcpy(reading->boot, pacing->boot, sizeof reading->boot);
	clock_read(reading);
	return pace_judge(mark, reading);
}

int64_t gate_now(const struct gate *gate)
{
	struct clock_reading reading;
	return gate->pacing == NULL
		   ? clock_now()
		   : judge(gate->pacing, &gate->pacing->state.mark, &reading).now;
}

bool pace_is_off(const struct gate *gate)
{
	return gate->pacing != NULL && gate->pacing->state.since != 0;
}

/* -- what is kept -- */

static bool is_noted(const struct pace_state *state, const struct pace_verdict *verdict)
{
	switch (verdict->pace) {
	case PACE_AHEAD:
		return state->ahead > 0;
	case PACE_BEHIND:
		return state->behind > 0;
	default:
		return state->since == 0 && !verdict->stepped && state->mark.now != 0;
	}
}

static int say(struct gate *gate, const struct pace_state *state, const char *event, struct err *err)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	if (state->since == 0)
		buf_add_text(&text, "the clock is believed");
	else
		letter_clock_what(&text, state);
	if (state->since == 0)
		log_info("%s", buf_text(&text));
	else
		log_error("%s: if it is right, call dewctl clock confirm", buf_text(&text));
	const int result = store_audit_add(
	    gate->store, clock_now(), "gate", event, "clock", err, "%s", buf_text(&text));
	buf_release(&text);
	return result;
}

static void note(struct pace_state *state, const struct pace_verdict *verdict, int64_t now)
{
	state->since = verdict->pace == PACE_STEADY ? 0 : now;
	state->ahead = verdict->pace == PACE_AHEAD ? verdict->off : 0;
	state->behind = verdict->pace == PACE_BEHIND ? -verdict->off : 0;
	state->started = verdict->started;
	state->told = state->slow_told = false;
}

/* In one transaction with the look, or what dewctl says meanwhile would be lost. */
static int keep(struct gate *gate, struct err *err)
{
	struct pacing *pacing = gate->pacing;
	struct clock_reading reading;
	struct pace_state state;
	if (store_begin(gate->store, err) != 0 || store_pace_get(gate->store, &state, err) != 0)
		return -1;
	const bool first = state.mark.now == 0;
	const struct pace_verdict verdict = judge(pacing, &state.mark, &reading);
	const bool was_off = state.since != 0;
	if (!is_noted(&state, &verdict)) {
		note(&state, &verdict, reading.now);
		if (!first && store_witness_forget(gate->store, err) != 0)
			return -1;
		if ((state.since != 0 || was_off) &&
		    say(gate, &state, state.since != 0 ? "clock.off" : "clock.believed", err) != 0)
			return -1;
	}
	pace_renew(&state.mark, &reading, &verdict);
	if (store_pace_set(gate->store, &state, err) != 0 || store_commit(gate->store, err) != 0)
		return -1;
	pacing->state = state;
	pacing->kept_at = clock_monotonic_ms();
	return 0;
}

/* -- what signatures say -- */

int pace_note_date(const struct mail_facts *facts, struct err *err)
{
	struct witness witness = {.seen_at = 0};
	struct arrival arrival;
	bool found;
	if (facts->hold != 0 || facts->automatic || !facts->signer_known ||
	    facts->opened.signature_count != 1 ||
	    !signature_is_by(&facts->opened, &facts->signer))
		return 0;
	if (store_arrival_get(facts->gate->store, facts->arrival, &arrival, &found, err) != 0)
		return -1;
	if (!found || arrival.reason[0] != '\0') /* it waited, and the clock may have been set */
		return 0;
	witness.seen_at = arrival.received_at;
	witness.ahead = facts->opened.signatures[0].created - arrival.received_at;
	memcpy(witness.fingerprint, facts->signer.facts.fingerprint, sizeof witness.fingerprint);
	return store_witness_set(facts->gate->store, &witness, err);
}

struct heard {
	int64_t *ahead;
	size_t count;
};

static int hear(void *context, const struct witness *witness, struct err *err)
{
	struct heard *heard = context;
	(void)err;
	heard->ahead = reallocarray(heard->ahead, heard->count + 1, sizeof *heard->ahead);
	if (heard->ahead == NULL)
		abort();
	heard->ahead[heard->count++] = witness->ahead;
	return 0;
}

static int ask_witnesses(struct gate *gate, struct witness_verdict *verdict, struct err *err)
{
	struct heard heard = {.count = 0};
	const int result =
	    store_witness_each(gate->store, clock_now() - WITNESS_AGE_S, hear, &heard, err);
	if (result == 0)
		*verdict =
		    witness_judge(heard.ahead, heard.count, gate->config->limits.clock_skew);
	free(heard.ahead);
	return result;
}

/* -- telling the admins -- */

static int set_told(struct gate *gate, enum letter letter, struct err *err)
{
	struct pace_state state;
	if (store_pace_get(gate->store, &state, err) != 0)
		return -1;
	if (letter == LETTER_OFF)
		state.told = true;
	else
		state.slow_told = true;
	return store_pace_set(gate->store, &state, err);
}

static int record_told(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct gate *gate = context;
	const struct pacing *pacing = gate->pacing;
	(void)message;
	(void)title;
	*go = pacing->state.since == pacing->told_since; /* else it has changed meanwhile */
	return *go ? set_told(gate, pacing->telling, err) : 0;
}

static void on_told(void *context, enum outgoing_end how, const char *problem)
{
	struct gate *gate = context;
	struct pacing *pacing = gate->pacing;
	if (how == OUTGOING_RECORDED && pacing->telling == LETTER_OFF)
		pacing->state.told = true;
	else if (how == OUTGOING_RECORDED)
		pacing->state.slow_told = true;
	else
		pacing->rest_until = clock_monotonic_ms() + REST_MS;
	if (how == OUTGOING_FAILED)
		log_error("the admins cannot be told of the clock now: %s", problem);
	pacing->telling = LETTER_NONE;
}

static void tell(
    struct gate *gate, enum letter letter, const char *subject, const struct buf *text)
{
	struct pacing *pacing = gate->pacing;
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
	    .subject = subject,
	    .text = buf_view(text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_told,
	    .done = on_told,
	    .context = gate,
	};
	pacing->telling = letter;
	pacing->told_since = pacing->state.since;
	if (to.count > 0 && outgoing_send(gate, &outgoing))
		return;
	recipients_release(&to);
	pacing->telling = LETTER_NONE;
	if (set_told(gate, letter, &err) != 0) /* there is nobody: the log and dewctl have it */
		gate_fail(gate, &err);
}

static void tell_off(struct gate *gate)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	letter_clock_off(&text, &gate->pacing->state, clock_now());
	tell(gate, LETTER_OFF, "Alarm: the gateway's clock was set, and may be wrong", &text);
	buf_release(&text);
}

static void tell_slow(struct gate *gate)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct witness_verdict verdict;
	int64_t waiting;
	struct err err;
	gate->pacing->asked_at = clock_monotonic_ms();
	if (ask_witnesses(gate, &verdict, &err) != 0 ||
	    store_arrival_count_waiting(gate->store, "", 0, &waiting, &err) != 0)
		gate_fail(gate, &err);
	else if (verdict.word == WITNESS_SLOW) {
		letter_clock_slow(&text, &verdict, waiting, clock_now());
		tell(gate, LETTER_SLOW, "Alarm: the gateway's clock is slow", &text);
	}
	buf_release(&text);
}

/* -- the look -- */

static bool is_lasting(const struct pace_state *state)
{
	const int64_t now = clock_now();
	return now < state->since || now - state->since >= LASTING_S;
}

void pace_check(struct gate *gate, int64_t now)
{
	struct pacing *pacing = gate->pacing;
	struct clock_reading reading;
	struct err err;
	(void)now;
	if (store_pace_get(gate->store, &pacing->state, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	const struct pace_verdict verdict = judge(pacing, &pacing->state.mark, &reading);
	const bool noted = is_noted(&pacing->state, &verdict);
	if ((!noted || clock_monotonic_ms() - pacing->kept_at >= KEEP_MS) &&
	    keep(gate, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		return;
	}
	if (!noted) /* the time that is gone by has changed */
		gate->want_send = gate->want_seal = gate->want_account = true;
	if (pacing->telling != LETTER_NONE || clock_monotonic_ms() < pacing->rest_until)
		return;
	if (pacing->state.since != 0 && !pacing->state.told && is_lasting(&pacing->state))
		tell_off(gate);
	else if (!pacing->state.slow_told && clock_monotonic_ms() - pacing->asked_at >= ASK_MS)
		tell_slow(gate);
}

int pace_start(struct gate *gate, struct err *err)
{
	gate->pacing = calloc(1, sizeof *gate->pacing);
	if (gate->pacing == NULL)
		abort();
	clock_find_boot(gate->pacing->boot);
	return store_pace_get(gate->store, &gate->pacing->state, err);
}

void pace_stop(struct gate *gate)
{
	free(gate->pacing);
	gate->pacing = NULL;
}
