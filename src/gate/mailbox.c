#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "courier/courier.h"
#include "gate/letters_mailbox.h"
#include "gate/mailbox.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "store/audit.h"
#include "store/mailbox.h"

enum {
	PAUSE_FIRST_MS = 1000,
	PAUSE_MOST_MS = 5 * 60 * 1000,
	REFUSED_FIRST_MS = 60 * 1000,
	REFUSED_MOST_MS = 60 * 60 * 1000,
	LEFT_MAX = 100, /* told apart from one round to the next */
	REST_MS = 60 * 1000,
};

struct mailboxing {
	struct gate *gate;
	struct pool *pool;
	struct loop_timer *again;
	int64_t pause_ms; /* the last one, 0: none since it was reached */
	struct mailbox_state state; /* as in the store */
	bool rounded; /* a round has ended: left[] is all that was left in it */
	uint32_t left[LEFT_MAX]; /* UIDs of the last round */
	size_t left_count;
	uint32_t now[LEFT_MAX]; /* of the round that is under way */
	size_t now_count;
	struct mailbox_state next; /* what a letter makes of the state */
	bool telling;
	int64_t rest_until; /* monotonic, milliseconds: a letter failed */
};

static void ask(struct mailboxing *mailbox);

static const char *mailbox_name(const struct mailboxing *mailbox)
{
	return mailbox->gate->config->imap.mailbox;
}

/* -- the store -- */

/* Keeps the state, with a line in the audit. */
static void keep(struct mailboxing *mailbox, const struct mailbox_state *state, const char *event,
    const char *subject, const char *detail)
{
	struct gate *gate = mailbox->gate;
	struct err err;
	if (store_begin(gate->store, &err) != 0 ||
	    store_mailbox_set(gate->store, state, &err) != 0 ||
	    (event != NULL && store_audit_add(gate->store, clock_now(), "gate", event, subject,
				  &err, "%s", detail) != 0) ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		return;
	}
	mailbox->state = *state;
}

/* -- what the courier says -- */

static void on_reached(struct mailboxing *mailbox, const struct courier_watch *part)
{
	struct mailbox_state state = mailbox->state;
	log_info("the mailbox %s is open with %lld messages: %s", mailbox_name(mailbox),
	    (long long)part->size, part->text);
	mailbox->now_count = 0;
	if (state.left_validity != (int64_t)part->validity)
		mailbox->left_count = 0; /* these UIDs are of other messages now */
	const bool was_down = state.down_since != 0;
	state.down_since = 0;
	state.down_told = false;
	state.down_reason[0] = '\0';
	state.reached_at = clock_now();
	keep(mailbox, &state, was_down ? "mailbox.reached" : NULL, mailbox_name(mailbox),
	    part->text);
}

static bool contains(const uint32_t *uids, size_t count, uint32_t uid)
{
	for (size_t i = 0; i < count; i++) {
		if (uids[i] == uid)
			return true;
	}
	return false;
}

/* Whether it was there before this gate was started counts as well. */
static bool is_new(const struct mailboxing *mailbox, const struct courier_watch *part)
{
	const struct mailbox_state *state = &mailbox->state;
	if (contains(mailbox->now, mailbox->now_count, part->uid) ||
	    contains(mailbox->left, mailbox->left_count, part->uid))
		return false;
	return mailbox->rounded || state->left_validity != (int64_t)part->validity ||
	       (int64_t)part->uid > state->left_uid;
}

static void on_left(struct mailboxing *mailbox, const struct courier_watch *part)
{
	struct mailbox_state state = mailbox->state;
	char subject[STORE_NAME_SIZE];
	char detail[STORE_REASON_SIZE];
	const bool fresh = is_new(mailbox, part);
	if (mailbox->now_count < LEFT_MAX && !contains(mailbox->now, mailbox->now_count, part->uid))
		mailbox->now[mailbox->now_count++] = part->uid;
	if (!fresh)
		return;
	snprintf(subject, sizeof subject, "%.100s %lu/%lu", mailbox_name(mailbox),
	    (unsigned long)part->validity, (unsigned long)part->uid);
	snprintf(detail, sizeof detail, "%lld bytes: %.200s", (long long)part->size, part->text);
	log_warning("message %s stays in the mailbox: %s", subject, detail);
	if (state.left_validity != (int64_t)part->validity || (int64_t)part->uid > state.left_uid)
		state.left_uid = part->uid;
	state.left_validity = part->validity;
	state.left_told = false;
	snprintf(state.left_reason, sizeof state.left_reason, "%.80s, %.150s", subject, detail);
	keep(mailbox, &state, "mailbox.left", subject, detail);
	schedule_soon(mailbox->gate);
}

static void on_round(struct mailboxing *mailbox, const struct courier_watch *part)
{
	struct mailbox_state state = mailbox->state;
	/* Not when it was merely opened: one that breaks soon is no reason for haste. */
	mailbox->pause_ms = 0;
	mailbox->rounded = true;
	memcpy(mailbox->left, mailbox->now, sizeof mailbox->left);
	mailbox->left_count = mailbox->now_count;
	mailbox->now_count = 0;
	if (state.left == part->size)
		return;
	state.left = part->size;
	if (state.left == 0)
		state.left_reason[0] = '\0';
	keep(mailbox, &state, NULL, NULL, NULL);
}

static void on_again(void *context)
{
	struct mailboxing *mailbox = context;
	mailbox->again = NULL;
	ask(mailbox);
}

static int64_t next_pause(int64_t last, bool refused)
{
	const int64_t first = refused ? REFUSED_FIRST_MS : PAUSE_FIRST_MS;
	const int64_t most = refused ? REFUSED_MOST_MS : PAUSE_MOST_MS;
	const int64_t next = last * 2 < first ? first : last * 2;
	return next > most ? most : next;
}

static void on_end(struct mailboxing *mailbox, const char *reason, bool refused)
{
	struct mailbox_state state = mailbox->state;
	mailbox->pause_ms = next_pause(mailbox->pause_ms, refused);
	log_error("the mailbox %s cannot be watched, next attempt in %lld s: %s",
	    mailbox_name(mailbox), (long long)mailbox->pause_ms / 1000, reason);
	const bool was_down = state.down_since != 0;
	if (!was_down)
		state.down_since = clock_now();
	snprintf(state.down_reason, sizeof state.down_reason, "%s", reason);
	keep(mailbox, &state, was_down ? NULL : "mailbox.lost", mailbox_name(mailbox), reason);
	mailbox->again = loop_after(mailbox->gate->loop, mailbox->pause_ms, on_again, mailbox);
}

static bool on_courier(void *context, enum pool_event event, struct view body)
{
	static void (*const takers[])(struct mailboxing *, const struct courier_watch *) = {
	    [COURIER_WATCH_REACHED] = on_reached,
	    [COURIER_WATCH_LEFT] = on_left,
	    [COURIER_WATCH_ROUND] = on_round,
	};
	struct mailboxing *mailbox = context;
	struct courier_watch part;
	if (event == POOL_DIED) {
		on_end(mailbox, "the courier ended", false);
		return true;
	}
	if (!courier_take_watch(body, &part))
		return false;
	const bool last = part.what == COURIER_WATCH_ENDED || part.what == COURIER_WATCH_REFUSED;
	if (last != (event == POOL_ANSWER))
		return false;
	if (last)
		on_end(mailbox, part.text, part.what == COURIER_WATCH_REFUSED);
	else if (part.what == COURIER_WATCH_TAKEN)
		log_debug("taken from the mailbox %s: %s", mailbox_name(mailbox), part.text);
	else
		takers[part.what](mailbox, &part);
	return true;
}

static void ask(struct mailboxing *mailbox)
{
	struct pool_request request = {
	    .type = COURIER_REQUEST_WATCH,
	    .body = BUF_EMPTY(BUF_SMALL),
	    .deadline_ms = courier_watch_deadline_ms(mailbox->gate->config),
	    .attempts = 1, /* with pauses of our own in between */
	    .in_parts = true,
	    .answer = on_courier,
	    .context = mailbox,
	};
	pool_ask(mailbox->pool, &request);
}

/* -- telling the admins -- */

static int record_told(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct mailboxing *mailbox = context;
	(void)message;
	(void)title;
	/* It may have changed meanwhile, and is then told of later. */
	*go = mailbox->state.down_since == mailbox->next.down_since &&
	      mailbox->state.left_uid == mailbox->next.left_uid;
	return *go ? store_mailbox_set(mailbox->gate->store, &mailbox->next, err) : 0;
}

static void on_told(void *context, enum outgoing_end how, const char *problem)
{
	struct mailboxing *mailbox = context;
	mailbox->telling = false;
	if (how == OUTGOING_RECORDED) {
		mailbox->state.down_told = mailbox->next.down_told;
		mailbox->state.left_told = mailbox->next.left_told;
		return;
	}
	if (how == OUTGOING_FAILED)
		log_error("the admins cannot be told of the mailbox now: %s", problem);
	mailbox->rest_until = clock_monotonic_ms() + REST_MS;
}

static void tell(struct mailboxing *mailbox, const struct buf *text)
{
	struct gate *gate = mailbox->gate;
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
	    .subject = "The gateway's mailbox needs you",
	    .text = buf_view(text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_told,
	    .done = on_told,
	    .context = mailbox,
	};
	mailbox->telling = to.count > 0 && outgoing_send(gate, &outgoing);
	if (mailbox->telling)
		return;
	recipients_release(&to);
	keep(mailbox, &mailbox->next, NULL, NULL, NULL); /* there is nobody to tell */
}

void mailbox_check(struct gate *gate, int64_t now)
{
	struct mailboxing *mailbox = gate->mailboxing;
	if (mailbox == NULL || mailbox->telling || clock_monotonic_ms() < mailbox->rest_until)
		return;
	const struct mailbox_state *state = &mailbox->state;
	const bool down = state->down_since != 0 && !state->down_told &&
			  now - state->down_since >= gate->config->imap.alarm;
	const bool left = state->left > 0 && !state->left_told;
	struct buf text = BUF_EMPTY(BUF_SMALL);
	if (!down && !left)
		return;
	mailbox->next = *state;
	mailbox->next.down_told = state->down_told || down;
	mailbox->next.left_told = state->left_told || left;
	if (down)
		letter_mailbox_down(
		    &text, gate->config, state->down_since, now, state->down_reason);
	if (left)
		letter_mailbox_left(&text, gate->config, state->left, state->left_reason);
	tell(mailbox, &text);
	buf_release(&text);
}

/* -- beginning and end -- */

int mailbox_start(struct gate *gate, struct err *err)
{
	struct mailbox_state state;
	if (gate->config->imap.server[0] == '\0')
		return 0;
	if (store_mailbox_get(gate->store, &state, err) != 0)
		return -1;
	gate->mailboxing = calloc(1, sizeof *gate->mailboxing);
	if (gate->mailboxing == NULL)
		abort();
	gate->mailboxing->gate = gate;
	gate->mailboxing->state = state;
	gate->mailboxing->pool = pool_new(gate->loop, gate->starter, WORKER_COURIER, 1);
	ask(gate->mailboxing);
	return 0;
}

void mailbox_stop(struct gate *gate)
{
	if (gate->mailboxing == NULL)
		return;
	pool_free(gate->mailboxing->pool);
	loop_timer_cancel(gate->loop, gate->mailboxing->again);
	free(gate->mailboxing);
}
