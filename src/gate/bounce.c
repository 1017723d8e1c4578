#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/bounce.h"
#include "gate/letters_alarm.h"
#include "gate/outgoing.h"
#include "gate/people.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "rules/bounced.h"
#include "store/audit.h"
#include "store/bounces.h"
#include "store/copies.h"
#include "store/state.h"
#include "worker/frame.h"

enum {
	BOUNCE_PAUSE_MS = 10 * 1000,
	BOUNCE_GATHER_S = 3, /* so that many at once become one notice */
	MS = 1000
};

/* A notice under way. */
struct telling {
	struct gate *gate;
	int64_t message; /* that came back; 0: none found */
	int64_t most_id; /* the last bounce that is told of */
	struct revision revision; /* publisher 0 when the message is none */
	char label[STORE_NAME_SIZE];
	struct buf lines;
};

struct bouncing {
	struct telling *now;
	bool paused;
};

/* -- what came back -- */

static const char *verdict_name(enum bounced verdict)
{
	switch (verdict) {
	case BOUNCED_FAILED:
		return "bounced";
	case BOUNCED_GIVEN_UP:
		return "given up";
	case BOUNCED_NOTED:
	case BOUNCED_NOTHING:
		break;
	}
	return "noted";
}

static int note_copy(void *context, const struct traced_copy *copy, struct err *err)
{
	bool *traced = context;
	(void)copy;
	(void)err;
	*traced = true;
	return 0;
}

/* Whether the message is a revision in force, which another contact may have instead. */
static int find_current(
    struct gate *gate, int64_t message, struct revision *revision, bool *current, struct err *err)
{
	struct advisory advisory;
	if (store_revision_by_message(gate->store, message, revision, current, err) != 0 ||
	    (*current && store_advisory_by_id(
			     gate->store, revision->advisory, &advisory, current, err) != 0))
		return -1;
	*current = *current && revision->number == advisory.revisions &&
		   strcmp(revision->kind, "withdraw") != 0 &&
		   strcmp(advisory.state, "withdrawn") != 0;
	return 0;
}

/* Adds a delivery of the message to this contact, when they may have it. *instead 0: they may not.
 */
static int try_contact(struct gate *gate, const struct revision *revision,
    const struct contact *contact, int64_t *instead, struct err *err)
{
	struct recipients to = {0};
	struct delivery delivery;
	enum tlp label = TLP_RED;
	bool has;
	int result = -1;
	if (store_delivery_of_contact(
		gate->store, revision->message, contact->id, &delivery, &has, err) != 0)
		return -1;
	if (has)
		return 0;
	tlp_from(view_of(revision->tlp), &label);
	if (recipients_add_reader(gate, &to, contact->id, label, err) != 0)
		goto done;
	result = 0;
	if (to.count == 1 && strcmp(to.deliveries[0].state, "queued") == 0) {
		to.deliveries[0].message = revision->message;
		result = store_delivery_add(gate->store, &to.deliveries[0], err);
		*instead = to.deliveries[0].id;
	}
done:
	recipients_release(&to);
	return result;
}

/* The member's next contact by rank whom the publisher did not take out of the audience. */
static int send_instead(
    struct gate *gate, const struct delivery *delivery, int64_t *instead, struct err *err)
{
	struct snapshot all;
	struct revision revision;
	struct contact bounced;
	struct refusal refusal;
	struct buf audience = BUF_EMPTY(BUF_SMALL);
	bool traced = false;
	bool good;
	int result = -1;
	if (find_current(gate, delivery->message, &revision, &good, err) != 0)
		return -1;
	/* What is RED goes to those whom the publisher named, and nobody else; of traced copies
	 * there is none for anybody else. */
	if (!good || strcmp(revision.tlp, tlp_name(TLP_RED)) == 0)
		return 0;
	if (store_copy_each(gate->store, revision.message, note_copy, &traced, err) != 0)
		return -1;
	if (traced)
		return 0;
	if (store_contact_get(gate->store, delivery->contact, &bounced, &good, err) != 0 ||
	    people_load(gate, &all, err) != 0)
		return -1;
	bounced_may_replace(revision.audience, &audience);
	good = good && audience_choose(&all.people, buf_view(&audience), 0, all.chosen, &refusal);
	for (size_t i = 0; good && *instead == 0 && i < all.people.contact_count; i++) {
		if (all.chosen[i] && strcmp(all.contacts[i].member, bounced.member) == 0 &&
		    try_contact(gate, &revision, &all.contacts[i], instead, err) != 0)
			goto done;
	}
	result = 0;
done:
	people_release(&all);
	buf_release(&audience);
	return result;
}

static int flag_delivery(struct gate *gate, const struct delivery *delivery,
    const struct mail_bounce *facts, struct bounce *bounce, struct err *err)
{
	const char *to = state_after(STATE_DELIVERY, delivery->state, "bounce");
	char reason[STORE_REASON_SIZE];
	if (to == NULL)
		return 0; /* it is to be sent again: that attempt will tell */
	const bool first = strcmp(to, delivery->state) != 0;
	bounced_reason(facts, reason);
	if (store_delivery_move(gate->store, delivery->id, "bounce", first ? reason : NULL, 0,
		bounce->received_at, false, err) != 0)
		return -1;
	if (!first || delivery->contact == 0 || !gate->config->bounces.next_contact)
		return 0;
	return send_instead(gate, delivery, &bounce->instead, err);
}

static int audit_bounce(struct gate *gate, const struct delivery *delivery,
    const struct bounce *bounce, struct err *err)
{
	char label[STORE_NAME_SIZE];
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	if (gate_label(gate, delivery->message, label, err) != 0)
		return -1;
	snprintf(subject, sizeof subject, "%s %s", label, delivery->address);
	if (strcmp(bounce->verdict, "noted") != 0)
		log_warning("%s: a mail server says that %s was not reached: %s", label,
		    delivery->address, bounce->status);
	return store_audit_add(gate->store, bounce->received_at, "gate", "delivery.bounce", subject,
	    err, "%s: %s %s%s%s, arrival %lld%s", bounce->verdict, bounce->action, bounce->status,
	    bounce->diagnostic[0] == '\0' ? "" : ": ", bounce->diagnostic,
	    (long long)bounce->arrival,
	    bounce->instead == 0 ? "" : "; it goes to another contact instead");
}

static int record_bounce(const struct mail_facts *facts, const struct delivery *delivery,
    const struct mail_bounce *report, enum bounced verdict, struct bounce *bounce, struct err *err)
{
	struct gate *gate = facts->gate;
	char reason[STORE_REASON_SIZE];
	int64_t before;
	if (store_bounce_count(gate->store, delivery->id, &before, err) != 0 ||
	    (verdict == BOUNCED_FAILED && flag_delivery(gate, delivery, report, bounce, err) != 0))
		return -1;
	/* Once for each delivery; not when the answer is there, which proves that it came. */
	bounce->told = verdict == BOUNCED_NOTED || delivery->contact == 0 ||
		       (before > 0 && bounce->instead == 0) ||
		       strcmp(delivery->state, "acknowledged") == 0;
	snprintf(reason, sizeof reason, "%s, of delivery %lld", bounce->verdict,
	    (long long)delivery->id);
	return store_bounce_add(gate->store, bounce, err) != 0 ||
		       audit_bounce(gate, delivery, bounce, err) != 0 ||
		       open_record(facts, facts->refusal == INTAKE_TAKEN ? "finish" : "refuse",
			   "bounce", reason, "", err) != 0
		   ? -1
		   : 0;
}

static void take(struct mail_facts *facts, const struct mail_bounce *report,
    const struct delivery *delivery, enum bounced verdict)
{
	struct gate *gate = facts->gate;
	struct bounce bounce = {
	    .delivery = delivery->id,
	    .arrival = facts->arrival,
	    .received_at = clock_now(),
	};
	struct err err;
	snprintf(bounce.verdict, sizeof bounce.verdict, "%s", verdict_name(verdict));
	snprintf(bounce.action, sizeof bounce.action, "%s", report->action);
	snprintf(bounce.status, sizeof bounce.status, "%s", report->status);
	snprintf(bounce.recipient, sizeof bounce.recipient, "%s", report->recipient);
	snprintf(bounce.diagnostic, sizeof bounce.diagnostic, "%s", report->diagnostic);
	if (store_begin(gate->store, &err) != 0 ||
	    record_bounce(facts, delivery, report, verdict, &bounce, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	if (bounce.instead != 0)
		gate->want_seal = true;
	if (!bounce.told)
		schedule_soon(gate);
	open_done(facts);
}

/* The first address whose tag is ours. */
static bool find_delivery(const struct gate *gate, const struct mail_outline *outline, int64_t *id)
{
	for (uint32_t i = 0; i < outline->address_count; i++) {
		if (gate_return_path_owner(gate, view_of(outline->addresses[i]), id))
			return true;
	}
	return false;
}

bool bounce_mail(struct mail_facts *facts, const struct mail_outline *outline)
{
	const bool is_report = outline->bounce.action[0] != '\0' || outline->shape == MAIL_PLAIN ||
			       outline->shape == MAIL_REPORT;
	enum bounced verdict = bounced_judge(&outline->bounce);
	struct delivery delivery;
	int64_t id;
	bool found;
	struct err err;
	if (outline->shape == MAIL_REFUSED || !is_report ||
	    !find_delivery(facts->gate, outline, &id))
		return false;
	if (store_delivery_get(facts->gate->store, id, &delivery, &found, &err) != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return true;
	}
	if (!found)
		return false;
	facts->refusal = intake_decide(&facts->intake, INTAKE_FROM_RETURN_PATH);
	if (facts->refusal != INTAKE_TAKEN)
		verdict = BOUNCED_NOTED; /* whatever it says */
	if (verdict == BOUNCED_NOTHING)
		open_end(facts, "finish", "bounce", "a report of no failure");
	else
		take(facts, &outline->bounce, &delivery, verdict);
	return true;
}

/* -- telling -- */

static void telling_free(struct telling *telling)
{
	telling->gate->bouncing->now = NULL;
	buf_release(&telling->lines);
	free(telling);
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->bouncing->paused = false;
	schedule_soon(gate);
}

static void pause_for(struct gate *gate, int64_t ms)
{
	gate->bouncing->paused = true;
	loop_after(gate->loop, ms, resume, gate);
}

static int record_telling(
    void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct telling *telling = context;
	(void)message;
	(void)title;
	(void)go;
	return store_bounce_set_told(telling->gate->store, telling->message, telling->most_id, err);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct telling *telling = context;
	struct gate *gate = telling->gate;
	if (end == OUTGOING_FAILED) {
		log_error("a notice of bounces could not be made, and is tried again: %s", problem);
		pause_for(gate, BOUNCE_PAUSE_MS);
	}
	telling_free(telling);
	if (end != OUTGOING_FAILED)
		schedule_soon(gate);
}

/* Those of the first message only. */
static int collect(void *context, const struct bounce *bounce, struct err *err)
{
	struct telling *telling = context;
	struct contact contact;
	bool found = false;
	if (telling->message != 0 && bounce->message != telling->message)
		return 0;
	telling->message = bounce->message;
	telling->most_id = bounce->id;
	if (store_contact_get(telling->gate->store, bounce->contact, &contact, &found, err) != 0)
		return -1;
	letter_add_bounce(&telling->lines, bounce, found ? contact.member : "");
	return 0;
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	bool found;
	if (gate_label(gate, telling->message, telling->label, &err) != 0 ||
	    store_revision_by_message(
		gate->store, telling->message, &telling->revision, &found, &err) != 0 ||
	    (found &&
		recipients_add_publisher(gate, &to, telling->revision.publisher, &err) != 0) ||
	    recipients_add_admins(gate, &to, &err) != 0 ||
	    (to.count == 0 && record_telling(telling, 0, VIEW(""), &found, &err) != 0)) {
		gate_fail(gate, &err);
		recipients_release(&to);
		telling_free(telling);
		return;
	}
	if (to.count == 0) { /* nobody to tell: the log and dewctl have it */
		telling_free(telling);
		return;
	}
	letter_bounces(&text, telling->label, buf_view(&telling->lines));
	buf_printf(&subject, "Alarm: mail came back: %s", telling->label);
	const struct outgoing outgoing = {
	    .kind = "alarm",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .deliveries = to.deliveries,
	    .delivery_count = to.count,
	    .record = record_telling,
	    .done = done,
	    .context = telling,
	};
	outgoing_send(gate, &outgoing);
	buf_release(&subject);
	buf_release(&text);
}

static int find_first(void *context, const struct bounce *bounce, struct err *err)
{
	int64_t *first = context;
	(void)err;
	if (*first == 0)
		*first = bounce->received_at;
	return 0;
}

void bounce_check(struct gate *gate, int64_t now)
{
	int64_t first = 0;
	struct err err;
	if (gate->bouncing->now != NULL || gate->bouncing->paused)
		return;
	if (store_bounce_each_untold(gate->store, find_first, &first, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (first == 0)
		return;
	if (now >= first && now - first < BOUNCE_GATHER_S) {
		pause_for(gate, (int64_t)BOUNCE_GATHER_S * MS);
		return;
	}
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	telling->gate = gate;
	telling->lines = BUF_EMPTY(FRAME_BODY_MAX / 16);
	gate->bouncing->now = telling;
	if (store_bounce_each_untold(gate->store, collect, telling, &err) != 0) {
		gate_fail(gate, &err);
		telling_free(telling);
		return;
	}
	send_telling(telling);
}

int bounce_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->bouncing = calloc(1, sizeof *gate->bouncing);
	if (gate->bouncing == NULL)
		abort();
	return 0;
}

void bounce_stop(struct gate *gate)
{
	if (gate->bouncing != NULL && gate->bouncing->now != NULL)
		telling_free(gate->bouncing->now);
	free(gate->bouncing);
}
