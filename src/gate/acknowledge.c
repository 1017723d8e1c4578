#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/acknowledge.h"
#include "gate/clear.h"
#include "gate/pace.h"
#include "gate/refuse.h"
#include "gate/restored.h"
#include "gate/tries.h"
#include "pgp/vault.h"
#include "rules/reply.h"
#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/audit.h"
#include "store/state.h"
#include "worker/frame.h"

struct acknowledging {
	struct mail_facts *facts;
	struct contact contact;
	struct reply reply;
	struct buf comment; /* stashed */
};

/* What one token comes to. */
struct target {
	struct revision revision;
	struct delivery delivery;
};

static void free_job(struct acknowledging *job)
{
	buf_release(&job->reply.comment);
	buf_release(&job->comment);
	free(job);
}

/* *why is UNCOUNTED_NOT when the token is one of a revision that was delivered to the contact. */
static int find_target(struct acknowledging *job, const char *token, struct target *target,
    enum uncounted *why, struct err *err)
{
	struct gate *gate = job->facts->gate;
	bool found;
	*why = UNCOUNTED_NOT;
	if (store_revision_by_token(gate->store, token, &target->revision, &found, err) != 0)
		return -1;
	if (!found) {
		*why = UNCOUNTED_NO_TOKEN;
		return 0;
	}
	if (store_delivery_of_contact(gate->store, target->revision.message, job->contact.id,
		&target->delivery, &found, err) != 0)
		return -1;
	if (!found || target->delivery.attempts == 0)
		*why = UNCOUNTED_NOT_DELIVERED;
	else if (job->facts->opened.signatures[0].created <
		 target->revision.released_at - gate->config->limits.clock_skew)
		*why = UNCOUNTED_BEFORE;
	return 0;
}

static int record_one(struct acknowledging *job, const struct target *target, struct err *err)
{
	struct gate *gate = job->facts->gate;
	const int64_t now = gate_now(gate);
	struct acknowledgment acknowledgment = {
	    .revision = target->revision.id,
	    .contact = job->contact.id,
	    .arrival = job->facts->arrival,
	    .signed_at = job->facts->opened.signatures[0].created,
	    /* it may have waited since, and the clock may have been too far then */
	    .received_at = job->facts->received_at < now ? job->facts->received_at : now,
	    .comment = buf_view(&job->comment),
	};
	char label[STORE_NAME_SIZE];
	char actor[STORE_NAME_SIZE + 16];
	char mail[DIGEST_HEX_SIZE];
	snprintf(acknowledgment.status, sizeof acknowledgment.status, "%s", job->reply.status);
	snprintf(acknowledgment.fingerprint, sizeof acknowledgment.fingerprint, "%s",
	    job->facts->signer.facts.fingerprint);
	snprintf(acknowledgment.clear, sizeof acknowledgment.clear, "%s",
	    clear_what(job->facts, target->revision.token));
	if (store_acknowledgment_add(gate->store, &acknowledgment, err) != 0)
		return -1;
	if (state_after(STATE_DELIVERY, target->delivery.state, "acknowledge") != NULL &&
	    store_delivery_move(gate->store, target->delivery.id, "acknowledge", NULL, 0,
		clock_now(), false, err) != 0)
		return -1;
	if (gate_label(gate, target->revision.message, label, err) != 0 ||
	    store_arrival_digest(gate->store, job->facts->arrival, mail, err) != 0)
		return -1;
	snprintf(actor, sizeof actor, "contact %s", job->contact.address);
	log_info("%s: %s answers: %s", label, job->contact.address, job->reply.status);
	if (acknowledgment.clear[0] != '\0' &&
	    clear_note(gate, &acknowledgment, actor, label, err) != 0)
		return -1;
	return store_audit_add(gate->store, acknowledgment.received_at, actor,
	    "acknowledgment.accepted", label, err, "%s, arrival %lld, mail %s", job->reply.status,
	    (long long)job->facts->arrival, mail);
}

/* A token that is not in the text: attached to it, or outside what is signed, as in the Subject that
 * everybody can see. */
static int look_elsewhere(struct acknowledging *job, enum uncounted *why, struct err *err)
{
	const struct mail_outline *outline = job->facts->outline;
	const struct token_list *const lists[] = {
	    &job->facts->content->tokens, &outline->subject_tokens, &outline->tokens};
	struct target target;
	enum uncounted fault;
	for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
		for (uint32_t i = 0; i < lists[list]->count; i++) {
			if (find_target(job, lists[list]->tokens[i], &target, &fault, err) != 0)
				return -1;
			if (fault == UNCOUNTED_NOT && *why == UNCOUNTED_NO_TOKEN)
				*why = list == 0 ? UNCOUNTED_TOKEN_ATTACHED
						 : UNCOUNTED_TOKEN_OUTSIDE;
		}
	}
	return 0;
}

/* All tokens in one transaction. *accepted counts; *why is why none of them did, the most telling
 * reason of several. */
static int record_all(
    struct acknowledging *job, size_t *accepted, enum uncounted *why, struct err *err)
{
	struct target target;
	*accepted = 0;
	*why = UNCOUNTED_NO_TOKEN;
	for (uint32_t i = 0; i < job->reply.tokens.count; i++) {
		enum uncounted fault;
		if (find_target(job, job->reply.tokens.tokens[i], &target, &fault, err) != 0 ||
		    (fault == UNCOUNTED_NOT && record_one(job, &target, err) != 0))
			return -1;
		*accepted += fault == UNCOUNTED_NOT;
		if (fault > *why)
			*why = fault;
	}
	if (*accepted == 0 && *why == UNCOUNTED_NO_TOKEN && look_elsewhere(job, why, err) != 0)
		return -1;
	return *accepted == 0 ? 0
			      : open_record(job->facts, "finish", "acknowledgment",
				    job->reply.status, job->facts->signer.facts.fingerprint, err);
}

/* Tokens that are all unknown: a restore may have lost what they are of. */
static void take_lost(struct acknowledging *job, bool *taken)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	bool fresh;
	struct err err;
	if (store_begin(store, &err) != 0 ||
	    restored_take_answer(facts, &job->contact, &job->reply.tokens, taken, &err) != 0 ||
	    (*taken && store_signed_seen(store, facts->digest, facts->arrival, &fresh, &err) != 0) ||
	    store_commit(store, &err) != 0) {
		store_rollback(store);
		gate_fail(facts->gate, &err);
	}
}

static void record(struct acknowledging *job)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	enum uncounted why = UNCOUNTED_NOT;
	size_t accepted = 0;
	bool fresh = true;
	bool lost = false;
	struct err err;
	if (store_begin(store, &err) != 0 ||
	    store_signed_seen(store, facts->digest, facts->arrival, &fresh, &err) != 0 ||
	    (fresh && record_all(job, &accepted, &why, &err) != 0) ||
	    (accepted > 0 && store_commit(store, &err) != 0)) {
		store_rollback(store);
		gate_fail(facts->gate, &err);
		open_done(facts);
		free_job(job);
		return;
	}
	if (accepted == 0)
		store_rollback(store);
	facts->gate->want_account = true;
	if (fresh && accepted == 0 && why == UNCOUNTED_NO_TOKEN)
		take_lost(job, &lost);
	free_job(job);
	if (!fresh) {
		open_duplicate(facts);
	} else if (accepted == 0 && !lost) {
		facts->uncounted = why;
		open_end(facts, "refuse", "acknowledgment", uncounted_text(why));
	} else {
		open_done(facts);
	}
}

static bool on_stashed(void *context, enum pool_event event, struct view body)
{
	struct acknowledging *job = context;
	struct vault_reply reply = {.status = VAULT_FAILED};
	if (event == POOL_ANSWER && !vault_take_stash(body, &reply, &job->comment, 1))
		return false;
	if (reply.status == VAULT_OK) {
		record(job);
		return true;
	}
	if (event == POOL_DIED)
		tries_failed(job->facts, "keeping its comment", body);
	else
		open_again(job->facts, reply.text);
	buf_release(&job->reply.comment);
	buf_release(&job->comment);
	free(job);
	return true;
}

void acknowledge_mail(struct mail_facts *facts, const struct contact *contact)
{
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	if (!facts->content->readable) {
		struct refusal refusal;
		refuse(&refusal, 0, "what you signed cannot be read: %s", facts->content->reason);
		refuse_contact(facts, contact, "acknowledgment", &refusal);
		return;
	}
	struct acknowledging *job = calloc(1, sizeof *job);
	if (job == NULL)
		abort();
	job->facts = facts;
	job->contact = *contact;
	job->comment = BUF_EMPTY(FRAME_BODY_MAX);
	(facts->form == OPEN_CLEARTEXT ? reply_read_cleartext : reply_read)(
	    facts->content->text, view_of(facts->content->subject), &job->reply);
	const struct view comment = buf_view(&job->reply.comment);
	if (comment.len == 0 || job->reply.tokens.count == 0) {
		record(job);
		return;
	}
	vault_put_stash(&body, &comment, 1);
	tries_ask(facts, VAULT_STASH, &body, GATE_OPEN_MS, on_stashed, job);
}
