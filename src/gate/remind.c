#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/letters_alarm.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/remind.h"
#include "gate/schedule.h"
#include "rules/remind.h"
#include "store/audit.h"
#include "store/inform.h"
#include "store/reminders.h"
#include "worker/frame.h"

enum {
	REMIND_PAUSE_MS = 10 * 1000,
	REMIND_AHEAD_S = 30, /* the schedule comes round by itself after that */
	MS = 1000
};

_Static_assert((int)REMIND_MEMBER == (int)CONFIG_ANSWERS_MEMBER, "the setting is the rule");
_Static_assert((int)REMIND_CONTACT == (int)CONFIG_ANSWERS_CONTACT, "the setting is the rule");

struct reminding {
	struct round *now; /* the mail under way, one at a time */
	bool paused;
	struct loop_timer *timer; /* for a stage that comes before the schedule does */
};

/* Everybody in the audience of one revision, judged. */
struct audience_state {
	struct reminder_state *states;
	struct remind_contact *contacts;
	size_t count;
	size_t room;
	size_t missing; /* members */
	size_t members;
	size_t due; /* contacts */
};

/* One mail: the reminder of a stage to all who are due and are to be told the same of an answer that
 * does not count, or the alarm. */
struct round {
	struct gate *gate;
	struct revision revision;
	struct advisory advisory;
	struct audience_state all;
	int64_t at; /* the moment that it was judged for */
	int64_t stage;
	bool found;
	enum uncounted uncounted;
	bool colleague; /* it has the address of another contact of the member */
	struct epoch lost; /* whose restore may have lost answers to it; number 1: none */
	bool still_open; /* seen again while it is recorded */
	int64_t next; /* when the next stage of any revision comes, 0: none */
};

static void state_release(struct audience_state *all)
{
	free(all->states);
	free(all->contacts);
	*all = (struct audience_state){.count = 0};
}

static struct remind_window window_of(const struct gate *gate, const struct revision *revision)
{
	return (struct remind_window){
	    .released_at = revision->released_at,
	    .acknowledge_by = revision->acknowledge_by,
	    .stages = gate->config->reminders.stages.percent,
	    .stage_count = gate->config->reminders.stages.count,
	};
}

static int add_state(void *context, const struct reminder_state *state, struct err *err)
{
	struct audience_state *all = context;
	(void)err;
	if (all->count == all->room) {
		all->room = all->room * 2 + 64;
		all->states = reallocarray(all->states, all->room, sizeof *all->states);
		if (all->states == NULL)
			abort();
	}
	all->states[all->count++] = *state;
	return 0;
}

/* Loads the audience and asks the rules. */
static int judge(struct gate *gate, const struct revision *revision, int64_t now,
    struct audience_state *all, struct err *err)
{
	const struct remind_window window = window_of(gate, revision);
	if (store_reminder_each_state(gate->store, revision, add_state, all, err) != 0)
		return -1;
	all->contacts = calloc(all->count + 1, sizeof *all->contacts);
	if (all->contacts == NULL)
		abort();
	for (size_t i = 0; i < all->count; i++) {
		const struct reminder_state *state = &all->states[i];
		all->contacts[i] = (struct remind_contact){
		    .member = state->member,
		    .sent_at = state->sent_at,
		    .bounced = strcmp(state->state, "bounced") == 0,
		    .answered = state->answered,
		    .reminded = state->reminded,
		};
		all->members +=
		    i == 0 || strcmp(all->states[i - 1].member, state->member) != 0 ? 1 : 0;
	}
	all->missing = remind_judge(&window, (enum remind_rule)gate->config->reminders.rule, now,
	    all->contacts, all->count);
	for (size_t i = 0; i < all->count; i++)
		all->due += all->contacts[i].due != 0;
	return 0;
}

static void round_free(struct round *round)
{
	round->gate->reminding->now = NULL;
	state_release(&round->all);
	free(round);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->reminding->paused = false;
	schedule_soon(gate);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct round *round = context;
	struct gate *gate = round->gate;
	if (end == OUTGOING_FAILED) {
		log_error(
		    "a reminder or alarm for %s r%lld could not be made, and is tried again: %s",
		    round->advisory.number, (long long)round->revision.number, problem);
		gate->reminding->paused = true;
		loop_after(gate->loop, REMIND_PAUSE_MS, resume, gate);
	}
	round_free(round);
	schedule_soon(gate);
}

static int see_again(void *context, const struct revision *revision, struct err *err)
{
	struct round *round = context;
	(void)err;
	round->still_open = round->still_open || revision->id == round->revision.id;
	return 0;
}

/* Whether what was judged before the vault was asked holds still, for everyone in the mail: an
 * answer, a withdrawal or a newer revision may have come meanwhile. */
static int look_again(struct round *round, bool *holds, struct err *err)
{
	struct audience_state now = {.count = 0};
	round->still_open = false;
	*holds = false;
	if (store_reminder_each_open(round->gate->store, gate_now(round->gate), see_again, round, err) != 0)
		return -1;
	if (judge(round->gate, &round->revision, round->at, &now, err) != 0) {
		state_release(&now);
		return -1;
	}
	*holds =
	    round->still_open && now.count == round->all.count && now.missing == round->all.missing;
	for (size_t i = 0; *holds && i < now.count; i++)
		*holds = now.states[i].contact == round->all.states[i].contact &&
			 now.contacts[i].due == round->all.contacts[i].due;
	state_release(&now);
	return 0;
}

static void name_revision(const struct round *round, char out[static STORE_NAME_SIZE])
{
	snprintf(out, STORE_NAME_SIZE, "%s r%lld", round->advisory.number,
	    (long long)round->revision.number);
}

/* What a contact is to be told of an answer that does not count: their own, else a colleague's, whose
 * answer would have been the member's. */
static enum uncounted find_uncounted(const struct round *round, size_t contact, bool *colleague)
{
	const struct reminder_state *states = round->all.states;
	const char *member = states[contact].member;
	const enum uncounted own = uncounted_from(states[contact].uncounted);
	*colleague = false;
	if (own != UNCOUNTED_NOT || round->gate->config->reminders.rule == CONFIG_ANSWERS_CONTACT)
		return own;
	size_t i = contact; /* they stand in the order of members */
	while (i > 0 && strcmp(states[i - 1].member, member) == 0)
		i--;
	for (; i < round->all.count && strcmp(states[i].member, member) == 0; i++) {
		*colleague = states[i].uncounted[0] != '\0';
		if (*colleague)
			return uncounted_from(states[i].uncounted);
	}
	return UNCOUNTED_NOT;
}

static bool is_of_round(const struct round *round, size_t contact)
{
	bool colleague;
	return round->all.contacts[contact].due != 0 &&
	       find_uncounted(round, contact, &colleague) == round->uncounted &&
	       colleague == round->colleague;
}

/* Those who are to be told the same as the first of them: the others have a mail of their own. */
static void choose(struct round *round)
{
	size_t first = 0;
	while (round->all.contacts[first].due == 0)
		first++;
	round->uncounted = find_uncounted(round, first, &round->colleague);
	round->all.due = 0;
	for (size_t i = 0; i < round->all.count; i++)
		round->all.due += is_of_round(round, i);
}

static int record_reminders(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct round *round = context;
	struct store *store = round->gate->store;
	char subject[STORE_NAME_SIZE];
	(void)title;
	if (look_again(round, go, err) != 0)
		return -1;
	for (size_t i = 0; *go && i < round->all.count; i++) {
		if (is_of_round(round, i) &&
		    store_reminder_add(store, round->revision.id, round->all.states[i].contact,
			round->stage, message, gate_now(round->gate), go, err) != 0)
			return -1;
	}
	if (!*go)
		return 0;
	if (store_label_add(store, message, round->revision.tlp, err) != 0)
		return -1;
	name_revision(round, subject);
	log_info("%s: %zu contacts are reminded at %lld %%", subject, round->all.due,
	    (long long)round->stage);
	return store_audit_add(store, clock_now(), "gate", "reminder", subject, err,
	    "%zu contacts at %lld %%", round->all.due, (long long)round->stage);
}

static int record_deadline(struct round *round, int64_t message, bool *go, struct err *err)
{
	struct store *store = round->gate->store;
	char subject[STORE_NAME_SIZE];
	if (store_deadline_add(store, round->revision.id, message, (int64_t)round->all.missing,
		gate_now(round->gate), go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	name_revision(round, subject);
	if (round->all.missing > 0)
		log_warning("%s: the time to answer is over, and an answer is missing from %zu of "
			    "%zu members",
		    subject, round->all.missing, round->all.members);
	return store_audit_add(store, clock_now(), "gate", "deadline", subject, err,
	    "an answer is missing from %zu of %zu members", round->all.missing, round->all.members);
}

static int record_alarm(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct round *round = context;
	(void)title;
	if (look_again(round, go, err) != 0)
		return -1;
	return *go ? record_deadline(round, message, go, err) : 0;
}

static void fail(struct round *round, struct recipients *to, const struct err *err)
{
	gate_fail(round->gate, err);
	recipients_release(to);
	round_free(round);
}

static void send_reminders(struct round *round)
{
	struct gate *gate = round->gate;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(BUF_SMALL);
	enum tlp label = TLP_RED;
	struct err err;
	choose(round);
	const struct letter_reminder letter = {
	    .programme = gate->config->gateway.name,
	    .gateway = gate->config->gateway.address,
	    .advisory = &round->advisory,
	    .revision = &round->revision,
	    .deadline = round->stage == REMIND_DEADLINE,
	    .uncounted = round->uncounted,
	    .colleague = round->colleague,
	    .lost = round->lost,
	    .everyone = gate->config->reminders.rule == CONFIG_ANSWERS_CONTACT,
	    .now = gate_now(gate),
	};
	tlp_from(view_of(round->revision.tlp), &label);
	for (size_t i = 0; i < round->all.count; i++) {
		if (is_of_round(round, i) &&
		    recipients_add_reader(gate, &to, round->all.states[i].contact, label, &err) !=
			0) {
			fail(round, &to, &err);
			return;
		}
	}
	letter_reminder_subject(&subject, &letter);
	letter_reminder_text(&text, &letter);
	const struct outgoing outgoing = {
	    .kind = "reminder",
	    .to = gate->config->gateway.list,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_reminders,
	    .done = done,
	    .context = round,
	};
	outgoing_send(gate, &outgoing);
	buf_release(&subject);
	buf_release(&text);
}

static int add_names(const struct round *round, struct buf *out, struct err *err)
{
	const struct audience_state *all = &round->all;
	struct member member;
	bool missing = false;
	bool found;
	for (size_t i = 0; i < all->count; i++) {
		const bool first =
		    i == 0 || strcmp(all->states[i - 1].member, all->states[i].member) != 0;
		for (size_t j = i; first && j < all->count &&
				   strcmp(all->states[j].member, all->states[i].member) == 0;
		     j++)
			missing = (j > i && missing) || all->contacts[j].missing;
		if (!missing)
			continue;
		if (first) {
			if (store_member_get(round->gate->store, all->states[i].member, &member,
				&found, err) != 0)
				return -1;
			letter_add_member(out, all->states[i].member, found ? member.name : "");
		}
		letter_add_missing(out, &all->states[i]);
	}
	return 0;
}

/* With nobody to tell, or nothing. */
static void close_quietly(struct round *round)
{
	struct gate *gate = round->gate;
	struct err err;
	bool go = true;
	if (store_begin(gate->store, &err) != 0 || record_deadline(round, 0, &go, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	round_free(round);
	schedule_soon(gate);
}

static void send_alarm(struct round *round)
{
	struct gate *gate = round->gate;
	struct recipients to = {0};
	struct buf names = BUF_EMPTY(FRAME_BODY_MAX / 16);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	if (recipients_add_publisher(gate, &to, round->revision.publisher, &err) != 0 ||
	    recipients_add_admins(gate, &to, &err) != 0 || add_names(round, &names, &err) != 0) {
		fail(round, &to, &err);
		goto done;
	}
	if (to.count == 0) {
		recipients_release(&to);
		close_quietly(round);
		goto done;
	}
	const struct letter_alarm letter = {
	    .advisory = &round->advisory,
	    .revision = &round->revision,
	    .missing = round->all.missing,
	    .members = round->all.members,
	    .names = buf_view(&names),
	    .lost = round->lost,
	    .now = gate_now(gate),
	};
	letter_alarm_subject(&subject, &letter);
	letter_alarm_text(&text, &letter);
	const struct outgoing outgoing = {
	    .kind = "alarm",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_alarm,
	    .done = done,
	    .context = round,
	};
	outgoing_send(gate, &outgoing);
done:
	buf_release(&names);
	buf_release(&subject);
	buf_release(&text);
}

/* Takes the first revision with something due, and learns when the next stage of any comes. */
static int find_due(void *context, const struct revision *revision, struct err *err)
{
	struct round *round = context;
	const struct remind_window window = window_of(round->gate, revision);
	const int64_t next = remind_next(&window, round->at);
	const int64_t stage = remind_stage(&window, round->at);
	bool found;
	if (next != 0 && (round->next == 0 || next < round->next))
		round->next = next;
	if (round->found || stage == 0)
		return 0;
	if (judge(round->gate, revision, round->at, &round->all, err) != 0)
		return -1;
	if (round->all.due == 0 && stage != REMIND_DEADLINE) {
		state_release(&round->all);
		return 0;
	}
	round->found = true;
	round->stage = stage;
	round->revision = *revision;
	if (store_epoch_get(round->gate->store, &round->lost, err) != 0)
		return -1;
	if (revision->released_at > round->lost.begun_at)
		round->lost = (struct epoch){.number = 1};
	return store_advisory_by_id(
	    round->gate->store, revision->advisory, &round->advisory, &found, err);
}

static void on_timer(void *context)
{
	struct gate *gate = context;
	gate->reminding->timer = NULL;
	schedule_soon(gate);
}

static void wait_for(struct gate *gate, int64_t now, int64_t next)
{
	loop_timer_cancel(gate->loop, gate->reminding->timer);
	gate->reminding->timer = NULL;
	if (next != 0 && next - now <= REMIND_AHEAD_S)
		gate->reminding->timer = loop_after(gate->loop, (next - now) * MS, on_timer, gate);
}

void remind_check(struct gate *gate, int64_t now)
{
	struct err err;
	if (gate->reminding->now != NULL || gate->reminding->paused)
		return;
	struct round *round = calloc(1, sizeof *round);
	if (round == NULL)
		abort();
	round->gate = gate;
	round->at = now;
	gate->reminding->now = round;
	if (store_reminder_each_open(gate->store, now, find_due, round, &err) != 0) {
		gate_fail(gate, &err);
		round_free(round);
		return;
	}
	wait_for(gate, now, round->next);
	if (!round->found)
		round_free(round);
	else if (round->all.due > 0)
		send_reminders(round);
	else if (round->all.missing > 0)
		send_alarm(round);
	else
		close_quietly(round);
}

int remind_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->reminding = calloc(1, sizeof *gate->reminding);
	if (gate->reminding == NULL)
		abort();
	return 0;
}

void remind_stop(struct gate *gate)
{
	if (gate->reminding != NULL && gate->reminding->now != NULL)
		round_free(gate->reminding->now);
	free(gate->reminding);
}
