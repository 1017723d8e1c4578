#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gate/agree.h"
#include "gate/pace.h"
#include "gate/schedule.h"
#include "rules/agreement.h"
#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/audit.h"

struct answering {
	struct mail_facts *facts;
	const struct contact *contact;
	enum agreement_word word;
	int64_t now;
	size_t count; /* of the contact's own requests whose tokens are in it */
	struct agreement_request requests[TOKENS_MAX];
	size_t others; /* agreement tokens that do not count here */
	bool advisory; /* it holds the token of an advisory too */
	const char *reason; /* why nothing counts */
};

static int look_up(struct answering *job, const char *token, struct err *err)
{
	struct store *store = job->facts->gate->store;
	struct agreement_request request;
	struct revision revision;
	bool found;
	if (store_agreement_request_by_token(store, token, &request, &found, err) != 0)
		return -1;
	if (!found) {
		if (store_revision_by_token(store, token, &revision, &found, err) != 0)
			return -1;
		job->advisory = job->advisory || found;
	} else if (request.contact != job->contact->id) {
		job->others++;
		job->reason = "its token of the agreement is another contact's";
	} else if (job->facts->opened.signatures[0].created <
		   request.asked_at - job->facts->gate->config->limits.clock_skew) {
		job->others++;
		job->reason = "it was signed before the agreement was sent";
	} else {
		job->requests[job->count++] = request;
	}
	return 0;
}

static int record_answer(
    struct answering *job, const struct agreement_request *request, struct err *err)
{
	struct store *store = job->facts->gate->store;
	const char *word = agreement_word_name(job->word);
	char actor[STORE_NAME_SIZE + 16];
	char event[STORE_ID_SIZE];
	struct agreement_answer answer = {
	    .version = request->version,
	    .contact = job->contact->id,
	    .arrival = job->facts->arrival,
	    .signed_at = job->facts->opened.signatures[0].created,
	    .received_at = job->facts->received_at,
	};
	snprintf(answer.answer, sizeof answer.answer, "%s", word);
	snprintf(answer.fingerprint, sizeof answer.fingerprint, "%s",
	    job->facts->signer.facts.fingerprint);
	snprintf(actor, sizeof actor, "contact %s", job->contact->address);
	snprintf(event, sizeof event, "agreement.%s", word);
	if (store_agreement_answer_add(store, &answer, err) != 0)
		return -1;
	log_info("%s answers to version %lld of the agreement: %s", job->contact->address,
	    (long long)request->version, word);
	return store_audit_add(store, job->now, actor, event, job->contact->member, err,
	    "version %lld, arrival %lld", (long long)request->version,
	    (long long)job->facts->arrival);
}

/* Moves the member where its table allows it, with the audit's word for it. */
static int move_member(struct answering *job, const char *event, struct err *err)
{
	struct store *store = job->facts->gate->store;
	char audit_event[STORE_ID_SIZE];
	char actor[STORE_NAME_SIZE + 16];
	bool moved;
	if (store_member_move(store, job->contact->member, event, &moved, err) != 0)
		return -1;
	if (!moved)
		return 0;
	snprintf(audit_event, sizeof audit_event, "member.%s", event);
	snprintf(actor, sizeof actor, "contact %s", job->contact->address);
	log_info("member %s: %s, by %s", job->contact->member, event, job->contact->address);
	return store_audit_add(
	    store, job->now, actor, audit_event, job->contact->member, err, "by a signed mail");
}

/* An invited member joins with the first signature that suffices; a lapsed one takes part again. */
static int accept_membership(struct answering *job, const char *state, struct err *err)
{
	struct agreement_standing standing;
	char reason[STORE_REASON_SIZE];
	if (store_agreement_standing(job->facts->gate->store, job->contact->id, &standing, err) !=
	    0)
		return -1;
	if (!agreement_suffices(&standing, job->now, reason))
		return 0;
	if (strcmp(state, "invited") == 0)
		return move_member(job, "join", err);
	return strcmp(state, "lapsed") == 0 ? move_member(job, "renew", err) : 0;
}

/* One of the member's contacts, and how many there are. */
struct some_contact {
	struct contact contact;
	size_t count;
};

static int take_contact(void *context, const struct contact *contact, struct err *err)
{
	struct some_contact *some = context;
	(void)err;
	some->contact = *contact;
	some->count++;
	return 0;
}

static int remove_contact(struct answering *job, const struct contact *contact, struct err *err)
{
	struct store *store = job->facts->gate->store;
	char actor[STORE_NAME_SIZE + 16];
	snprintf(actor, sizeof actor, "contact %s", job->contact->address);
	return store_contact_remove(store, contact->id, err) != 0
		   ? -1
		   : store_audit_add(store, job->now, actor, "contact.leave", contact->address, err,
			 "of %s, by a signed mail", contact->member);
}

/* The primary contact speaks for the organisation, and so does the last one. A backup speaks for
 * himself or herself. */
static int leave(struct answering *job, struct err *err)
{
	struct store *store = job->facts->gate->store;
	struct some_contact some = {.count = 0};
	if (store_contact_each(store, job->contact->member, take_contact, &some, err) != 0)
		return -1;
	if (job->contact->rank > 1 && some.count > 1)
		return remove_contact(job, job->contact, err);
	if (move_member(job, "leave", err) != 0)
		return -1;
	while (some.count > 0) {
		if (remove_contact(job, &some.contact, err) != 0)
			return -1;
		some.count = 0;
		if (store_contact_each(store, job->contact->member, take_contact, &some, err) != 0)
			return -1;
	}
	return 0;
}

static int act(struct answering *job, struct err *err)
{
	struct member member;
	bool found;
	if (store_member_get(job->facts->gate->store, job->contact->member, &member, &found, err) !=
	    0)
		return -1;
	if (job->word == AGREEMENT_ACCEPT)
		return accept_membership(job, member.state, err);
	if (job->word == AGREEMENT_LEAVE || strcmp(member.state, "invited") == 0)
		return leave(job, err);
	return 0;
}

static int record_all(struct answering *job, struct err *err)
{
	for (size_t i = 0; i < job->count; i++) {
		if (record_answer(job, &job->requests[i], err) != 0)
			return -1;
	}
	return act(job, err) != 0
		   ? -1
		   : open_record(job->facts, "finish", "agreement", agreement_word_name(job->word),
			 job->facts->signer.facts.fingerprint, err);
}

static void record(struct answering *job)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	bool fresh = true;
	struct err err;
	if (store_begin(store, &err) != 0 ||
	    store_signed_seen(store, facts->digest, facts->arrival, &fresh, &err) != 0 ||
	    (fresh && (record_all(job, &err) != 0 || store_commit(store, &err) != 0))) {
		store_rollback(store);
		gate_fail(facts->gate, &err);
		open_done(facts);
		return;
	}
	if (!fresh) {
		store_rollback(store);
		open_duplicate(facts);
		return;
	}
	schedule_soon(facts->gate);
	facts->gate->want_account = true;
	open_done(facts);
}

bool agree_mail(struct mail_facts *facts, const struct contact *contact)
{
	struct answering job = {
	    .facts = facts, .contact = contact, .now = gate_now(facts->gate), .reason = ""};
	struct reply reply;
	struct err err;
	int result = 0;
	if (!facts->content->readable)
		return false;
	reply_read(facts->content->text, view_of(facts->content->subject), &reply);
	job.word = agreement_read(&reply);
	for (size_t i = 0; i < reply.tokens.count && result == 0; i++)
		result = look_up(&job, reply.tokens.tokens[i], &err);
	buf_release(&reply.comment);
	if (result != 0) {
		gate_fail(facts->gate, &err);
		open_done(facts);
		return true;
	}
	if (job.count + job.others == 0 || (job.word == AGREEMENT_SILENT && job.advisory))
		return false;
	if (job.count == 0)
		open_end(facts, "refuse", "agreement", job.reason);
	else if (job.word == AGREEMENT_SILENT)
		open_end(facts, "refuse", "agreement",
		    "its first line says neither accept, decline nor leave");
	else
		record(&job);
	return true;
}
