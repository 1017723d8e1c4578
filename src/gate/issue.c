#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/issue.h"
#include "gate/letters.h"
#include "gate/outgoing.h"
#include "gate/issuing.h"
#include "gate/pace.h"
#include "gate/people.h"
#include "gate/refuse.h"
#include "gate/release.h"
#include "gate/restored.h"
#include "gate/schedule.h"
#include "gate/trace.h"
#include "rules/advisory.h"
#include "rules/block.h"
#include "rules/pace.h"
#include "rules/release.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum { TOKEN_BYTES = 10 };

static void begin(struct issue *issue);

void issue_free(struct issue *issue)
{
	struct gate *gate = issue->gate;
	struct issuing *issuing = gate->issuing;
	free(issue);
	issuing->now = NULL;
	gate->want_account = true;
	struct issue *next = issuing->first;
	if (next == NULL)
		return;
	issuing->first = next->next;
	if (issuing->first == NULL)
		issuing->last = &issuing->first;
	begin(next);
}

void issue_fail(struct issue *issue, const struct err *err)
{
	gate_fail(issue->gate, err);
	if (issue->facts != NULL)
		open_done(issue->facts);
	issue->gate->issuing->now = NULL;
	free(issue);
}

void issue_refuse(struct issue *issue, const struct refusal *refusal)
{
	if (issue->hold.id != 0)
		release_impossible(issue->facts, &issue->publisher, &issue->hold, refusal);
	else
		refuse_mail(issue->facts, &issue->publisher, refusal);
	issue_free(issue);
}

static int last_revision(void *context, const struct revision *revision, struct err *err)
{
	struct issue *issue = context;
	(void)err;
	issue->revision = *revision;
	issue->revision.title = (struct view){"", 0};
	return 0;
}

/* *found is true, with a refusal, when an update must wait for another draft of the same. */
static int find_draft(struct issue *issue, const struct control *control, bool *found,
    struct refusal *refusal, struct err *err)
{
	struct hold held;
	*found = false;
	if (control->act != CONTROL_UPDATE || issue->hold.id != 0)
		return 0;
	if (store_hold_open(issue->gate->store, issue->advisory.id, &held, found, err) != 0)
		return -1;
	if (*found)
		refuse(refusal, 1,
		    "%s has a draft that is held still: withdraw it and send a new one",
		    control->number);
	return 0;
}

/* The advisory that the control block names, which must be the publisher's own and in force. */
static int find_advisory(struct issue *issue, const struct control *control, bool *good,
    struct refusal *refusal, struct err *err)
{
	bool found;
	*good = false;
	if (store_advisory_get(
		issue->gate->store, control->number, &issue->advisory, &found, err) != 0)
		return -1;
	if (!found) {
		const struct named_number named = {
		    .prefix = issue->gate->config->gateway.prefix,
		    .number = control->number,
		    .line = 1,
		    .publisher = issue->publisher.id,
		    .advice = "If you have a receipt for it, send it as a new advisory (Advisory: "
			      "new), whose text names it and says what becomes of it",
		};
		refuse(refusal, 1, "there is no advisory %s", control->number);
		return restored_refuse_number(issue->facts, &named, refusal, err);
	}
	if (issue->advisory.publisher != issue->publisher.id) {
		refuse(refusal, 1, "%s was issued by another publisher: ask an admin",
		    control->number);
		return 0;
	}
	if (strcmp(issue->advisory.state, "withdrawn") == 0) {
		refuse(refusal, 1, "%s is withdrawn: issue a new one", control->number);
		return 0;
	}
	if (control->has_exercise && control->exercise != issue->advisory.exercise) {
		refuse(refusal, control->exercise_line,
		    "%s was issued %s, and its later revisions cannot change that", control->number,
		    issue->advisory.exercise ? "as an exercise" : "in earnest");
		return 0;
	}
	if (find_draft(issue, control, &found, refusal, err) != 0)
		return -1;
	if (found)
		return 0;
	if (!bulletin_asks_nothing(issue->advisory.bulletin, control, refusal))
		return 0;
	*good = true;
	return store_revision_each(
	    issue->gate->store, issue->advisory.id, last_revision, issue, err);
}

static void fill_advisory(struct issue *issue, int64_t now)
{
	struct advisory *advisory = &issue->advisory;
	advisory->created_at = now;
	advisory->publisher = issue->publisher.id;
	advisory->exercise = issue->draft.control.exercise;
	advisory->bulletin = issue->draft.control.act == CONTROL_BULLETIN;
}

static int next_number(
    struct issue *issue, int64_t now, char number[static STORE_NUMBER_SIZE], struct err *err)
{
	const time_t when = (time_t)now;
	struct tm broken = {0};
	gmtime_r(&when, &broken);
	return store_advisory_next_number(issue->gate->store, issue->gate->config->gateway.prefix,
	    broken.tm_year + 1900, number, err);
}

/* The number that the next advisory will have. It is given away only in the transaction that
 * records the advisory, so that a refused or interrupted one leaves no gap. */
static int foresee_number(struct issue *issue, int64_t now, struct err *err)
{
	if (store_begin(issue->gate->store, err) != 0)
		return -1;
	const int result = next_number(issue, now, issue->advisory.number, err);
	store_rollback(issue->gate->store);
	return result;
}

static const char *const kinds[] = {[CONTROL_NEW] = "new",
    [CONTROL_BULLETIN] = "new",
    [CONTROL_UPDATE] = "update",
    [CONTROL_WITHDRAW] = "withdraw"};

static void fill_revision(struct issue *issue, int64_t now)
{
	struct revision *revision = &issue->revision;
	const struct draft *draft = &issue->draft;
	unsigned char random[TOKEN_BYTES];
	random_bytes(random, sizeof random);
	text_base32(random, sizeof random, revision->token);
	revision->number =
	    issue->advisory.next_revision == 0 ? 1 : issue->advisory.next_revision;
	snprintf(revision->kind, sizeof revision->kind, "%s", kinds[draft->control.act]);
	snprintf(revision->tlp, sizeof revision->tlp, "%s", tlp_name(draft->tlp));
	if (draft->control.audience[0] != '\0')
		snprintf(
		    revision->audience, sizeof revision->audience, "%s", draft->control.audience);
	revision->released_at = now;
	/* By the clock as people see it: where it is not believed yet, as when the machine was off, the
	 * deadline would be over as soon as it is. */
	const int64_t shown = clock_now() - now > PACE_STEP_S ? clock_now() : now;
	revision->acknowledge_by =
	    draft->control.acknowledge == 0 ? 0 : shown + draft->control.acknowledge;
	revision->publisher = issue->publisher.id;
	revision->arrival = issue->facts == NULL ? 0 : issue->facts->arrival;
	revision->advisory = issue->advisory.id;
	revision->reported = 0;
	revision->own_left_out = issue->facts != NULL &&
				 issue->facts->onward_count < issue->facts->content->part_count;
	snprintf(issue->advisory.tlp, sizeof issue->advisory.tlp, "%s", revision->tlp);
	if (draft->severity[0] != '\0')
		snprintf(issue->advisory.severity, sizeof issue->advisory.severity, "%s",
		    draft->severity);
}

/* Who gets it: the audience, and for a later revision also all who have an earlier one. */
static int choose(struct issue *issue, struct delivery **deliveries, size_t *count, bool *good,
    struct refusal *refusal, struct err *err)
{
	const struct control *control = &issue->draft.control;
	struct snapshot snapshot;
	int result = -1;
	*good = true;
	if (people_load(issue->gate, &snapshot, err) != 0)
		return -1;
	if (control->act != CONTROL_WITHDRAW)
		*good = audience_choose(&snapshot.people, view_of(issue->revision.audience),
		    control->audience_line, snapshot.chosen, refusal);
	if (*good && !control_is_first(control) &&
	    people_add_reached(issue->gate, &snapshot, issue->advisory.id, err) != 0)
		goto done;
	result = *good ? people_deliveries(issue->gate, &snapshot, issue->draft.tlp,
			     view_of(issue->revision.audience), deliveries, count, err)
		       : 0;
done:
	people_release(&snapshot);
	return result;
}

int issue_record_advisory(struct issue *issue, bool *go, struct err *err)
{
	struct store *store = issue->gate->store;
	char number[STORE_NUMBER_SIZE];
	*go = true;
	if (issue->facts != NULL &&
	    store_signed_seen(store, issue->facts->digest, issue->facts->arrival, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (!control_is_first(&issue->draft.control))
		return 0;
	if (next_number(issue, issue->advisory.created_at, number, err) != 0)
		return -1;
	if (strcmp(number, issue->advisory.number) != 0)
		return err_set(
		    err, ERR_DAEMON, ERR_NOW, "the number %s was taken", issue->advisory.number);
	return store_advisory_add(store, &issue->advisory, err);
}

/* What it was before it is a revision: a mail, a draft, an admin's wish. *go is false when that has
 * been dealt with already. */
static int record_origin(struct issue *issue, bool *go, struct err *err)
{
	struct store *store = issue->gate->store;
	*go = true;
	if (issue->hold.id != 0)
		return store_hold_move(
		    store, issue->hold.id, "release", 0, issue->revision.released_at, go, err);
	if (issue_record_advisory(issue, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (issue->facts == NULL)
		return store_withdrawal_done(store, issue->advisory.id, err);
	return open_record(
	    issue->facts, "finish", "advisory", "", issue->publisher.fingerprint, err);
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct issue *issue = context;
	struct store *store = issue->gate->store;
	struct revision *revision = &issue->revision;
	char subject[STORE_NAME_SIZE];
	char event[STORE_ID_SIZE + 16];
	if (record_origin(issue, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	revision->advisory = issue->advisory.id;
	revision->message = message;
	revision->title = title;
	if (store_revision_add(store, revision, err) != 0)
		return -1;
	if (issue->draft.control.act == CONTROL_WITHDRAW &&
	    (hold_end_open(issue, revision->released_at, err) != 0 ||
		store_advisory_move(store, issue->advisory.id, "withdraw", err) != 0))
		return -1;
	snprintf(subject, sizeof subject, "%s r%lld", issue->advisory.number,
	    (long long)revision->number);
	snprintf(event, sizeof event, "advisory.%s", revision->kind);
	return store_audit_add(store, revision->released_at,
	    issue->facts == NULL ? "admin" : issue->publisher.address, event, subject, err,
	    "TLP:%s, audience: %s%s%s", revision->tlp, revision->audience,
	    issue->hold.id == 0		   ? ""
	    : issue->hold.token[0] == '\0' ? "; it was held until now"
					   : "; approved, and held until now",
	    revision->own_left_out ? "; the publisher's own certificate was left out" : "");
}

static void log_end(const struct issue *issue, enum outgoing_end end, const char *problem)
{
	if (end == OUTGOING_RECORDED && issue->revision.number == 0)
		log_info("%s: its draft is dealt with", issue->advisory.number);
	else if (end == OUTGOING_RECORDED)
		log_info("%s r%lld (%s) is recorded", issue->advisory.number,
		    (long long)issue->revision.number, issue->revision.kind);
	else if (end == OUTGOING_FAILED)
		log_error("%s r%lld: %s", issue->advisory.number, (long long)issue->revision.number,
		    problem);
}

void issue_done(void *context, enum outgoing_end end, const char *problem)
{
	struct issue *issue = context;
	log_end(issue, end, problem);
	schedule_soon(issue->gate);
	if (issue->facts == NULL)
		issue_withdrawal_ended(issue->gate, end == OUTGOING_RECORDED);
	else if (end == OUTGOING_RECORDED || (issue->hold.id != 0 && end == OUTGOING_DROPPED))
		open_done(issue->facts);
	else if (end == OUTGOING_DROPPED)
		open_duplicate(issue->facts);
	else
		open_again(issue->facts, problem);
	issue_free(issue);
}

/* Refused rather than sent without a part of it. */
static void too_large(struct issue *issue, struct delivery *deliveries)
{
	struct refusal refusal;
	struct err err;
	free(deliveries);
	if (issue->facts == NULL) {
		err_set(&err, ERR_DAEMON, ERR_NEVER, "a withdrawal is too large to be sent");
		issue_fail(issue, &err);
		return;
	}
	refuse(&refusal, 0,
	    "with all that belongs to it, it is larger than the %zu bytes that can "
	    "be sent on",
	    OUTGOING_MAX);
	issue_refuse(issue, &refusal);
}

static void send_issue(struct issue *issue, struct delivery *deliveries, size_t count)
{
	struct gate *gate = issue->gate;
	const struct mail_facts *facts = issue->facts;
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct buf text = BUF_EMPTY(OUTGOING_MAX);
	const char *name = issue->publisher.name;
	const struct letter_advisory letter = {
	    .programme = gate->config->gateway.name,
	    .gateway = gate->config->gateway.address,
	    .fingerprint = gate->fingerprint,
	    .publisher = name[0] == '\0' ? issue->publisher.address : name,
	    .advisory = &issue->advisory,
	    .revision = &issue->revision,
	    .title = issue->draft.title,
	    .text = issue->draft.text,
	};
	struct trace_copies copies = {0};
	letter_subject(&subject, &letter);
	letter_text(&text, &letter);
	if (issue->draft.control.trace)
		trace_compose(&letter, deliveries, count, OUTGOING_MAX, &copies);
	const struct outgoing outgoing = {
	    .kind = "advisory",
	    .to = gate->config->gateway.list,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .attachments = facts == NULL ? NULL : facts->onward,
	    .attachment_count = facts == NULL ? 0 : facts->onward_count,
	    .title = issue->draft.title,
	    .deliveries = deliveries,
	    .delivery_count = count,
	    .copies = copies.copies,
	    .record = record,
	    .done = issue_done,
	    .low_priority = issue->advisory.bulletin,
	    .context = issue,
	};
	const bool fits = !text.overflow && !subject.overflow && trace_fits(&copies) &&
			  outgoing_send(gate, &outgoing);
	trace_copies_release(&copies);
	buf_release(&subject);
	buf_release(&text);
	if (!fits)
		too_large(issue, deliveries);
}

static bool may_trace(const struct issue *issue, const struct delivery *deliveries, size_t count,
    struct refusal *refusal)
{
	const struct control *control = &issue->draft.control;
	return !control->trace || trace_allows(issue->gate->config, deliveries, count,
				      issue->draft.text, control->trace_line, refusal);
}

static void address_and_send(struct issue *issue)
{
	const int64_t now = gate_now(issue->gate);
	struct delivery *deliveries = NULL;
	size_t count = 0;
	const bool approval = release_needs_approval(
	    issue->gate->config->release.approval, issue->draft.tlp, &issue->draft.control);
	struct refusal refusal;
	bool good;
	struct err err;
	if (control_is_first(&issue->draft.control) && issue->hold.id == 0) {
		fill_advisory(issue, now);
		if (foresee_number(issue, now, &err) != 0) {
			issue_fail(issue, &err);
			return;
		}
	}
	fill_revision(issue, now);
	if (choose(issue, &deliveries, &count, &good, &refusal, &err) != 0)
		issue_fail(issue, &err);
	else if (!good)
		issue_refuse(issue, &refusal);
	else if (!may_trace(issue, deliveries, count, &refusal)) {
		free(deliveries);
		issue_refuse(issue, &refusal);
	} else if (issue->hold.id == 0 && (approval || issue->draft.control.release > now))
		hold_draft(issue, approval, deliveries, count);
	else
		send_issue(issue, deliveries, count);
}

/* What must hold of a publisher's mail before its words count. */
bool issue_mail_is_fit(const struct mail_facts *facts, int64_t now, struct refusal *refusal)
{
	const struct config *config = facts->gate->config;
	if (facts->opened.signatures[0].created < now - config->limits.drop_age)
		return refuse(refusal, 0, "its signature is older than %lld hours: sign it anew",
		    (long long)config->limits.drop_age / 3600);
	if (!facts->content->readable)
		return refuse(refusal, 0, "it cannot be read: %s", facts->content->reason);
	return true;
}

static bool begins_well(const struct mail_facts *facts, struct refusal *refusal)
{
	return view_is_nocase(block_first_name(facts->content->text), "Advisory") ||
	       refuse(refusal, 1,
		   "the text does not begin with a control block: write \"Advisory: new\" as its "
		   "first "
		   "line");
}

/* What a later revision follows, and what is held. */
static int find_earlier(struct issue *issue, const struct control *control, bool *good,
    struct refusal *refusal, struct err *err)
{
	bool found;
	*good = true;
	if (issue->hold.id != 0 && store_advisory_by_id(issue->gate->store, issue->hold.advisory,
				       &issue->advisory, &found, err) != 0)
		return -1;
	return control_is_first(control) ? 0 : find_advisory(issue, control, good, refusal, err);
}

static void begin_mail(struct issue *issue)
{
	const struct config *config = issue->gate->config;
	const struct mail_content *content = issue->facts->content;
	const int64_t came = issue->hold.id == 0 ? gate_now(issue->gate) : issue->hold.created_at;
	struct refusal refusal;
	struct control control;
	enum tlp earlier;
	bool good;
	struct err err;
	if (!issue_mail_is_fit(issue->facts, came, &refusal) ||
	    !begins_well(issue->facts, &refusal) ||
	    !control_read(content->text, &control, &refusal) ||
	    !control_is_for(
		&control, config->gateway.address, config->release.name_gateway, &refusal)) {
		issue_refuse(issue, &refusal);
		return;
	}
	if (find_earlier(issue, &control, &good, &refusal, &err) != 0) {
		issue_fail(issue, &err);
		return;
	}
	if (good && control.act == CONTROL_WITHDRAW && strcmp(issue->advisory.state, "held") == 0) {
		hold_withdraw(issue);
		return;
	}
	const bool follows = tlp_from(view_of(issue->revision.tlp), &earlier);
	if (good && advisory_draft(
			content, gate_now(issue->gate), follows ? &earlier : NULL, &issue->draft, &refusal))
		address_and_send(issue);
	else
		issue_refuse(issue, &refusal);
}

static void begin(struct issue *issue)
{
	issue->gate->issuing->now = issue;
	if (issue->facts != NULL)
		begin_mail(issue);
	else if (strcmp(issue->advisory.state, "held") == 0)
		hold_withdraw(issue);
	else
		address_and_send(issue);
}

void issue_enter(struct issue *issue)
{
	struct issuing *issuing = issue->gate->issuing;
	if (issuing->now == NULL) {
		begin(issue);
		return;
	}
	*issuing->last = issue;
	issuing->last = &issue->next;
}

struct issue *issue_new(struct gate *gate)
{
	struct issue *issue = calloc(1, sizeof *issue);
	if (issue == NULL)
		abort();
	issue->gate = gate;
	return issue;
}

void issue_mail(struct mail_facts *facts, const struct publisher *publisher)
{
	struct issue *issue = issue_new(facts->gate);
	issue->facts = facts;
	issue->publisher = *publisher;
	issue_enter(issue);
}

void issue_held(
    struct mail_facts *facts, const struct publisher *publisher, const struct hold *hold)
{
	struct issue *issue = issue_new(facts->gate);
	issue->facts = facts;
	issue->publisher = *publisher;
	issue->hold = *hold;
	issue_enter(issue);
}

int issue_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->issuing = calloc(1, sizeof *gate->issuing);
	if (gate->issuing == NULL)
		abort();
	gate->issuing->last = &gate->issuing->first;
	return 0;
}

void issue_stop(struct gate *gate)
{
	free(gate->issuing);
}
