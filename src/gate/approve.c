#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/approve.h"
#include "gate/issue.h"
#include "gate/letters_release.h"
#include "gate/outgoing.h"
#include "gate/pace.h"
#include "gate/recipients.h"
#include "gate/refuse.h"
#include "gate/schedule.h"
#include "rules/release.h"
#include "rules/reply.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/state.h"

struct deciding {
	struct mail_facts *facts;
	struct publisher by;
	struct decision decision;
	struct hold hold;
	struct advisory advisory;
};

static const char *event_of(const struct deciding *job)
{
	return job->decision.approve ? "approve" : "reject";
}

static int record(void *context, int64_t message, struct view title, bool *go, struct err *err)
{
	struct deciding *job = context;
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	const int64_t now = gate_now(facts->gate);
	(void)message;
	(void)title;
	if (store_signed_seen(store, facts->digest, facts->arrival, go, err) != 0)
		return -1;
	if (*go &&
	    store_hold_move(store, job->hold.id, event_of(job), job->by.id, now, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	/* What nobody has got yet ends with its draft; an update's advisory stands as it was. */
	if (!job->decision.approve && strcmp(job->advisory.state, "held") == 0 &&
	    store_advisory_move(store, job->advisory.id, "withdraw", err) != 0)
		return -1;
	if (open_record(facts, "finish", "approval", "", facts->signer.facts.fingerprint, err) != 0)
		return -1;
	return store_audit_add(store, now, job->by.address,
	    job->decision.approve ? "advisory.approve" : "advisory.reject", job->advisory.number,
	    err, "arrival %lld", (long long)facts->arrival);
}

static void done(void *context, enum outgoing_end end, const char *problem)
{
	struct deciding *job = context;
	struct gate *gate = job->facts->gate;
	if (end == OUTGOING_RECORDED) {
		log_info("%s: %s by %s", job->advisory.number, event_of(job), job->by.address);
		open_done(job->facts);
	} else if (end == OUTGOING_DROPPED) {
		open_end(
		    job->facts, "finish", "duplicate", "it was decided before, or ended meanwhile");
	} else {
		open_again(job->facts, problem);
	}
	schedule_soon(gate);
	free(job);
}

static void fail(struct deciding *job, const struct err *err)
{
	gate_fail(job->facts->gate, err);
	open_done(job->facts);
	free(job);
}

static void send_decision(struct deciding *job)
{
	struct gate *gate = job->facts->gate;
	struct buf text = BUF_EMPTY(BUF_SMALL + 2 * (size_t)REPLY_COMMENT_MAX);
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	struct recipients to = {0};
	struct reply reply;
	struct err err;
	bool sent = false;
	reply_read(job->decision.text, VIEW(""), &reply);
	const struct letter_decision letter = {
	    .hold = &job->hold,
	    .approved = job->decision.approve,
	    .by = job->by.address,
	    .reason = buf_view(&reply.comment),
	    .now = clock_now(),
	};
	letter_decided(&text, job->advisory.number, &letter);
	buf_printf(&subject, "%s: %s", job->decision.approve ? "Approved" : "Rejected",
	    job->advisory.number);
	const struct outgoing outgoing = {
	    .kind = "receipt",
	    .to = gate->config->gateway.address,
	    .subject = buf_text(&subject),
	    .text = buf_view(&text),
	    .record = record,
	    .done = done,
	    .context = job,
	};
	if (recipients_add_publisher(gate, &to, job->hold.publisher, &err) == 0 &&
	    recipients_add_publisher(gate, &to, job->by.id, &err) == 0) {
		struct outgoing with = outgoing;
		with.deliveries = to.deliveries;
		with.delivery_count = to.count;
		sent = outgoing_send(gate, &with);
		if (!sent)
			err_set(&err, ERR_DAEMON, ERR_NEVER, "a receipt is too large to be sent");
	}
	if (!sent) {
		recipients_release(&to);
		fail(job, &err);
	}
	buf_release(&reply.comment);
	buf_release(&text);
	buf_release(&subject);
}

/* The held advisory that the token is of, if this publisher may decide about it. */
static int find_held(struct deciding *job, bool *good, struct refusal *refusal, struct err *err)
{
	struct store *store = job->facts->gate->store;
	const struct decision *decision = &job->decision;
	struct publisher author;
	bool found;
	*good = false;
	if (store_hold_by_token(store, decision->token, &job->hold, &found, err) != 0)
		return -1;
	if (!found) {
		refuse(refusal, decision->line,
		    "this is not the token of an advisory that waits for approval");
		return 0;
	}
	if (store_advisory_by_id(store, job->hold.advisory, &job->advisory, &found, err) != 0 ||
	    store_publisher_get(store, job->hold.publisher, &author, &found, err) != 0)
		return -1;
	*good = decision_may_be_by(&job->by, job->facts->signer.facts.fingerprint, &author,
	    job->hold.fingerprint, decision->line, refusal);
	if (*good && state_after(STATE_HOLD, job->hold.state, event_of(job)) == NULL)
		*good = refuse(refusal, decision->line, "%s is decided already: it is %s",
		    job->advisory.number,
		    strcmp(job->hold.state, "held") == 0 ? "approved" : job->hold.state);
	return 0;
}

void approve_mail(struct mail_facts *facts, const struct publisher *publisher)
{
	struct deciding *job = calloc(1, sizeof *job);
	struct refusal refusal;
	struct err err;
	bool good = false;
	if (job == NULL)
		abort();
	job->facts = facts;
	job->by = *publisher;
	if (issue_mail_is_fit(facts, gate_now(facts->gate), &refusal) &&
	    decision_read(facts->content->text, &job->decision, &refusal) &&
	    find_held(job, &good, &refusal, &err) != 0) {
		fail(job, &err);
	} else if (good) {
		send_decision(job);
	} else {
		refuse_mail(facts, publisher, &refusal);
		free(job);
	}
}
