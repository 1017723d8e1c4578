#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/bounce.h"
#include "gate/claim.h"
#include "gate/letters_alarm.h"
#include "gate/outgoing.h"
#include "gate/people.h"
#include "gate/recipients.h"
#include "gate/schedule.h"
#include "mail/shape.h"
#include "rules/bounced.h"
#include "store/audit.h"
#include "store/bounces.h"
#include "store/copies.h"
#include "store/lost.h"
#include "store/state.h"
#include "worker/frame.h"

enum {
	BOUNCE_PAUSE_MS = 10 * 1000,
	BOUNCE_GATHER_S = 3, /* so that many at once become one notice */
	BOUNCE_MORE_S = 60, /* the same for those that come after a notice about the same mail */
	BOUNCE_SHORTLY_S = 600, /* what "after" is */
	BOUNCES_WITH_LINES = 20, /* in one notice; of the others the reason only */
	MS = 1000
};

/* A notice under way. */
struct telling {
	struct gate *gate;
	int64_t message; /* that came back; 0: none found */
	int64_t most_id; /* the last bounce that is told of */
	struct revision revision; /* publisher 0 when the message is none */
	char label[STORE_NAME_SIZE];
	size_t count;
	struct buf failures;
	struct buf replies;
	struct buf bounced; /* addresses, one a line: they get nothing */
};

struct bouncing {
	struct telling *now;
	bool paused;
	int64_t last_message; /* that was told of */
	int64_t last_at;
};

/* -- what came back -- */

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
    const struct mail_bounce *facts, enum bounced verdict, struct bounce *bounce, struct err *err)
{
	const char *to = state_after(STATE_DELIVERY, delivery->state, "bounce");
	char reason[STORE_REASON_SIZE];
	if (to == NULL)
		return 0; /* it is to be sent again: that attempt will tell */
	const bool first = strcmp(to, delivery->state) != 0;
	bounced_reason(verdict, facts, reason);
	if (store_delivery_move(gate->store, delivery->id, "bounce", first ? reason : NULL, 0,
		bounce->received_at, false, err) != 0)
		return -1;
	if (!first || delivery->contact == 0 || !gate->config->bounces.next_contact)
		return 0;
	return send_instead(gate, delivery, &bounce->instead, err);
}

static int audit_bounce(struct gate *gate, const struct delivery *delivery,
    const struct mail_bounce *report, enum bounced verdict, const struct bounce *bounce,
    struct err *err)
{
	char label[STORE_NAME_SIZE];
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	char reason[STORE_REASON_SIZE] = "";
	if (gate_label(gate, delivery->message, label, err) != 0)
		return -1;
	if (bounced_is_failure(verdict))
		bounced_reason(verdict, report, reason);
	else
		snprintf(reason, sizeof reason, "%s", report->action);
	snprintf(subject, sizeof subject, "%s %s", label, delivery->address);
	if (bounced_is_failure(verdict))
		log_warning("%s: mail to %s %s%s", label, delivery->address,
		    verdict == BOUNCED_UNREADABLE ? "" : "came back: ", reason);
	return store_audit_add(gate->store, bounce->received_at, "gate", "delivery.bounce", subject,
	    err, "%s%s%s, arrival %lld%s", bounce->verdict, reason[0] == '\0' ? "" : ": ", reason,
	    (long long)bounce->arrival,
	    bounce->instead == 0 ? "" : "; it goes to another contact instead");
}

/* Once for each delivery that it came back, and once that somebody answered; not when the signed
 * answer is there, which proves that it came. Of what went to a publisher or an admin only that it
 * came back, and of an alarm not even that: the notice of it might come back the same way. */
static int decide_told(struct gate *gate, const struct delivery *delivery, enum bounced verdict,
    struct bounce *bounce, struct err *err)
{
	char kind[STORE_ID_SIZE];
	int64_t before;
	if (store_bounce_count(
		gate->store, delivery->id, !bounced_is_failure(verdict), &before, err) != 0 ||
	    store_message_kind(gate->store, delivery->message, kind, err) != 0)
		return -1;
	bounce->told = verdict == BOUNCED_NOTED ||
		       (delivery->contact == 0 && !bounced_is_failure(verdict)) ||
		       strcmp(kind, "alarm") == 0 || (before > 0 && bounce->instead == 0) ||
		       strcmp(delivery->state, "acknowledged") == 0;
	return 0;
}

static int record_bounce(const struct mail_facts *facts, const struct delivery *delivery,
    const struct mail_bounce *report, enum bounced verdict, struct bounce *bounce, struct err *err)
{
	struct gate *gate = facts->gate;
	char reason[STORE_REASON_SIZE];
	if ((bounced_is_failure(verdict) &&
		flag_delivery(gate, delivery, report, verdict, bounce, err) != 0) ||
	    decide_told(gate, delivery, verdict, bounce, err) != 0 ||
	    store_bounce_add(gate->store, bounce, err) != 0 ||
	    audit_bounce(gate, delivery, report, verdict, bounce, err) != 0)
		return -1;
	snprintf(reason, sizeof reason, "%s, of delivery %lld", bounce->verdict,
	    (long long)delivery->id);
	return open_record(facts, "finish", "bounce", reason, "", err);
}

/* Whether it holds a token of a revision, and so perhaps the revision's text: a mail server that
 * opens mail for its people may send back what it has opened, and people quote what they answer. */
static int holds_ours(const struct mail_facts *facts, bool *holds, struct err *err)
{
	const struct token_list *list = &facts->outline->tokens;
	struct revision revision;
	*holds = false;
	for (uint32_t i = 0; i < list->count && !*holds; i++)
		if (store_revision_by_token(
			facts->gate->store, list->tokens[i], &revision, holds, err) != 0)
			return -1;
	return 0;
}

static void fill_lines(struct bounce *bounce, const struct mail_bounce *report)
{
	struct buf lines = BUF_EMPTY(sizeof bounce->lines - 1);
	for (uint32_t i = 0; i < report->line_count; i++)
		buf_printf(&lines, "%s\n", report->lines[i]);
	snprintf(bounce->lines, sizeof bounce->lines, "%s", buf_text(&lines));
	buf_release(&lines);
}

static int fill(struct bounce *bounce, const struct mail_facts *facts,
    const struct mail_bounce *report, enum bounced verdict, struct err *err)
{
	bool ours;
	snprintf(bounce->verdict, sizeof bounce->verdict, "%s", bounced_name(verdict));
	snprintf(bounce->action, sizeof bounce->action, "%s", report->action);
	snprintf(bounce->status, sizeof bounce->status, "%s", report->status);
	snprintf(bounce->recipient, sizeof bounce->recipient, "%s", report->recipient);
	snprintf(bounce->diagnostic, sizeof bounce->diagnostic, "%s", report->diagnostic);
	if (holds_ours(facts, &ours, err) != 0)
		return -1;
	if (!ours)
		fill_lines(bounce, report);
	return 0;
}

static void take(const struct mail_facts *facts, const struct mail_bounce *report,
    const struct delivery *delivery, enum bounced verdict)
{
	struct gate *gate = facts->gate;
	struct bounce bounce = {
	    .delivery = delivery->id,
	    .arrival = facts->arrival,
	    .received_at = clock_now(),
	};
	struct err err;
	if (store_begin(gate->store, &err) != 0 ||
	    fill(&bounce, facts, report, verdict, &err) != 0 ||
	    record_bounce(facts, delivery, report, verdict, &bounce, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	if (bounce.instead != 0)
		gate->want_seal = true;
	if (!bounce.told)
		schedule_soon(gate);
}

/* The first address whose tag is ours. */
static bool find_path(const struct gate *gate, const struct mail_outline *outline, int64_t *id,
    char tag[static EPOCH_TAG_SIZE])
{
	for (uint32_t i = 0; i < outline->address_count; i++) {
		if (gate_return_path_owner(gate, view_of(outline->addresses[i]), id, tag))
			return true;
	}
	return false;
}

/* A delivery of that number may be here and still be another: one of the epoch that has the number
 * now. */
static int find_delivery(struct gate *gate, int64_t id, const char *tag, struct delivery *delivery,
    bool *found, struct err *err)
{
	char known[EPOCH_TAG_SIZE];
	if (store_delivery_get(gate->store, id, delivery, found, err) != 0 ||
	    store_epoch_of_delivery(gate->store, id, known, err) != 0)
		return -1;
	*found = *found && strcmp(known, tag) == 0;
	return 0;
}

/* What we sent and know nothing of: a restore has lost it. */
static int record_lost(const struct mail_facts *facts, int64_t id, const char *tag,
    const struct mail_bounce *report, struct err *err)
{
	struct gate *gate = facts->gate;
	struct lost_trace trace = {
	    .kind = LOST_RETURN_PATH,
	    .arrival = facts->arrival,
	    .received_at = clock_now(),
	    .told = LOST_ADMINS_UNTOLD,
	};
	snprintf(trace.subject, sizeof trace.subject, "delivery %lld%s%s%s%.80s%s%.100s",
	    (long long)id, tag[0] == '\0' ? "" : "-", tag,
	    report->recipient[0] == '\0' ? "" : " to ", report->recipient,
	    report->diagnostic[0] == '\0' ? "" : ": ", report->diagnostic);
	log_warning("mail came back to the return path of a delivery that is not on record: %s",
	    trace.subject);
	if (store_lost_add(gate->store, &trace, err) != 0 ||
	    store_audit_add(gate->store, trace.received_at, "gate", "lost.return-path", "", err,
		"%s, arrival %lld", trace.subject, (long long)facts->arrival) != 0)
		return -1;
	return open_record(facts, "finish", "bounce",
	    "of a delivery that is not on record: it was sent before the restore", "", err);
}

static void take_lost(const struct mail_facts *facts, int64_t id, const char *tag)
{
	struct gate *gate = facts->gate;
	struct err err;
	if (store_begin(gate->store, &err) != 0 ||
	    record_lost(facts, id, tag, &facts->outline->bounce, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	schedule_soon(gate);
}

static bool come_back(struct mail_facts *facts)
{
	const struct mail_bounce *report = &facts->outline->bounce;
	struct delivery delivery;
	char tag[EPOCH_TAG_SIZE];
	int64_t id;
	bool found;
	struct err err;
	if (facts->hold != 0 || !find_path(facts->gate, facts->outline, &id, tag))
		return false;
	if (find_delivery(facts->gate, id, tag, &delivery, &found, &err) != 0)
		gate_fail(facts->gate, &err);
	else if (found)
		take(
		    facts, report, &delivery, bounced_judge(report, facts->sender != CLAIM_NOBODY));
	else
		take_lost(facts, id, tag);
	open_done(facts);
	return true;
}

bool bounce_mail(struct mail_facts *facts)
{
	return (!shape_is_openpgp(facts->outline->shape) || facts->outline->bounce.formal) &&
	       come_back(facts);
}

bool bounce_nobodys_mail(struct mail_facts *facts)
{
	return come_back(facts);
}

/* -- telling -- */

static void telling_free(struct telling *telling)
{
	telling->gate->bouncing->now = NULL;
	buf_release(&telling->failures);
	buf_release(&telling->replies);
	buf_release(&telling->bounced);
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
	gate->bouncing->last_message = telling->message;
	gate->bouncing->last_at = clock_now();
	if (end == OUTGOING_FAILED) {
		log_error("a notice of bounces could not be made, and is tried again: %s", problem);
		pause_for(gate, BOUNCE_PAUSE_MS);
	}
	telling_free(telling);
	if (end != OUTGOING_FAILED)
		schedule_soon(gate);
}

static int collect(void *context, const struct bounce *bounce, struct err *err)
{
	struct telling *telling = context;
	const bool failed = strcmp(bounce->verdict, bounced_name(BOUNCED_AUTOMATIC)) != 0 &&
			    strcmp(bounce->verdict, bounced_name(BOUNCED_WRITTEN)) != 0;
	struct contact contact;
	bool found = false;
	if (bounce->message != telling->message)
		return 0;
	telling->most_id = bounce->id;
	if (store_contact_get(telling->gate->store, bounce->contact, &contact, &found, err) != 0)
		return -1;
	letter_add_bounce(failed ? &telling->failures : &telling->replies, bounce,
	    found ? contact.member : "", telling->count++ < BOUNCES_WITH_LINES);
	if (failed)
		buf_printf(&telling->bounced, "%s\n", bounce->address);
	return 0;
}

/* Who bounced is not written to: that would come back as well. */
static void leave_out_bounced(const struct telling *telling, struct recipients *to)
{
	struct view rest = buf_view(&telling->bounced);
	struct view address;
	while (view_next_line(&rest, &address))
		recipients_remove(to, address);
}

static void write_letter(const struct telling *telling, struct buf *subject, struct buf *text)
{
	if (telling->failures.len > 0)
		buf_printf(subject, "Alarm: mail came back: %s", telling->label);
	else
		buf_printf(subject, "Answered, but not signed: %s", telling->label);
	letter_bounces(
	    text, telling->label, buf_view(&telling->failures), buf_view(&telling->replies));
}

/* Also how the mail is called: people do not know the numbers of the log. */
static int find_people(struct telling *telling, struct recipients *to, struct err *err)
{
	struct gate *gate = telling->gate;
	char kind[STORE_ID_SIZE];
	bool found;
	if (gate_label(gate, telling->message, telling->label, err) != 0 ||
	    store_message_kind(gate->store, telling->message, kind, err) != 0 ||
	    store_revision_by_message(
		gate->store, telling->message, &telling->revision, &found, err) != 0)
		return -1;
	if (!found)
		snprintf(telling->label, sizeof telling->label, "a mail of the kind \"%s\"", kind);
	else if (recipients_add_publisher(gate, to, telling->revision.publisher, err) != 0)
		return -1;
	return recipients_add_admins(gate, to, err);
}

static void send_telling(struct telling *telling)
{
	struct gate *gate = telling->gate;
	struct recipients to = {0};
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(FRAME_BODY_MAX / 8);
	struct err err;
	bool go;
	if (find_people(telling, &to, &err) != 0) {
		gate_fail(gate, &err);
		recipients_release(&to);
		telling_free(telling);
		return;
	}
	leave_out_bounced(telling, &to);
	if (to.count == 0) { /* nobody to tell: the log and dewctl have it */
		if (record_telling(telling, 0, VIEW(""), &go, &err) != 0)
			gate_fail(gate, &err);
		recipients_release(&to);
		schedule_soon(gate);
		telling_free(telling);
		return;
	}
	write_letter(telling, &subject, &text);
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

/* The message that is to be told of first, and when: a little after its first bounce. */
struct next_telling {
	struct gate *gate;
	int64_t message; /* 0: none */
	int64_t due;
};

static int find_next(void *context, const struct bounce *bounce, struct err *err)
{
	struct next_telling *next = context;
	const struct bouncing *bouncing = next->gate->bouncing;
	const bool more = bounce->message == bouncing->last_message &&
			  bounce->received_at < bouncing->last_at + BOUNCE_SHORTLY_S;
	const int64_t due = bounce->received_at + (more ? BOUNCE_MORE_S : BOUNCE_GATHER_S);
	(void)err;
	if (next->message == 0 || due < next->due) {
		next->message = bounce->message;
		next->due = due;
	}
	return 0;
}

static struct telling *telling_new(struct gate *gate, int64_t message)
{
	struct telling *telling = calloc(1, sizeof *telling);
	if (telling == NULL)
		abort();
	telling->gate = gate;
	telling->message = message;
	telling->failures = BUF_EMPTY(FRAME_BODY_MAX / 32);
	telling->replies = BUF_EMPTY(FRAME_BODY_MAX / 32);
	telling->bounced = BUF_EMPTY(FRAME_BODY_MAX / 32);
	gate->bouncing->now = telling;
	return telling;
}

void bounce_check(struct gate *gate, int64_t now)
{
	struct next_telling next = {.gate = gate};
	struct err err;
	if (gate->bouncing->now != NULL || gate->bouncing->paused)
		return;
	if (store_bounce_each_untold(gate->store, find_next, &next, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (next.message == 0)
		return;
	if (now < next.due && next.due - now <= BOUNCE_MORE_S) { /* else the clock went back */
		pause_for(gate, BOUNCE_GATHER_S * (int64_t)MS);
		return;
	}
	struct telling *telling = telling_new(gate, next.message);
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
