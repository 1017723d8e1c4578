#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/outgoing.h"
#include "mail/compose.h"
#include "pgp/vault.h"
#include "store/audit.h"
#include "worker/frame.h"

/* On its way through the vault. */
struct sealing_up {
	struct gate *gate;
	struct outgoing outgoing; /* borrowed members are gone by now: only what we own is used */
	struct message message;
	struct buf head;
	struct buf tail;
};

static void release(struct sealing_up *job)
{
	buf_release(&job->head);
	buf_release(&job->tail);
	free(job);
}

static void end(struct sealing_up *job, enum outgoing_end how, const char *problem)
{
	job->outgoing.done(job->outgoing.context, how, problem);
	free(job->outgoing.deliveries);
	release(job);
}

static int record_delivery(
    struct sealing_up *job, const char *label, struct delivery *delivery, struct err *err)
{
	struct store *store = job->gate->store;
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	delivery->message = job->message.id;
	if (store_delivery_add(store, delivery, err) != 0)
		return -1;
	if (strcmp(delivery->state, "failed") != 0)
		return 0;
	snprintf(subject, sizeof subject, "%s %s", label, delivery->address);
	log_warning("%s: %s is not reached: %s", label, delivery->address, delivery->reason);
	return store_audit_add(
	    store, clock_now(), "gate", "delivery.excluded", subject, err, "%s", delivery->reason);
}

static int record(struct sealing_up *job, struct view title, bool *go, struct err *err)
{
	struct outgoing *outgoing = &job->outgoing;
	char label[STORE_NAME_SIZE];
	*go = true;
	if (store_message_add(job->gate->store, &job->message, err) != 0)
		return -1;
	if (outgoing->record != NULL &&
	    outgoing->record(outgoing->context, job->message.id, title, go, err) != 0)
		return -1;
	if (!*go)
		return 0;
	if (gate_label(job->gate, job->message.id, label, err) != 0)
		return -1;
	for (size_t i = 0; i < outgoing->delivery_count; i++) {
		if (record_delivery(job, label, &outgoing->deliveries[i], err) != 0)
			return -1;
	}
	return 0;
}

static void finish(struct sealing_up *job, struct buf stashes[2])
{
	struct gate *gate = job->gate;
	struct err err;
	bool go = false;
	job->message.stash = buf_view(&stashes[0]);
	if (store_begin(gate->store, &err) != 0 ||
	    record(job, buf_view(&stashes[1]), &go, &err) != 0 ||
	    (go && store_commit(gate->store, &err) != 0)) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		end(job, OUTGOING_FAILED, err.text);
		return;
	}
	if (!go)
		store_rollback(gate->store);
	gate->want_seal = gate->want_account = true;
	end(job, go ? OUTGOING_RECORDED : OUTGOING_DROPPED, "");
}

static bool on_stashed(void *context, enum pool_event event, struct view body)
{
	struct sealing_up *job = context;
	struct vault_reply reply;
	struct buf stashes[2] = {BUF_EMPTY(FRAME_BODY_MAX), BUF_EMPTY(FRAME_BODY_MAX)};
	bool good = true;
	if (event == POOL_DIED)
		end(job, OUTGOING_FAILED, "stashing a message ended the vault twice");
	else if (!(good = vault_take_stash(body, &reply, stashes, 2)))
		good = false;
	else if (reply.status != VAULT_OK)
		end(job, OUTGOING_FAILED, reply.text);
	else
		finish(job, stashes);
	buf_release(&stashes[0]);
	buf_release(&stashes[1]);
	return good;
}

bool outgoing_send(struct gate *gate, const struct outgoing *outgoing)
{
	const struct config *config = gate->config;
	struct sealing_up *job = calloc(1, sizeof *job);
	struct buf inner = BUF_EMPTY(OUTGOING_MAX);
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	if (job == NULL)
		abort();
	job->gate = gate;
	job->outgoing = *outgoing;
	job->head = BUF_EMPTY(BUF_SMALL * 2);
	job->tail = BUF_EMPTY(BUF_SMALL);
	snprintf(job->message.kind, sizeof job->message.kind, "%s", outgoing->kind);
	compose_message_id(config->gateway.address, job->message.message_id);
	job->message.created_at = clock_now();
	job->message.low_priority = outgoing->low_priority;
	const struct compose_headers headers = {
	    .from_name = config->gateway.name,
	    .from = config->gateway.address,
	    .to = outgoing->to,
	    .subject = outgoing->subject,
	    .message_id = job->message.message_id,
	    .date = job->message.created_at,
	};
	compose_inner(
	    &inner, &headers, outgoing->text, outgoing->attachments, outgoing->attachment_count);
	compose_outer(&job->head, &job->tail, &headers, buf_view(&gate->autocrypt));
	const bool fits = !inner.overflow && !job->head.overflow && !job->tail.overflow;
	if (!fits) {
		buf_release(&inner);
		release(job);
		return false;
	}
	job->message.head = buf_view(&job->head);
	job->message.tail = buf_view(&job->tail);
	const struct view plaintexts[2] = {buf_view(&inner), view_of(outgoing->title)};
	vault_put_stash(&body, plaintexts, 2);
	gate_ask(gate, gate->vaults, VAULT_STASH, &body, GATE_SEAL_MS, on_stashed, job);
	buf_release(&inner);
	return true;
}
