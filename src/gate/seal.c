#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/seal.h"
#include "gate/shard.h"
#include "pgp/vault.h"
#include "store/audit.h"
#include "store/messages.h"
#include "worker/frame.h"

enum { SEAL_PAUSE_MS = 5 * 1000, SEAL_TROUBLE_MAX = 64, SEAL_ALONE_MAX = 3 };

/* A batch on its way through a vault. */
struct batch {
	struct gate *gate;
	struct seal_group group;
	size_t count;
	int64_t *deliveries;
	struct seal_recipient *recipients;
	struct batch *next; /* among those under way */
};

/* A message and shard whose batch failed: how many to try next, and how often one alone failed. */
struct trouble {
	int64_t message;
	int64_t shard;
	size_t most;
	unsigned alone;
};

struct sealing {
	struct batch *under_way;
	struct trouble troubles[SEAL_TROUBLE_MAX];
	size_t trouble_count;
	bool paused;
};

static void batch_free(struct batch *batch)
{
	struct sealing *sealing = batch->gate->sealing;
	for (struct batch **at = &sealing->under_way; *at != NULL; at = &(*at)->next) {
		if (*at == batch) {
			*at = batch->next;
			break;
		}
	}
	for (size_t i = 0; i < batch->count; i++)
		buf_release(&batch->recipients[i].pkesk);
	buf_release(&batch->group.stash);
	free(batch->deliveries);
	free(batch->recipients);
	batch->gate->want_seal = true;
	free(batch);
}

static struct trouble *trouble_of(struct sealing *sealing, int64_t message, int64_t shard)
{
	for (size_t i = 0; i < sealing->trouble_count; i++) {
		struct trouble *trouble = &sealing->troubles[i];
		if (trouble->message == message && trouble->shard == shard)
			return trouble;
	}
	return NULL;
}

static void trouble_over(struct sealing *sealing, const struct batch *batch)
{
	struct trouble *trouble = trouble_of(sealing, batch->group.message, batch->group.shard);
	if (trouble != NULL)
		*trouble = sealing->troubles[--sealing->trouble_count];
}

static void resume(void *context)
{
	struct gate *gate = context;
	gate->sealing->paused = false;
	gate->want_seal = true;
}

static void pause_sealing(struct gate *gate)
{
	if (gate->sealing->paused)
		return;
	gate->sealing->paused = true;
	loop_after(gate->loop, SEAL_PAUSE_MS, resume, gate);
}

static int exclude(
    struct batch *batch, size_t i, const char *label, const char *reason, struct err *err)
{
	struct store *store = batch->gate->store;
	struct delivery delivery;
	char subject[STORE_NAME_SIZE + STORE_ADDRESS_SIZE];
	bool found;
	if (store_delivery_get(store, batch->deliveries[i], &delivery, &found, err) != 0 ||
	    store_delivery_move(
		store, batch->deliveries[i], "exclude", reason, 0, clock_now(), false, err) != 0)
		return -1;
	log_warning("%s: %s is not reached: %s", label, delivery.address, reason);
	snprintf(subject, sizeof subject, "%s %s", label, delivery.address);
	return store_audit_add(
	    store, clock_now(), "gate", "delivery.excluded", subject, err, "%s", reason);
}

/* One transaction: the shared packet, every session key, and who was left out. */
static int record(struct batch *batch, struct view data, uint32_t gpg_runs, struct err *err)
{
	struct store *store = batch->gate->store;
	char label[STORE_NAME_SIZE];
	int64_t id = 0;
	size_t sealed = 0;
	if (store_begin(store, err) != 0 ||
	    gate_label(batch->gate, batch->group.message, label, err) != 0 ||
	    (data.len > 0 && store_batch_add(store, batch->group.message, data, &id, err) != 0))
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct seal_recipient *recipient = &batch->recipients[i];
		const int result = recipient->pkesk.len > 0
				       ? store_delivery_bind(store, batch->deliveries[i], id,
					     buf_view(&recipient->pkesk), err)
				       : exclude(batch, i, label, recipient->reason, err);
		if (result != 0)
			return -1;
		sealed += recipient->pkesk.len > 0;
	}
	if (store_counter_add(store, "gpg-runs", gpg_runs, err) != 0 ||
	    store_audit_add(store, clock_now(), "gate", "message.sealed", label, err,
		"%zu of %zu recipients in %u gpg runs", sealed, batch->count, gpg_runs) != 0)
		return -1;
	log_info("%s: sealed for %zu of %zu recipients in %u gpg runs", label, sealed, batch->count,
	    gpg_runs);
	return store_commit(store, err);
}

/* Half as many the next time; one alone that failed often enough is taken out. */
static void failed(struct batch *batch, const char *why)
{
	struct gate *gate = batch->gate;
	struct sealing *sealing = gate->sealing;
	struct trouble *trouble = trouble_of(sealing, batch->group.message, batch->group.shard);
	char label[STORE_NAME_SIZE] = "";
	char reason[STORE_REASON_SIZE];
	struct err err;
	log_error("sealing for %zu recipients failed: %s", batch->count, why);
	if (trouble == NULL && sealing->trouble_count < SEAL_TROUBLE_MAX) {
		trouble = &sealing->troubles[sealing->trouble_count++];
		*trouble =
		    (struct trouble){.message = batch->group.message, .shard = batch->group.shard};
	}
	if (trouble != NULL)
		trouble->most = (batch->count + 1) / 2;
	if (batch->count > 1 && trouble != NULL)
		return;
	pause_sealing(gate);
	if (trouble == NULL || ++trouble->alone < SEAL_ALONE_MAX)
		return;
	trouble_over(sealing, batch);
	snprintf(reason, sizeof reason, "sealing for this certificate fails: %.200s", why);
	if (store_begin(gate->store, &err) != 0 ||
	    gate_label(gate, batch->group.message, label, &err) != 0 ||
	    exclude(batch, 0, label, reason, &err) != 0 || store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	gate->want_account = true;
}

static void ask(struct batch *batch);

static void on_shard_ready(void *context, const char *problem)
{
	struct batch *batch = context;
	if (problem == NULL) {
		ask(batch);
		return;
	}
	log_error("a keyring could not be built: %s", problem);
	pause_sealing(batch->gate);
	batch_free(batch);
}

static bool on_sealed(void *context, enum pool_event event, struct view body)
{
	struct batch *batch = context;
	struct gate *gate = batch->gate;
	struct buf data = BUF_EMPTY(FRAME_BODY_MAX);
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "the vault ended while sealing, twice"};
	uint32_t gpg_runs = 0;
	struct err err;
	if (event == POOL_ANSWER && !vault_take_seal(body, &reply, batch->recipients,
					(uint32_t)batch->count, &data, &gpg_runs)) {
		buf_release(&data);
		return false;
	}
	if (reply.status == VAULT_NO_SHARD) {
		buf_release(&data);
		shard_build(gate, batch->group.shard, on_shard_ready, batch);
		return true;
	}
	if (reply.status == VAULT_FAILED) {
		failed(batch, reply.text);
	} else if (record(batch, buf_view(&data), gpg_runs, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	} else {
		trouble_over(gate->sealing, batch);
		gate->want_send = gate->want_account = true;
	}
	buf_release(&data);
	batch_free(batch);
	return true;
}

static void ask(struct batch *batch)
{
	struct gate *gate = batch->gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	vault_put_seal(&body, batch->group.shard, batch->group.generation,
	    buf_view(&batch->group.stash), batch->recipients, (uint32_t)batch->count);
	gate_ask(gate, gate->vaults, VAULT_SEAL, &body, GATE_SEAL_MS, on_sealed, batch);
}

/* Only one batch of a message and shard at a time: the next is chosen among what it leaves. */
static bool is_under_way(void *context, int64_t message, int64_t shard)
{
	const struct batch *batch = context;
	for (const struct batch *at = batch->gate->sealing->under_way; at != NULL; at = at->next) {
		if (at->group.message == message && at->group.shard == shard)
			return true;
	}
	return false;
}

static int add_recipient(void *context, const struct delivery *delivery, struct err *err)
{
	struct batch *batch = context;
	struct seal_recipient *recipient = &batch->recipients[batch->count];
	(void)err;
	memcpy(recipient->fingerprint, delivery->fingerprint, sizeof recipient->fingerprint);
	memcpy(recipient->key_id, delivery->key_id, sizeof recipient->key_id);
	recipient->pkesk = BUF_EMPTY(BUF_SMALL);
	batch->deliveries[batch->count++] = delivery->id;
	return 0;
}

/* True when there was a batch to start. */
static bool start_batch(struct gate *gate, struct err *err)
{
	const size_t most = (size_t)gate->config->sealing.batch;
	struct batch *batch = calloc(1, sizeof *batch);
	if (batch == NULL)
		abort();
	batch->gate = gate;
	batch->group.stash = BUF_EMPTY(FRAME_BODY_MAX);
	batch->deliveries = calloc(most, sizeof *batch->deliveries);
	batch->recipients = calloc(most, sizeof *batch->recipients);
	if (batch->deliveries == NULL || batch->recipients == NULL)
		abort();
	if (store_seal_next(
		gate->store, most, is_under_way, &batch->group, add_recipient, batch, err) != 0) {
		gate_fail(gate, err);
		batch_free(batch);
		return false;
	}
	if (batch->group.shard < 0 || batch->count == 0) {
		batch_free(batch);
		gate->want_seal = false; /* batch_free raised it */
		return false;
	}
	const struct trouble *trouble =
	    trouble_of(gate->sealing, batch->group.message, batch->group.shard);
	if (trouble != NULL && batch->count > trouble->most)
		batch->count = trouble->most;
	batch->next = gate->sealing->under_way;
	gate->sealing->under_way = batch;
	ask(batch);
	return true;
}

void seal_work(struct gate *gate)
{
	struct err err;
	gate->want_seal = false;
	while (!gate->failed && !gate->sealing->paused && pool_idle(gate->vaults) > 0 &&
	       start_batch(gate, &err))
		continue;
}

int seal_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->sealing = calloc(1, sizeof *gate->sealing);
	if (gate->sealing == NULL)
		abort();
	return 0;
}

void seal_stop(struct gate *gate)
{
	while (gate->sealing != NULL && gate->sealing->under_way != NULL)
		batch_free(gate->sealing->under_way);
	free(gate->sealing);
}
