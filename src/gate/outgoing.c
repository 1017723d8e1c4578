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

enum { STASHES = 2 };

struct copy {
	int64_t number; /* 0: none */
	unsigned char mark[STORE_MARK_SIZE];
	struct buf inner; /* until it is stashed */
	struct buf stash;
};

/* On its way through the vault. */
struct sealing_up {
	struct gate *gate;
	struct outgoing outgoing; /* borrowed members are gone by now: only what we own is used */
	struct message message;
	struct buf head;
	struct buf tail;
	struct buf stashes[STASHES]; /* of the message and its title */
	struct copy *copies; /* one for each delivery, NULL: one text for all */
	size_t copy_count;
	size_t copy_at; /* the next to be stashed */
};

static void release(struct sealing_up *job)
{
	for (size_t i = 0; i < job->copy_count; i++) {
		buf_release(&job->copies[i].inner);
		buf_release(&job->copies[i].stash);
	}
	for (size_t i = 0; i < STASHES; i++)
		buf_release(&job->stashes[i]);
	free(job->copies);
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

static int record_copy(
    struct sealing_up *job, size_t i, const struct delivery *delivery, struct err *err)
{
	const struct copy *copy = &job->copies[i];
	struct traced_copy row = {
	    .delivery = delivery->id,
	    .message = job->message.id,
	    .number = copy->number,
	    .stash = buf_view(&copy->stash),
	};
	memcpy(row.mark, copy->mark, sizeof row.mark);
	return store_copy_add(job->gate->store, &row, err);
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
		struct delivery *delivery = &outgoing->deliveries[i];
		if (record_delivery(job, label, delivery, err) != 0 ||
		    (job->copies != NULL && job->copies[i].number > 0 &&
			record_copy(job, i, delivery, err) != 0))
			return -1;
	}
	return 0;
}

static void finish(struct sealing_up *job)
{
	struct gate *gate = job->gate;
	struct err err;
	bool go = false;
	job->message.stash = buf_view(&job->stashes[0]);
	if (store_begin(gate->store, &err) != 0 ||
	    record(job, buf_view(&job->stashes[1]), &go, &err) != 0 ||
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

static void stash_next(struct sealing_up *job);

/* False when the answer is malformed. */
static bool take(struct sealing_up *job, enum pool_event event, struct view body,
    struct buf *stashes, uint32_t count, bool *good)
{
	struct vault_reply reply;
	*good = false;
	if (event == POOL_DIED) {
		end(job, OUTGOING_FAILED, "stashing a message ended the vault twice");
		return true;
	}
	if (!vault_take_stash(body, &reply, stashes, count))
		return false;
	*good = reply.status == VAULT_OK;
	if (!*good)
		end(job, OUTGOING_FAILED, reply.text);
	return true;
}

static bool on_copy(void *context, enum pool_event event, struct view body)
{
	struct sealing_up *job = context;
	struct copy *copy = &job->copies[job->copy_at];
	bool good;
	if (!take(job, event, body, &copy->stash, 1, &good))
		return false;
	if (good) {
		job->copy_at++;
		stash_next(job);
	}
	return true;
}

/* The next copy, or the end. */
static void stash_next(struct sealing_up *job)
{
	struct gate *gate = job->gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	while (job->copy_at < job->copy_count && job->copies[job->copy_at].number == 0)
		job->copy_at++;
	if (job->copy_at == job->copy_count) {
		finish(job);
		return;
	}
	struct copy *copy = &job->copies[job->copy_at];
	const struct view plaintext = buf_view(&copy->inner);
	vault_put_stash(&body, &plaintext, 1);
	buf_release(&copy->inner);
	copy->stash = BUF_EMPTY(FRAME_BODY_MAX);
	gate_ask(gate, gate->vaults, VAULT_STASH, &body, GATE_SEAL_MS, on_copy, job);
}

static bool on_stashed(void *context, enum pool_event event, struct view body)
{
	struct sealing_up *job = context;
	bool good;
	if (!take(job, event, body, job->stashes, STASHES, &good))
		return false;
	if (good)
		stash_next(job);
	return true;
}

/* Every copy as it will be sealed. False when they do not fit, all together. */
static bool compose_copies(
    struct sealing_up *job, const struct outgoing *outgoing, const struct compose_headers *headers)
{
	size_t left = OUTGOING_MAX;
	job->copy_count = outgoing->delivery_count;
	job->copies = calloc(job->copy_count + 1, sizeof *job->copies);
	if (job->copies == NULL)
		abort();
	for (size_t i = 0; i < job->copy_count; i++) {
		struct copy *copy = &job->copies[i];
		copy->number = outgoing->copies[i].number;
		memcpy(copy->mark, outgoing->copies[i].mark, sizeof copy->mark);
		copy->inner = BUF_EMPTY(left);
		if (copy->number == 0)
			continue;
		compose_inner(&copy->inner, headers, outgoing->copies[i].text,
		    outgoing->attachments, outgoing->attachment_count);
		if (copy->inner.overflow)
			return false;
		left -= copy->inner.len;
	}
	return true;
}

/* The outer subject may say what kind of mail it is where an observer knows that anyway: that the
 * gateway answers somebody who wrote to it, or waits for something from somebody. All else, what
 * tells that an advisory went out, or of whom, or how it was answered, is hidden. */
static const char *outer_subject(const char *kind)
{
	static const struct {
		const char *kind;
		const char *subject;
	} told[] = {
	    {"receipt", compose_receipt},
	    {"refusal", compose_receipt},
	    {"material", compose_receipt},
	    {"key-receipt", compose_receipt},
	    {"reminder", compose_reminder},
	    {"key-warning", compose_reminder},
	};
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		if (strcmp(told[i].kind, kind) == 0)
			return told[i].subject;
	}
	return compose_hidden;
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
	    .outer = outer_subject(outgoing->kind),
	    .message_id = job->message.message_id,
	    .date = job->message.created_at,
	};
	for (size_t i = 0; i < STASHES; i++)
		job->stashes[i] = BUF_EMPTY(FRAME_BODY_MAX);
	bool fits = true;
	/* With copies the message itself holds no text, so that none can leave unmarked. */
	if (outgoing->copies != NULL)
		fits = compose_copies(job, outgoing, &headers);
	else
		compose_inner(&inner, &headers, outgoing->text, outgoing->attachments,
		    outgoing->attachment_count);
	compose_outer(&job->head, &job->tail, &headers, buf_view(&gate->autocrypt));
	fits = fits && !inner.overflow && !job->head.overflow && !job->tail.overflow;
	if (!fits) {
		buf_release(&inner);
		release(job);
		return false;
	}
	job->message.head = buf_view(&job->head);
	job->message.tail = buf_view(&job->tail);
	const struct view plaintexts[STASHES] = {buf_view(&inner), view_of(outgoing->title)};
	vault_put_stash(&body, plaintexts, STASHES);
	gate_ask(gate, gate->vaults, VAULT_STASH, &body, GATE_SEAL_MS, on_stashed, job);
	buf_release(&inner);
	return true;
}
