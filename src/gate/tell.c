#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gate/letters_answer.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "gate/tell.h"
#include "store/clear.h"
#include "store/uncounted.h"
#include "worker/frame.h"

enum {
	TELL_PAUSE_MS = 10 * 1000,
	TELL_GATHER_S = 3, /* so that many at once become one letter */
	MS = 1000
};

enum telling_kind {
	TELLING_CLEAR, /* to the contact whose answer, or whose address, it was */
	TELLING_ALARM, /* the same of one revision to publisher and admins */
	TELLING_UNCOUNTED, /* to the contact who signed what does not count */
};

/* A letter under way. */
struct telling {
	struct gate *gate;
	enum telling_kind kind;
	struct clear_answer clear; /* for an alarm the last one */
	struct uncounted_answer uncounted;
	size_t count; /* in an alarm */
	int64_t contact;
	int64_t message; /* of the revision that it is about */
	char reason[STORE_ID_SIZE]; /* why it does not count, by name; "" where that is not known */
	struct advisory advisory;
	struct revision revision;
	struct buf lines;
};

struct tellings {
	struct telling *now; /* one at a time */
	bool paused;
};

static void telling_free(struct telling *telling)
{
	telling->gate->tellings->now = NULL;
	buf_release(&telling->lines);
	free(telling);
}

static void fail(struct telling *telling, struct recipients *to, const struct err *err)
{
	recipients_release(to);
	gate_fail(telling->gate, err);
	telling_free(telling);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->tellings->paused = false;
	schedule_soon(gate);
}

static void pause_for(struct gate *gate, int64_t ms)
{
	gate->tellings->paused = true;
	loop_after(gate->loop, ms, resume, gate);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	const struct telling *telling = context;
	const struct clear_answer *clear = &telling->clear;
	struct store *store = telling->gate->store;
	(void)title;
	(void)go;
	switch (telling->kind) {
	case TELLING_UNCOUNTED:
		return store_uncounted_set_told(store, telling->uncounted.id, message, err);
	case TELLING_ALARM:
		return store_clear_set_reported(
		    store, clear->revision, clear->acknowledgment != 0, clear->id, err);
	case TELLING_CLEAR:
		break;
	}
	return store_clear_set_told(store, clear->id, message, err) != 0 ||
		       store_uncounted_set_told_by(
			   store, clear->revision, clear->arrival, message, err) != 0
		   ? -1
		   : 0;
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct telling *telling = context;
	struct gate *gate = telling->gate;
	telling_free(telling);
	if (end == OUTGOING_FAILED) {
		log_error("a notice of an answer could not be made, and is tried again: %s",
		    problem);
		pause_for(gate, TELL_PAUSE_MS);
	} else {
		schedule_soon(gate);
	}
}

static int find_revision(struct telling *telling, struct err *err)
{
	struct store *store = telling->gate->store;
	bool found;
	if (store_revision_by_message(
		store, telling->message, &telling->revision, &found, err) != 0 ||
	    store_advisory_by_id(
		store, telling->revision.advisory, &telling->advisory, &found, err) != 0)
		return -1;
	return telling->kind != TELLING_CLEAR
		   ? 0
		   : store_uncounted_reason(store, telling->revision.id, telling->clear.arrival,
			 telling->reason, err);
}

static int find_recipients(struct telling *telling, struct recipients *to, struct err *err)
{
	struct gate *gate = telling->gate;
	if (telling->kind != TELLING_ALARM)
		return recipients_add_contact(gate, to, telling->contact, err);
	if (telling->revision.publisher != 0 &&
	    recipients_add_publisher(gate, to, telling->revision.publisher, err) != 0)
		return -1;
	return recipients_add_admins(gate, to, err);
}

static void write_alarm(const struct telling *telling, const struct letter_clear *letter,
    struct buf *subject, struct buf *text)
{
	if (telling->clear.acknowledgment != 0) {
		letter_clear_alarm_subject(subject, letter, telling->count);
		letter_clear_alarm_text(text, letter, buf_view(&telling->lines));
	} else {
		letter_leak_alarm_subject(subject, letter);
		letter_leak_alarm_text(text, letter, buf_view(&telling->lines));
	}
}

static void write_letter(const struct telling *telling, struct buf *subject, struct buf *text)
{
	const struct letter_clear letter = {
	    .fingerprint = telling->gate->fingerprint,
	    .advisory = &telling->advisory,
	    .revision = &telling->revision,
	    .now = gate_now(telling->gate),
	};
	if (telling->kind == TELLING_ALARM) {
		write_alarm(telling, &letter, subject, text);
	} else if (telling->kind == TELLING_UNCOUNTED) {
		letter_uncounted_subject(subject, &letter, &telling->uncounted);
		letter_uncounted_text(text, &letter, &telling->uncounted);
	} else if (telling->clear.acknowledgment != 0) {
		letter_clear_subject(subject, &letter);
		letter_clear_text(text, &letter, &telling->clear);
	} else {
		letter_leak_subject(subject, &letter);
		letter_leak_text(
		    text, &letter, &telling->clear, uncounted_from(telling->reason));
	}
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	const bool alarm = telling->kind == TELLING_ALARM;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	if (find_revision(telling, &err) != 0 || find_recipients(telling, &to, &err) != 0 ||
	    (to.count == 0 && record(telling, 0, VIEW(""), NULL, &err) != 0)) {
		fail(telling, &to, &err);
		return;
	}
	if (to.count == 0) { /* nobody to tell: the log, the audit and dewctl have it */
		schedule_soon(gate);
		telling_free(telling);
		return;
	}
	write_letter(telling, &subject, &text);
	const struct outgoing outgoing = {
	    .kind = alarm ? "alarm" : "notice",
	    .to = alarm ? gate->config->gateway.address : to.deliveries[0].address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = telling,
	};
	if (!outgoing_send(gate, &outgoing)) { /* a line or two for each contact */
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a notice is too large to be sent");
		fail(telling, &to, &err);
	}
	buf_release(&subject);
	buf_release(&text);
}

static struct telling *telling_new(struct gate *gate, enum telling_kind kind)
{
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	telling->gate = gate;
	telling->kind = kind;
	telling->lines = BUF_EMPTY(FRAME_BODY_MAX / 16);
	gate->tellings->now = telling;
	return telling;
}

/* Those of the first revision only, and either such that count or such that do not. */
static int collect(void *context, const struct clear_answer *answer, struct err *err)
{
	struct telling *telling = context;
	(void)err;
	if (telling->count > 0 &&
	    (answer->revision != telling->clear.revision ||
		(answer->acknowledgment == 0) != (telling->clear.acknowledgment == 0)))
		return 0;
	telling->clear = *answer;
	telling->message = answer->message;
	telling->count++;
	if (answer->acknowledgment == 0)
		letter_add_leak(&telling->lines, answer);
	else
		letter_add_clear(&telling->lines, answer);
	return 0;
}

static int find_first(void *context, const struct clear_answer *answer, struct err *err)
{
	int64_t *first = context;
	(void)err;
	if (*first == 0)
		*first = answer->received_at;
	return 0;
}

static void check_unreported(struct gate *gate, int64_t now)
{
	int64_t first = 0;
	struct err err;
	if (store_clear_each_unreported(gate->store, find_first, &first, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (first == 0)
		return;
	if (now >= first && now - first < TELL_GATHER_S) {
		pause_for(gate, (int64_t)TELL_GATHER_S * MS);
		return;
	}
	struct telling *telling = telling_new(gate, TELLING_ALARM);
	if (store_clear_each_unreported(gate->store, collect, telling, &err) != 0) {
		gate_fail(gate, &err);
		telling_free(telling);
		return;
	}
	send_telling(telling);
}

/* A contact who is to be told. */
static int find_contact(struct gate *gate, struct telling **out, struct err *err)
{
	struct clear_answer clear;
	struct uncounted_answer uncounted = {.id = 0};
	bool found;
	*out = NULL;
	if (store_clear_next(gate->store, &clear, &found, err) != 0)
		return -1;
	if (found) {
		*out = telling_new(gate, TELLING_CLEAR);
		(*out)->clear = clear;
		(*out)->contact = clear.contact;
		(*out)->message = clear.message;
		return 0;
	}
	if (store_uncounted_next(gate->store, &uncounted, &found, err) != 0)
		return -1;
	if (found) {
		*out = telling_new(gate, TELLING_UNCOUNTED);
		(*out)->uncounted = uncounted;
		(*out)->contact = uncounted.contact;
		(*out)->message = uncounted.message;
	}
	return 0;
}

void tell_check(struct gate *gate, int64_t now)
{
	struct telling *telling;
	struct err err;
	if (gate->tellings->now != NULL || gate->tellings->paused)
		return;
	if (find_contact(gate, &telling, &err) != 0)
		gate_fail(gate, &err);
	else if (telling != NULL)
		send_telling(telling);
	else
		check_unreported(gate, now);
}

int tell_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->tellings = calloc(1, sizeof *gate->tellings);
	if (gate->tellings == NULL)
		abort();
	return 0;
}

void tell_stop(struct gate *gate)
{
	if (gate->tellings != NULL && gate->tellings->now != NULL)
		telling_free(gate->tellings->now);
	free(gate->tellings);
}
