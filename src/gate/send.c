#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "courier/courier.h"
#include "gate/account.h"
#include "base/text.h"
#include "gate/entitle.h"
#include "gate/pace.h"
#include "gate/refusals.h"
#include "gate/schedule.h"
#include "gate/send.h"
#include "mail/compose.h"
#include "rules/retry.h"
#include "store/audit.h"
#include "store/messages.h"
#include "store/outcomes.h"
#include "worker/frame.h"

enum {
	RUN_DELIVERIES = 32,
	PAUSE_STEP_MS = 1000,
	PAUSE_MOST_MS = 60 * 1000,
	SECOND_MS = 1000,
};

/* When the smarthost last took a mail, in seconds. */
static const char taken_name[] = "smarthost-taken";

/* Deliveries of one batch in the hands of a courier. */
struct run {
	struct gate *gate;
	struct courier_run request; /* used while it is being put together */
	struct buf head, data, tail;
	struct buf pkesks[RUN_DELIVERIES];
	struct delivery deliveries[RUN_DELIVERIES];
	bool answered[RUN_DELIVERIES];
	struct courier_result held[RUN_DELIVERIES]; /* a refusal that may be final; id 0: none */
	bool taken; /* the smarthost took one of them */
	size_t count;
	struct run *next; /* among those under way */
};

struct result {
	struct delivery delivery; /* as it was before the attempt */
	struct courier_result courier;
};

struct sending {
	struct run *under_way;
	struct result *results;
	size_t result_count;
	size_t result_room;
	struct loop_timer *wake;
	struct refusals *refusals;
	int64_t taken_at; /* when the smarthost last took a mail, 0: never */
	int64_t trouble_since; /* monotonic: it has something against us; 0: no, or a mail went since */
	struct loop_timer *tell;
	int64_t pause_ms; /* grows while the smarthost is down */
	int64_t paused_until; /* monotonic, 0: not paused */
};

static void run_free(struct run *run)
{
	struct sending *sending = run->gate->sending;
	for (struct run **at = &sending->under_way; *at != NULL; at = &(*at)->next) {
		if (*at == run) {
			*at = run->next;
			break;
		}
	}
	for (size_t i = 0; i < RUN_DELIVERIES; i++)
		buf_release(&run->pkesks[i]);
	buf_release(&run->head);
	buf_release(&run->data);
	buf_release(&run->tail);
	free(run);
}

static void add_result(
    struct gate *gate, const struct delivery *delivery, const struct courier_result *courier)
{
	struct sending *sending = gate->sending;
	if (sending->result_count == sending->result_room) {
		sending->result_room = sending->result_room * 2 + 64;
		sending->results =
		    reallocarray(sending->results, sending->result_room, sizeof *sending->results);
		if (sending->results == NULL)
			abort();
	}
	sending->results[sending->result_count++] =
	    (struct result){.delivery = *delivery, .courier = *courier};
}

/* The smarthost is at fault, or we are: not the recipient, whatever it says. */
static void add_ours(
    struct gate *gate, const struct delivery *delivery, struct courier_result result)
{
	char said[COURIER_TEXT_SIZE];
	snprintf(said, sizeof said, "%s", result.text);
	result.outcome = COURIER_DEFERRED;
	result.about = COURIER_ABOUT_GATEWAY;
	snprintf(result.text, sizeof result.text, "said of everybody: %.200s", said);
	add_result(gate, delivery, &result);
}

/* One delivery of what is held: is it about that recipient? */
static void judge_held(struct run *run, size_t i)
{
	struct refusals *refusals = run->gate->sending->refusals;
	const struct delivery *delivery = &run->deliveries[i];
	if (!run->taken && refusals_are_alike(refusals, delivery, run->held[i].text)) {
		add_ours(run->gate, delivery, run->held[i]);
	} else {
		refusals_believe(refusals, delivery->id);
		add_result(run->gate, delivery, &run->held[i]);
	}
}

/* What failed before it was known that the smarthost refuses everybody. */
static void take_back(struct gate *gate)
{
	const struct delivery *delivery;
	while ((delivery = refusals_take_back(gate->sending->refusals)) != NULL) {
		struct courier_result result = {.id = delivery->id};
		snprintf(result.text, sizeof result.text, "the refusal is taken back");
		add_ours(gate, delivery, result);
	}
}

static void judge_all_held(struct run *run)
{
	struct refusals *refusals = run->gate->sending->refusals;
	for (size_t i = 0; i < run->count && !run->taken; i++) {
		if (run->held[i].id != 0)
			refusals_add(refusals, &run->deliveries[i], run->held[i].text);
	}
	for (size_t i = 0; i < run->count; i++) {
		if (run->held[i].id != 0)
			judge_held(run, i);
	}
	take_back(run->gate);
}

/* No word of these: they may have been sent. */
static void finish_run(struct run *run, const char *why)
{
	struct courier_result lost = {
	    .outcome = COURIER_AMBIGUOUS, .about = COURIER_ABOUT_GATEWAY};
	judge_all_held(run);
	snprintf(lost.text, sizeof lost.text, "%s", why);
	for (size_t i = 0; i < run->count; i++) {
		if (!run->answered[i]) {
			lost.id = run->deliveries[i].id;
			add_result(run->gate, &run->deliveries[i], &lost);
		}
	}
	run->gate->want_send = true;
	run_free(run);
}

/* A refusal that may be final waits for what becomes of the others. */
static void note_result(struct run *run, size_t i, const struct courier_result *result)
{
	run->answered[i] = true;
	if (result->outcome == COURIER_FAILED && result->about == COURIER_ABOUT_RECIPIENT) {
		run->held[i] = *result;
		return;
	}
	if (result->outcome == COURIER_SENT) {
		run->taken = true;
		refusals_forget(run->gate->sending->refusals);
	}
	add_result(run->gate, &run->deliveries[i], result);
}

static bool take_result(struct run *run, struct view body)
{
	struct courier_result result;
	if (!courier_take_result(body, &result))
		return false;
	for (size_t i = 0; i < run->count; i++) {
		if (run->deliveries[i].id == result.id && !run->answered[i]) {
			note_result(run, i, &result);
			return true;
		}
	}
	return false; /* of a delivery it was not given, or a second time */
}

static bool on_courier(void *context, enum pool_event event, struct view body)
{
	struct run *run = context;
	if (event == POOL_PROGRESS)
		return take_result(run, body);
	if (event == POOL_ANSWER && body.len > 0)
		return false;
	finish_run(run, event == POOL_DIED ? "the courier ended before it had the answer"
					   : "the courier gave no result");
	return true;
}

/* What a result means for the delivery: one row for each outcome. */
static const struct {
	const char *event;
	const char *audit;
	bool ambiguous;
} outcomes[] = {
    [COURIER_SENT] = {"accept", "delivery.sent", false},
    [COURIER_DEFERRED] = {"postpone", "delivery.deferred", false},
    [COURIER_FAILED] = {"reject", "delivery.failed", false},
    [COURIER_AMBIGUOUS] = {"postpone", "delivery.ambiguous", true},
};

static const enum delivery_about abouts[] = {
    [COURIER_ABOUT_RECIPIENT] = DELIVERY_ABOUT_RECIPIENT,
    [COURIER_ABOUT_MESSAGE] = DELIVERY_ABOUT_MESSAGE,
    [COURIER_ABOUT_GATEWAY] = DELIVERY_ABOUT_GATEWAY,
};

/* When it is tried again. False: it is given up. */
static bool choose_next(
    const struct gate *gate, const struct result *result, int64_t now, int64_t *next_at)
{
	const struct config *config = gate->config;
	const struct retry_times times = {
	    config->retry.first, config->retry.most, config->retry.give_up};
	const struct courier_result *courier = &result->courier;
	const struct delivery *delivery = &result->delivery;
	const bool ours =
	    courier->outcome == COURIER_DEFERRED && courier->about == COURIER_ABOUT_GATEWAY;
	/* A minute of refusals costs a minute: the pause grows one attempt later than for what a
	 * recipient's mailbox says, and is never longer than the time that it took so far. */
	const int64_t tries =
	    ours && delivery->attempts > 0 ? delivery->attempts : delivery->attempts + 1;
	const bool again = retry_next(&times, tries, delivery->first_at, now, next_at);
	/* A smarthost that takes nothing from us is waited for without end. */
	if (!again && ours && gate->sending->taken_at < delivery->first_at) {
		*next_at = now + times.most;
		return true;
	}
	/* On with it as soon as the smarthost is back, and behind all others where it was this very
	 * one that ended the connection: else it could keep them from being tried for ever. But
	 * where it may have been sent each time, haste would only multiply the copies. */
	if (again && ours && courier->smarthost_down)
		*next_at =
		    now + gate->sending->pause_ms / SECOND_MS + (courier->code != 0 ? 1 : 0);
	return again;
}

static int apply(struct gate *gate, const struct result *result, int64_t now, struct err *err)
{
	const struct courier_result *courier = &result->courier;
	const struct delivery *delivery = &result->delivery;
	enum courier_outcome outcome = courier->outcome;
	char label[STORE_NAME_SIZE];
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	char reason[STORE_REASON_SIZE];
	int64_t next_at = 0;
	snprintf(reason, sizeof reason, "%s", outcome == COURIER_SENT ? "" : courier->text);
	if ((outcome == COURIER_DEFERRED || outcome == COURIER_AMBIGUOUS) &&
	    !choose_next(gate, result, now, &next_at)) {
		outcome = COURIER_FAILED;
		snprintf(reason, sizeof reason, "given up after %lld attempts: %.200s",
		    (long long)delivery->attempts + 1, courier->text);
	}
	if (store_delivery_move(gate->store, delivery->id, outcomes[outcome].event, reason, next_at,
		now, outcomes[outcome].ambiguous, err) != 0 ||
	    (outcome != COURIER_SENT && store_delivery_set_about(gate->store, delivery->id,
					    abouts[courier->about], err) != 0) ||
	    gate_label(gate, delivery->message, label, err) != 0)
		return -1;
	snprintf(subject, sizeof subject, "%s %s", label, delivery->address);
	if (outcome == COURIER_FAILED)
		log_error("%s: not delivered to %s: %s", label, delivery->address, reason);
	else if (outcome != COURIER_SENT)
		log_warning("%s: %s must wait: %s", label, delivery->address, reason);
	return store_audit_add(
	    gate->store, now, "gate", outcomes[outcome].audit, subject, err, "%s", courier->text);
}

static void tell(void *context)
{
	struct gate *gate = context;
	gate->sending->tell = NULL;
	schedule_soon(gate);
}

/* What it has against us, and when it is over: *free is raised when that lasted. */
static void note_trouble(struct gate *gate, const struct result *result, bool *free_again)
{
	struct sending *sending = gate->sending;
	const struct courier_result *courier = &result->courier;
	const int64_t now = clock_monotonic_ms();
	if (courier->outcome == COURIER_SENT) {
		if (sending->trouble_since != 0 &&
		    now - sending->trouble_since >= gate->config->retry.first * SECOND_MS)
			*free_again = true;
		sending->trouble_since = 0;
		return;
	}
	if (courier->about == COURIER_ABOUT_GATEWAY && sending->trouble_since == 0)
		sending->trouble_since = now;
	if (sending->tell == NULL)
		sending->tell = loop_after(
		    gate->loop, gate->config->smarthost.alarm * SECOND_MS, tell, gate);
}

static int keep_taken(struct gate *gate, int64_t now, struct err *err)
{
	char text[32];
	gate->sending->taken_at = now;
	snprintf(text, sizeof text, "%lld", (long long)now);
	return store_value_set(gate->store, taken_name, view_of(text), err);
}

/* For dewctl check: what the smarthost said last. */
static int keep_word(struct gate *gate, const struct courier_result *last, int64_t now, struct err *err)
{
	struct smarthost_word word = {
	    .at = now, .code = last->code, .taken = last->outcome == COURIER_SENT};
	snprintf(word.text, sizeof word.text, "%s", last->text);
	return store_smarthost_word_set(gate->store, &word, err);
}

/* The way is free: whatever waits because of what the smarthost had against us goes at once. */
static int send_ours(struct gate *gate, int64_t now, struct err *err)
{
	int64_t count;
	if (store_delivery_retry_ours(gate->store, now, &count, err) != 0)
		return -1;
	if (count > 0)
		log_info("the smarthost takes mail again: %lld deliveries are due at once",
		    (long long)count);
	return 0;
}

/* While the smarthost itself is down there is no use in running through the whole queue. */
static void judge_smarthost(struct sending *sending, const struct result *result)
{
	if (!result->courier.smarthost_down) {
		if (result->courier.outcome == COURIER_SENT)
			sending->pause_ms = 0;
		return;
	}
	if (sending->paused_until > clock_monotonic_ms())
		return;
	sending->pause_ms += PAUSE_STEP_MS;
	if (sending->pause_ms > PAUSE_MOST_MS)
		sending->pause_ms = PAUSE_MOST_MS;
	sending->paused_until = clock_monotonic_ms() + sending->pause_ms;
	log_error("the smarthost cannot be used, next attempt in %lld s: %s",
	    (long long)sending->pause_ms / 1000, result->courier.text);
}

static int apply_all(struct gate *gate, int64_t now, struct err *err)
{
	struct sending *sending = gate->sending;
	bool free_again = false;
	bool taken = false;
	for (size_t i = 0; i < sending->result_count; i++)
		taken = taken || sending->results[i].courier.outcome == COURIER_SENT;
	if (taken && keep_taken(gate, now, err) != 0)
		return -1;
	if (keep_word(gate, &sending->results[sending->result_count - 1].courier, now, err) != 0)
		return -1;
	for (size_t i = 0; i < sending->result_count; i++) {
		judge_smarthost(sending, &sending->results[i]);
		note_trouble(gate, &sending->results[i], &free_again);
		if (apply(gate, &sending->results[i], now, err) != 0)
			return -1;
	}
	return free_again ? send_ours(gate, now, err) : 0;
}

void send_flush(struct gate *gate)
{
	struct sending *sending = gate->sending;
	const int64_t now = gate_now(gate);
	struct err err;
	if (sending->result_count == 0 || gate->failed)
		return;
	if (store_begin(gate->store, &err) != 0 || apply_all(gate, now, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	sending->result_count = 0;
	gate->want_send = true;
	account_soon(gate);
}

static int add_due(
    void *context, const struct delivery *delivery, struct view pkesk, struct err *err)
{
	struct run *run = context;
	const size_t i = run->count;
	(void)err;
	run->deliveries[i] = *delivery;
	run->pkesks[i] = BUF_EMPTY(BUF_SMALL);
	buf_add_view(&run->pkesks[i], pkesk);
	run->count++;
	return 0;
}

/* Of those that are due, whoever may still have it: they move to the front. */
static int choose_due(struct run *run, struct err *err)
{
	bool may[RUN_DELIVERIES];
	size_t left = 0;
	if (entitle_check(run->gate, ENTITLE_SENDING, run->deliveries, run->count, may, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++) {
		if (!may[i])
			continue;
		struct courier_delivery *at = &run->request.deliveries[left];
		run->deliveries[left] = run->deliveries[i];
		buf_move(&run->pkesks[left], &run->pkesks[i]);
		at->id = run->deliveries[left].id;
		view_copy(
		    view_of(run->deliveries[left].address), at->recipient, sizeof at->recipient);
		if (gate_return_path(run->gate, at->id, at->sender, sizeof at->sender, err) != 0)
			return -1;
		at->pkesk = buf_view(&run->pkesks[left]);
		left++;
	}
	run->count = left;
	return 0;
}

static int start_all(struct run *run, int64_t now, struct err *err)
{
	if (store_begin(run->gate->store, err) != 0)
		return -1;
	for (size_t i = 0; i < run->count; i++) {
		if (store_delivery_move(run->gate->store, run->deliveries[i].id, "start", NULL, 0,
			now, false, err) != 0)
			return -1;
		if (run->deliveries[i].first_at == 0)
			run->deliveries[i].first_at = now;
	}
	return store_commit(run->gate->store, err);
}

static void ask_courier(struct run *run)
{
	struct gate *gate = run->gate;
	struct pool_request request = {
	    .type = COURIER_REQUEST_SEND,
	    .body = BUF_EMPTY(FRAME_BODY_MAX),
	    .attempts = 1, /* a second attempt is the store's business: it counts them */
	    .in_parts = true,
	    .answer = on_courier,
	    .context = run,
	};
	run->request.head = buf_view(&run->head);
	run->request.data = buf_view(&run->data);
	run->request.tail = buf_view(&run->tail);
	run->request.count = run->count;
	request.deadline_ms = courier_deadline_ms(&run->request);
	courier_put_run(&request.body, &run->request);
	run->next = gate->sending->under_way;
	gate->sending->under_way = run;
	pool_ask(gate->couriers, &request);
}

static struct run *run_new(struct gate *gate)
{
	struct run *run = calloc(1, sizeof *run);
	if (run == NULL)
		abort();
	run->gate = gate;
	run->head = BUF_EMPTY(FRAME_BODY_MAX / 2);
	run->data = BUF_EMPTY(FRAME_BODY_MAX / 2);
	run->tail = BUF_EMPTY(FRAME_BODY_MAX / 2);
	return run;
}

/* What is due, and may go, into the run; *batch is where it belongs, 0: nothing is due. */
static int fill_run(struct run *run, int64_t now, int64_t *batch, int64_t *next_at, struct err *err)
{
	struct store *store = run->gate->store;
	char tag[STORE_ID_SIZE];
	int64_t sealed_at;
	if (store_due_next(store, now, RUN_DELIVERIES, batch, next_at, add_due, run, err) != 0 ||
	    choose_due(run, err) != 0)
		return -1;
	if (run->count == 0)
		return 0;
	if (store_batch_read(store, *batch, &run->request.clear, &sealed_at, &run->head, &run->data,
		&run->tail, err) != 0)
		return -1;
	if (sealed_at != 0)
		compose_set_date(&run->head, sealed_at);
	if (store_batch_tag(store, *batch, tag, err) != 0)
		return -1;
	compose_set_tag(&run->head, tag);
	return start_all(run, now, err);
}

/* True when there was something due; *next_at says when something will be, 0: nothing will. */
static bool start_run(struct gate *gate, int64_t now, int64_t *next_at)
{
	struct run *run = run_new(gate);
	int64_t batch = 0;
	struct err err;
	if (fill_run(run, now, &batch, next_at, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		run_free(run);
		return false;
	}
	if (run->count > 0)
		ask_courier(run);
	else
		run_free(run);
	return batch != 0;
}

static void wake(void *context)
{
	struct gate *gate = context;
	gate->sending->wake = NULL;
	gate->want_send = true;
}

static void wake_in(struct gate *gate, int64_t ms)
{
	loop_timer_cancel(gate->loop, gate->sending->wake);
	gate->sending->wake = loop_after(gate->loop, ms < 0 ? 0 : ms, wake, gate);
}

/* No delivery is ever put off for longer than retry.most: the clock was ahead when the time for it
 * was chosen, and has been set back since. */
static void mend_times(struct gate *gate, int64_t now)
{
	int64_t count;
	struct err err;
	if (store_delivery_retry_now(gate->store, now, &count, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	log_warning("the clock was set back: %lld deliveries are due at once", (long long)count);
	gate->want_send = true;
}

void send_work(struct gate *gate)
{
	struct sending *sending = gate->sending;
	const int64_t now = gate_now(gate);
	const int64_t paused = sending->paused_until - clock_monotonic_ms();
	int64_t next_at = 0;
	gate->want_send = false;
	if (sending->paused_until != 0 && paused > 0) {
		wake_in(gate, paused);
		return;
	}
	sending->paused_until = 0;
	while (!gate->failed && pool_idle(gate->couriers) > 0) {
		if (!start_run(gate, now, &next_at)) {
			if (next_at > now + gate->config->retry.most)
				mend_times(gate, now);
			else if (next_at > 0)
				wake_in(gate, (next_at - now) * 1000);
			return;
		}
	}
}

int send_start(struct gate *gate, struct err *err)
{
	struct buf taken = BUF_EMPTY(BUF_SMALL);
	bool found;
	gate->sending = calloc(1, sizeof *gate->sending);
	if (gate->sending == NULL)
		abort();
	gate->sending->refusals = refusals_new();
	const int result = store_value_get(gate->store, taken_name, &taken, &found, err);
	if (result == 0 && found)
		text_number(buf_view(&taken), 0, INT64_MAX, &gate->sending->taken_at);
	buf_release(&taken);
	return result;
}

void send_stop(struct gate *gate)
{
	if (gate->sending == NULL)
		return;
	while (gate->sending->under_way != NULL)
		run_free(gate->sending->under_way);
	refusals_free(gate->sending->refusals);
	free(gate->sending->results);
	free(gate->sending);
}
