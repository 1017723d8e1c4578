#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/acknowledge.h"
#include "gate/clear.h"
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

/* *reason stays "" when the token is one of a revision that was delivered to the contact. */
static int find_target(struct acknowledging *job, const char *token, struct target *target,
    const char **reason, struct err *err)
{
	struct gate *gate = job->facts->gate;
	bool found;
	*reason = "";
	if (store_revision_by_token(gate->store, token, &target->revision, &found, err) != 0)
		return -1;
	if (!found) {
		*reason = "it holds no token of an advisory";
		return 0;
	}
	if (store_delivery_of_contact(gate->store, target->revision.message, job->contact.id,
		&target->delivery, &found, err) != 0)
		return -1;
	if (!found || target->delivery.attempts == 0)
		*reason = "its token is of a revision that was not delivered to this contact";
	else if (job->facts->opened.signatures[0].created <
		 target->revision.released_at - gate->config->limits.clock_skew)
		*reason = "it was signed before the release";
	return 0;
}

static int record_one(struct acknowledging *job, const struct target *target, struct err *err)
{
	struct gate *gate = job->facts->gate;
	struct acknowledgment acknowledgment = {
	    .revision = target->revision.id,
	    .contact = job->contact.id,
	    .arrival = job->facts->arrival,
	    .signed_at = job->facts->opened.signatures[0].created,
	    .received_at = clock_now(),
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
		acknowledgment.received_at, false, err) != 0)
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

/* All tokens in one transaction. *accepted counts; *reason is why the last other one did not. */
static int record_all(
    struct acknowledging *job, size_t *accepted, const char **reason, struct err *err)
{
	struct target target;
	*accepted = 0;
	*reason = "it holds no token of an advisory";
	for (size_t i = 0; i < job->reply.tokens.count; i++) {
		const char *why;
		if (find_target(job, job->reply.tokens.tokens[i], &target, &why, err) != 0)
			return -1;
		if (why[0] != '\0') {
			*reason = why;
			continue;
		}
		if (record_one(job, &target, err) != 0)
			return -1;
		++*accepted;
	}
	return *accepted == 0 ? 0
			      : open_record(job->facts, "finish", "acknowledgment",
				    job->reply.status, job->facts->signer.facts.fingerprint, err);
}

static void record(struct acknowledging *job)
{
	struct mail_facts *facts = job->facts;
	struct store *store = facts->gate->store;
	const char *reason = "";
	size_t accepted = 0;
	bool fresh = true;
	struct err err;
	if (store_begin(store, &err) != 0 ||
	    store_signed_seen(store, facts->digest, facts->arrival, &fresh, &err) != 0 ||
	    (fresh && record_all(job, &accepted, &reason, &err) != 0) ||
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
	if (!fresh)
		open_duplicate(facts);
	else if (accepted == 0)
		open_end(facts, "refuse", "acknowledgment", reason);
	else
		open_done(facts);
	free_job(job);
}

static bool on_stashed(void *context, enum pool_event event, struct view body)
{
	struct acknowledging *job = context;
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "stashing a comment ended the vault twice"};
	if (event == POOL_ANSWER && !vault_take_stash(body, &reply, &job->comment, 1))
		return false;
	if (reply.status == VAULT_OK) {
		record(job);
		return true;
	}
	open_again(job->facts, reply.text);
	buf_release(&job->reply.comment);
	buf_release(&job->comment);
	free(job);
	return true;
}

void acknowledge_mail(struct mail_facts *facts, const struct contact *contact)
{
	struct acknowledging *job = calloc(1, sizeof *job);
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	if (job == NULL)
		abort();
	job->facts = facts;
	job->contact = *contact;
	job->comment = BUF_EMPTY(FRAME_BODY_MAX);
	if (!facts->content->readable) {
		open_end(facts, "refuse", "acknowledgment", facts->content->reason);
		free_job(job);
		return;
	}
	(facts->form == OPEN_CLEARTEXT ? reply_read_cleartext : reply_read)(
	    facts->content->text, view_of(facts->content->subject), &job->reply);
	const struct view comment = buf_view(&job->reply.comment);
	if (comment.len == 0 || job->reply.tokens.count == 0) {
		record(job);
		return;
	}
	vault_put_stash(&body, &comment, 1);
	gate_ask(
	    facts->gate, facts->gate->vaults, VAULT_STASH, &body, GATE_OPEN_MS, on_stashed, job);
}
