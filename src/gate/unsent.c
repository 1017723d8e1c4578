#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_unsent.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "gate/unsent.h"
#include "store/advisories.h"
#include "store/audit.h"
#include "worker/frame.h"

enum {
	SLOW_S = 3600, /* for a mailbox that is full or busy */
	GATHER_S = 3, /* so that many at once become one mail */
	PAUSE_MS = 60 * 1000, /* between two mails of one group */
	FAILED_PAUSE_MS = 15 * 1000,
	NAMED_MOST = 20,
	MS = 1000
};

static const char alarm_kind[] = "alarm";

/* One mail under way: all of one revision, or all that is none. */
struct telling {
	struct gate *gate;
	int64_t at;
	int64_t group; /* message of the revision; 0: none */
	bool found; /* a group */
	/* Of the message that was looked at last: which group it belongs to, -1 to none. */
	int64_t message;
	int64_t message_group;
	struct delivery *deliveries;
	size_t count;
	size_t room;
};

struct unsent {
	struct telling *now;
	bool paused;
	bool gathered; /* there was something, and more of it had time to come */
	int64_t last_group; /* that was told of, -1: none yet */
	int64_t last_at; /* monotonic, milliseconds */
};

static void telling_free(struct telling *telling)
{
	telling->gate->unsent->now = NULL;
	free(telling->deliveries);
	free(telling);
}

/* -- what is to be told -- */

static int find_group(struct telling *telling, int64_t message, int64_t *group, struct err *err)
{
	struct store *store = telling->gate->store;
	struct revision revision;
	char kind[STORE_ID_SIZE];
	bool found;
	if (telling->message == message) {
		*group = telling->message_group;
		return 0;
	}
	if (store_message_kind(store, message, kind, err) != 0 ||
	    store_revision_by_message(store, message, &revision, &found, err) != 0)
		return -1;
	*group = strcmp(kind, alarm_kind) == 0 ? -1 : found ? message : 0;
	telling->message = message;
	telling->message_group = *group;
	return 0;
}

/* The first one that has to be told decides on the group; advisories go before all else. */
static int collect(struct telling *telling, const struct delivery *delivery, struct err *err)
{
	int64_t group;
	if (find_group(telling, delivery->message, &group, err) != 0)
		return -1;
	if (telling->found && telling->group == 0 && group > 0)
		telling->count = 0;
	else if (group < 0 || (telling->found && group != telling->group))
		return 0;
	telling->found = true;
	telling->group = group;
	if (telling->count == telling->room) {
		telling->room = telling->room * 2 + NAMED_MOST;
		telling->deliveries =
		    reallocarray(telling->deliveries, telling->room, sizeof *telling->deliveries);
		if (telling->deliveries == NULL)
			abort();
	}
	telling->deliveries[telling->count++] = *delivery;
	return 0;
}

static int collect_waiting(void *context, const struct delivery *delivery, struct err *err)
{
	struct telling *telling = context;
	const int64_t patience = delivery->about == DELIVERY_ABOUT_GATEWAY
				     ? telling->gate->config->smarthost.alarm
				     : SLOW_S;
	if (delivery->about == DELIVERY_ABOUT_NOTHING || delivery->told != DELIVERY_UNTOLD ||
	    telling->at < delivery->first_at + patience)
		return 0;
	return collect(telling, delivery, err);
}

static int collect_failed(void *context, const struct delivery *delivery, struct err *err)
{
	return delivery->told == DELIVERY_TOLD_FAILED ? 0 : collect(context, delivery, err);
}

/* -- the mail -- */

static bool is_failed(const struct delivery *delivery)
{
	return strcmp(delivery->state, "failed") == 0;
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct telling *telling = context;
	struct store *store = telling->gate->store;
	(void)message;
	(void)title;
	*go = true;
	for (size_t i = 0; i < telling->count; i++) {
		const struct delivery *delivery = &telling->deliveries[i];
		if (store_delivery_set_told(store, delivery->id,
			is_failed(delivery) ? DELIVERY_TOLD_FAILED : DELIVERY_TOLD_WAITS, err) != 0)
			return -1;
	}
	return store_audit_add(store, telling->at, "gate", "smarthost.told", "admins", err,
	    "%zu deliveries that the smarthost does not take, the first: %s", telling->count,
	    telling->deliveries[0].reason);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->unsent->paused = false;
	schedule_soon(gate);
}

static void pause_for(struct gate *gate, int64_t ms)
{
	gate->unsent->paused = true;
	loop_after(gate->loop, ms, resume, gate);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct telling *telling = context;
	struct gate *gate = telling->gate;
	telling_free(telling);
	if (end == OUTGOING_FAILED) {
		log_error("a mail about the smarthost could not be made, and is tried again: %s",
		    problem);
		pause_for(gate, FAILED_PAUSE_MS);
	} else {
		schedule_soon(gate); /* for the next group */
	}
}

static size_t count_waiting(const struct telling *telling)
{
	size_t count = 0;
	for (size_t i = 0; i < telling->count; i++)
		count += !is_failed(&telling->deliveries[i]);
	return count;
}

static int add_lines(
    struct telling *telling, struct letter_not_taken *letter, struct buf lines[2], struct err *err)
{
	for (size_t i = 0; i < telling->count; i++) {
		const struct delivery *delivery = &telling->deliveries[i];
		const bool failed = is_failed(delivery);
		size_t *count = failed ? &letter->failed_count : &letter->waiting_count;
		struct contact contact = {.id = 0};
		bool found = false;
		if (++*count > NAMED_MOST)
			continue;
		if (delivery->contact != 0 && store_contact_get(telling->gate->store,
						  delivery->contact, &contact, &found, err) != 0)
			return -1;
		letter_add_not_taken(
		    &lines[failed], delivery, found ? contact.member : "", telling->at);
	}
	letter->waiting = buf_view(&lines[0]);
	letter->failed = buf_view(&lines[1]);
	return 0;
}

static int write_letter(
    struct telling *telling, struct buf *text, char what[static STORE_NAME_SIZE], struct err *err)
{
	struct buf lines[2] = {BUF_EMPTY(FRAME_BODY_MAX / 16), BUF_EMPTY(FRAME_BODY_MAX / 16)};
	struct letter_not_taken letter = {.what = what};
	what[0] = '\0';
	int result = telling->group == 0 ? 0 : gate_label(telling->gate, telling->group, what, err);
	if (result == 0)
		result = add_lines(telling, &letter, lines, err);
	if (result == 0)
		letter_not_taken(text, &letter);
	buf_release(&lines[0]);
	buf_release(&lines[1]);
	return result;
}

/* Of what failed the publisher learns by the receipt. */
static int add_readers(struct telling *telling, struct recipients *to, struct err *err)
{
	struct gate *gate = telling->gate;
	struct revision revision;
	bool found = false;
	if (telling->group != 0 && count_waiting(telling) > 0 &&
	    store_revision_by_message(gate->store, telling->group, &revision, &found, err) != 0)
		return -1;
	if (found && recipients_add_publisher(gate, to, revision.publisher, err) != 0)
		return -1;
	return recipients_add_admins(gate, to, err);
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct recipients to = {0};
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	char what[STORE_NAME_SIZE];
	bool go;
	struct err err;
	const bool failed = add_readers(telling, &to, &err) != 0 ||
			    write_letter(telling, &text, what, &err) != 0 ||
			    (to.count == 0 && record(telling, 0, VIEW(""), &go, &err) != 0);
	if (failed)
		gate_fail(gate, &err);
	if (failed || to.count == 0) { /* nobody to tell: the log and dewctl have it */
		recipients_release(&to);
		telling_free(telling);
		goto end;
	}
	buf_printf(&subject, "Alarm: the mail server does not take mail%s%s",
	    what[0] == '\0' ? "" : ": ", what);
	const struct outgoing outgoing = {
	    .kind = alarm_kind,
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record,
	    .done = done,
	    .context = telling,
	};
	outgoing_send(gate, &outgoing);
end:
	buf_release(&text);
	buf_release(&subject);
}

/* How long to wait before this may be told, in milliseconds. */
static int64_t time_to_wait(struct unsent *unsent, int64_t group)
{
	const int64_t since = clock_monotonic_ms() - unsent->last_at;
	if (group == unsent->last_group && since < PAUSE_MS)
		return PAUSE_MS - since;
	if (unsent->gathered)
		return 0;
	unsent->gathered = true;
	return (int64_t)GATHER_S * MS;
}

static void tell(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct unsent *unsent = gate->unsent;
	const int64_t wait = time_to_wait(unsent, telling->group);
	if (wait > 0) {
		telling_free(telling);
		pause_for(gate, wait);
		return;
	}
	unsent->last_group = telling->group;
	unsent->last_at = clock_monotonic_ms();
	send_telling(telling);
}

void unsent_check(struct gate *gate, int64_t now)
{
	struct err err;
	if (gate->unsent->now != NULL || gate->unsent->paused)
		return;
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	*telling = (struct telling){.gate = gate, .at = now, .message = -1};
	gate->unsent->now = telling;
	if (store_delivery_each_queued(gate->store, collect_waiting, telling, &err) != 0 ||
	    store_delivery_each_refused(gate->store, collect_failed, telling, &err) != 0) {
		gate_fail(gate, &err);
		telling_free(telling);
	} else if (telling->count == 0) {
		gate->unsent->gathered = false;
		telling_free(telling);
	} else {
		tell(telling);
	}
}

int unsent_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->unsent = calloc(1, sizeof *gate->unsent);
	if (gate->unsent == NULL)
		abort();
	gate->unsent->last_group = -1;
	return 0;
}

void unsent_stop(struct gate *gate)
{
	if (gate->unsent != NULL && gate->unsent->now != NULL)
		telling_free(gate->unsent->now);
	free(gate->unsent);
}
