#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/letters_alarm.h"
#include "gate/outgoing.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "gate/warn.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum {
	WARN_PAUSE_MS = 15 * 1000,
	GATHER_S = 5, /* so that many at once become one mail */
	URGENT_S = 10 * 60, /* between two mails about those that seem to be from somebody known */
	NAMED_MOST = 20,
	TOLD_MOST = 10 * 1000,
	POOLS = 3
};

/* The last mail about it: "ID TIME", the newest arrival that was told of and when. */
static const char told_name[] = "fatal-told";

struct warning {
	struct telling *now;
	bool paused;
	int64_t gathering_since; /* monotonic, milliseconds; 0: nothing is to be told */
	unsigned counted[POOLS]; /* lost processes that stand in the store */
	char trouble[ERR_TEXT_SIZE]; /* the same of why none can be started; "?": not known */
};

/* What is told of an arrival, as it stood when that was written. */
struct told {
	int64_t arrival;
	bool again; /* it will be told of once more, when it is given up */
};

/* One mail under way. */
struct telling {
	struct gate *gate;
	int64_t at;
	size_t count;
	size_t room;
	struct told *told;
	bool urgent; /* one of them seems to be from somebody known */
	struct buf lines;
};

/* -- lost processes -- */

static int count_losses(struct gate *gate, int64_t now, struct err *err)
{
	static const char *const names[POOLS] = {"lost-readers", "lost-vaults", "lost-couriers"};
	const struct pool *const pools[POOLS] = {gate->readers, gate->vaults, gate->couriers};
	char text[32];
	for (size_t i = 0; i < POOLS; i++) {
		const unsigned deaths = pool_deaths(pools[i]);
		const unsigned more = deaths - gate->warning->counted[i];
		if (more == 0)
			continue;
		snprintf(text, sizeof text, "%lld", (long long)now);
		if (store_counter_add(gate->store, names[i], more, err) != 0 ||
		    store_value_set(gate->store, "lost-at", view_of(text), err) != 0)
			return -1;
		gate->warning->counted[i] = deaths;
	}
	return 0;
}

void warn_note_trouble(struct gate *gate)
{
	struct err err;
	static const char *const names[POOLS] = {"reader", "vault", "courier"};
	const struct pool *const pools[POOLS] = {gate->readers, gate->vaults, gate->couriers};
	char trouble[ERR_TEXT_SIZE] = "";
	for (size_t i = 0; i < POOLS && trouble[0] == '\0'; i++) {
		if (pool_trouble(pools[i])[0] != '\0')
			snprintf(trouble, sizeof trouble, "no %s: %.400s", names[i],
			    pool_trouble(pools[i]));
	}
	if (strcmp(trouble, gate->warning->trouble) == 0)
		return;
	snprintf(gate->warning->trouble, sizeof gate->warning->trouble, "%s", trouble);
	if (store_value_set(gate->store, "trouble", view_of(trouble), &err) != 0)
		gate_fail(gate, &err);
}

/* -- telling -- */

static int read_told_at(struct gate *gate, int64_t *at, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	struct view rest;
	struct view word;
	bool found;
	*at = 0;
	if (store_value_get(gate->store, told_name, &value, &found, err) != 0)
		return -1;
	rest = buf_view(&value);
	if (view_next_field(&rest, ' ', &word))
		text_number(rest, 0, INT64_MAX, at);
	buf_release(&value);
	return 0;
}

static void telling_free(struct telling *telling)
{
	telling->gate->warning->now = NULL;
	buf_release(&telling->lines);
	free(telling->told);
	free(telling);
}

static int record_told(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct telling *telling = context;
	struct store *store = telling->gate->store;
	const int64_t last = telling->told[telling->count - 1].arrival;
	char text[64];
	(void)message;
	(void)title;
	*go = true;
	for (size_t i = 0; i < telling->count; i++) {
		const struct told *told = &telling->told[i];
		if (store_arrival_set_told(store, told->arrival, told->again, err) != 0)
			return -1;
	}
	snprintf(text, sizeof text, "%lld %lld", (long long)last, (long long)telling->at);
	if (store_value_set(store, told_name, view_of(text), err) != 0)
		return -1;
	return store_audit_add(store, telling->at, "gate", "arrival.fatal", "admins", err,
	    "%zu mails ended the process that read them, up to arrival %lld", telling->count,
	    (long long)last);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->warning->paused = false;
	schedule_soon(gate);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct telling *telling = context;
	if (end == OUTGOING_FAILED) {
		log_error(
		    "the admins could not be told of a mail, and it is tried again: %s", problem);
		telling->gate->warning->paused = true;
		loop_after(telling->gate->loop, WARN_PAUSE_MS, resume, telling->gate);
	}
	telling_free(telling);
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct recipients to = {0};
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	bool go;
	struct err err;
	const bool failed = recipients_add_admins(gate, &to, &err) != 0 ||
			    (to.count == 0 && record_told(telling, 0, VIEW(""), &go, &err) != 0);
	if (failed)
		gate_fail(gate, &err);
	if (failed || to.count == 0) { /* nobody to tell: the log and dewctl have it */
		recipients_release(&to);
		telling_free(telling);
		return;
	}
	letter_fatal(
	    &text, (int64_t)telling->count, telling->urgent, buf_view(&telling->lines));
	const struct outgoing outgoing = {
	    .kind = "alarm",
	    .to = gate->config->gateway.address,
	    .subject = telling->urgent ? "Alarm: mail of somebody known cannot be read"
				       : "Alarm: mail that ended the process which read it",
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_told,
	    .done = done,
	    .context = telling,
	};
	outgoing_send(gate, &outgoing);
	buf_release(&text);
}

static int collect(void *context, const struct arrival *arrival, struct err *err)
{
	struct telling *telling = context;
	(void)err;
	if (telling->count == TOLD_MOST) /* the others with the next */
		return 0;
	if (telling->count == telling->room) {
		telling->room = telling->room * 2 + NAMED_MOST;
		telling->told =
		    reallocarray(telling->told, telling->room, sizeof *telling->told);
		if (telling->told == NULL)
			abort();
	}
	telling->told[telling->count++] = (struct told){
	    arrival->id, arrival->claimed && strcmp(arrival->state, "unreadable") != 0};
	telling->urgent = telling->urgent || arrival->claimed;
	if (telling->count <= NAMED_MOST)
		letter_add_fatal(&telling->lines, arrival);
	return 0;
}

static void gathered(void *context)
{
	schedule_soon(context);
}

/* When the first of them was found, by this gate: so that many at once become one mail. */
static bool gather(struct gate *gate, bool any)
{
	struct warning *warning = gate->warning;
	if (!any) {
		warning->gathering_since = 0;
		return true;
	}
	if (warning->gathering_since == 0) {
		warning->gathering_since = clock_monotonic_ms();
		loop_after(gate->loop, GATHER_S * 1000, gathered, gate);
	}
	return clock_monotonic_ms() - warning->gathering_since < GATHER_S * 1000;
}

void warn_check(struct gate *gate, int64_t now)
{
	struct err err;
	int64_t at;
	if (count_losses(gate, now, &err) != 0 || read_told_at(gate, &at, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	const int64_t passed = at <= now ? now - at : INT64_MAX;
	const int64_t often = gate->config->admin.warn_every;
	if (gate->warning->now != NULL || gate->warning->paused ||
	    passed < (often < URGENT_S ? often : URGENT_S))
		return;
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	*telling =
	    (struct telling){.gate = gate, .at = now, .lines = BUF_EMPTY(FRAME_BODY_MAX / 16)};
	gate->warning->now = telling;
	if (store_arrival_each_untold(gate->store, collect, telling, &err) != 0) {
		gate_fail(gate, &err);
		telling_free(telling);
	} else if ((!telling->urgent && passed < often) || gather(gate, telling->count > 0)) {
		telling_free(telling);
	} else {
		gate->warning->gathering_since = 0;
		send_telling(telling);
	}
}

int warn_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->warning = calloc(1, sizeof *gate->warning);
	if (gate->warning == NULL)
		abort();
	gate->warning->trouble[0] = '?';
	return 0;
}

void warn_stop(struct gate *gate)
{
	struct err err;
	if (gate->warning == NULL)
		return;
	if (!gate->failed && gate->store != NULL && count_losses(gate, clock_now(), &err) != 0)
		log_error("%s", err.text);
	if (gate->warning->now != NULL)
		telling_free(gate->warning->now);
	free(gate->warning);
}
