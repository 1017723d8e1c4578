#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/entitle.h"
#include "gate/pace.h"
#include "gate/seal.h"
#include "gate/shard.h"
#include "pgp/vault.h"
#include "rules/reach.h"
#include "store/audit.h"
#include "store/epoch.h"
#include "store/messages.h"
#include "worker/frame.h"

enum { SEAL_PAUSE_MS = 5 * 1000, SEAL_TROUBLE_MAX = 64, SEAL_ALONE_MAX = 3 };

/* A batch on its way through a vault. */
struct batch {
	struct gate *gate;
	struct seal_group group;
	size_t count;
	struct delivery *deliveries;
	struct seal_recipient *recipients;
	struct batch *next; /* among those under way */
};

/* A message and shard that could not be sealed: how many to try next, how often one alone failed,
 * and until when to leave it alone, so that the others go on meanwhile. */
struct trouble {
	int64_t message;
	int64_t shard;
	size_t most;
	unsigned alone;
	bool probed; /* the vault worked a moment ago */
	int64_t rest_until; /* monotonic, milliseconds */
	unsigned builds; /* of its keyring, in a row */
};

struct sealing {
	struct batch *under_way;
	struct trouble troubles[SEAL_TROUBLE_MAX];
	size_t trouble_count;
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

/* A place in the table; when it is full, that of the one whose rest ends first. To be forgotten
 * costs it some attempts, nothing else. */
static struct trouble *free_trouble(struct sealing *sealing)
{
	struct trouble *found = &sealing->troubles[0];
	if (sealing->trouble_count < SEAL_TROUBLE_MAX)
		return &sealing->troubles[sealing->trouble_count++];
	for (size_t i = 1; i < SEAL_TROUBLE_MAX; i++) {
		if (sealing->troubles[i].rest_until < found->rest_until)
			found = &sealing->troubles[i];
	}
	return found;
}

static struct trouble *trouble_with(const struct batch *batch)
{
	struct sealing *sealing = batch->gate->sealing;
	struct trouble *trouble = trouble_of(sealing, batch->group.message, batch->group.shard);
	if (trouble == NULL) {
		trouble = free_trouble(sealing);
		*trouble = (struct trouble){
		    .message = batch->group.message, .shard = batch->group.shard, .most = SIZE_MAX};
	}
	return trouble;
}

static void trouble_over(struct sealing *sealing, const struct batch *batch)
{
	struct trouble *trouble = trouble_of(sealing, batch->group.message, batch->group.shard);
	if (trouble != NULL)
		*trouble = sealing->troubles[--sealing->trouble_count];
}

static void wake(void *context)
{
	struct gate *gate = context;
	gate->want_seal = true;
}

static void let_rest(const struct batch *batch)
{
	struct trouble *trouble = trouble_with(batch);
	trouble->probed = false;
	trouble->rest_until = clock_monotonic_ms() + SEAL_PAUSE_MS;
	loop_after(batch->gate->loop, SEAL_PAUSE_MS, wake, batch->gate);
}

/* gpg goes by the clock alone. Whom it leaves out while that is not believed, and who may have it by
 * the time that we go by, waits for the clock. */
static int waits_for_clock(
    struct gate *gate, const struct delivery *delivery, bool *waits, struct err *err)
{
	struct certificate certificate;
	char reason[STORE_REASON_SIZE];
	*waits = false;
	if (!pace_is_off(gate))
		return 0;
	if (store_certificate_get(gate->store, delivery->fingerprint, &certificate, waits, err) != 0)
		return -1;
	*waits = *waits && reach_certificate(&certificate, gate_now(gate), reason);
	return 0;
}

static int exclude(
    struct batch *batch, size_t i, size_t *waiting, struct err *err)
{
	struct gate *gate = batch->gate;
	const struct delivery *delivery = &batch->deliveries[i];
	bool waits;
	if (waits_for_clock(gate, delivery, &waits, err) != 0)
		return -1;
	*waiting += waits;
	if (!waits)
		return entitle_exclude(gate, delivery, batch->recipients[i].reason, err);
	log_error("%s waits until the clock is right: %s", delivery->address,
	    batch->recipients[i].reason);
	return 0;
}

/* One transaction: the shared packet, every session key, and who was left out. *waiting: who was
 * not, though gpg refused them. */
static int record(struct batch *batch, const struct vault_sealed *sealed_batch, size_t *waiting,
    struct err *err)
{
	const struct view data = buf_view(&sealed_batch->data);
	const uint32_t gpg_runs = sealed_batch->gpg_runs;
	struct store *store = batch->gate->store;
	char label[STORE_NAME_SIZE];
	int64_t id = 0;
	size_t sealed = 0;
	if (store_begin(store, err) != 0 ||
	    gate_label(batch->gate, batch->group.message, label, err) != 0 ||
	    (data.len > 0 && store_batch_add(store, batch->group.message, data,
				 sealed_batch->sealed_at, &id, err) != 0))
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct seal_recipient *recipient = &batch->recipients[i];
		const int result = recipient->pkesk.len > 0
				       ? store_delivery_bind(store, batch->deliveries[i].id, id,
					     buf_view(&recipient->pkesk), err)
				       : exclude(batch, i, waiting, err);
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

/* The one at fault, and nobody else: what it waits for will not come. */
static void exclude_alone(struct batch *batch, const char *why)
{
	struct gate *gate = batch->gate;
	char reason[STORE_REASON_SIZE];
	struct err err;
	snprintf(reason, sizeof reason, "sealing for this certificate fails: %.200s", why);
	trouble_over(gate->sealing, batch);
	if (store_begin(gate->store, &err) != 0 ||
	    entitle_exclude(gate, &batch->deliveries[0], reason, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	}
	gate->want_account = true;
}

/* For what is no recipient's fault. Takes over the batch. */
static void everybody_waits(struct batch *batch, const char *why)
{
	log_error("nothing can be sealed now, and everybody waits: %s", why);
	let_rest(batch);
	batch_free(batch);
}

/* Could the vault at least open the message? If not, gpg or its agent is what fails, whoever the
 * recipient is. */
static bool on_probed(void *context, enum pool_event event, struct view body)
{
	struct batch *batch = context;
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "opening a message ended the vault twice"};
	struct buf plaintext = BUF_EMPTY(0);
	if (event == POOL_ANSWER && !vault_take_unstash(body, &reply, &plaintext))
		return false;
	buf_release(&plaintext);
	if (reply.status == VAULT_OK) {
		struct trouble *trouble = trouble_with(batch);
		trouble->probed = true;
		trouble->rest_until = 0;
		batch_free(batch);
	} else {
		everybody_waits(batch, reply.text);
	}
	return true;
}

static void probe(struct batch *batch)
{
	struct gate *gate = batch->gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	vault_put_unstash(&body, buf_view(&batch->group.stash));
	gate_ask(gate, gate->vaults, VAULT_UNSTASH, &body, GATE_OPEN_MS, on_probed, batch);
}

/* Half as many the next time. One alone that failed often enough is taken out when it is to blame:
 * the vault proves to work, and right then it fails once more. Takes over the batch. */
static void failed(struct batch *batch, const char *why)
{
	struct trouble *trouble = trouble_with(batch);
	log_error("sealing for %zu recipients failed: %s", batch->count, why);
	trouble->most = (batch->count + 1) / 2;
	if (batch->count == 1 && trouble->probed) {
		exclude_alone(batch, why);
	} else if (batch->count == 1) {
		let_rest(batch);
		if (++trouble->alone >= SEAL_ALONE_MAX) {
			probe(batch);
			return;
		}
	}
	batch_free(batch);
}

/* Begins anew in any case: the certificates, and with them the generation, may have changed. */
static void on_shard_ready(void *context, const char *problem)
{
	struct batch *batch = context;
	if (problem != NULL) {
		log_error("a keyring could not be built: %s", problem);
		let_rest(batch);
	}
	batch_free(batch);
}

static bool on_sealed(void *context, enum pool_event event, struct view body)
{
	struct batch *batch = context;
	struct gate *gate = batch->gate;
	struct vault_sealed sealed = {.data = BUF_EMPTY(FRAME_BODY_MAX)};
	struct vault_reply reply = {
	    .status = VAULT_FAILED, .text = "the vault ended while sealing, twice"};
	size_t waiting = 0;
	struct err err;
	if (event == POOL_ANSWER && !vault_take_seal(body, &reply, batch->recipients,
					(uint32_t)batch->count, &sealed)) {
		buf_release(&sealed.data);
		return false;
	}
	if (reply.status == VAULT_NO_SHARD && ++trouble_with(batch)->builds > SHARD_BUILDS_MAX) {
		buf_release(&sealed.data);
		trouble_with(batch)->builds = 0;
		everybody_waits(batch, "its keyring is gone, or not whole, as soon as it is built");
		return true;
	}
	if (reply.status == VAULT_NO_SHARD) {
		buf_release(&sealed.data);
		shard_build(gate, batch->group.shard, on_shard_ready, batch);
		return true;
	}
	if (reply.status == VAULT_LOCKED) {
		everybody_waits(batch, reply.text);
		return true;
	}
	if (reply.status == VAULT_FAILED) {
		failed(batch, reply.text);
		return true;
	}
	if (record(batch, &sealed, &waiting, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
	} else {
		trouble_over(gate->sealing, batch);
		if (waiting > 0)
			let_rest(batch);
		gate->want_send = gate->want_account = true;
	}
	buf_release(&sealed.data);
	batch_free(batch);
	return true;
}

static void ask(struct batch *batch)
{
	struct gate *gate = batch->gate;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	char tag[EPOCH_TAG_SIZE];
	int64_t keyring;
	struct err err;
	if (store_epoch_mark(gate->store, batch->group.message, tag, &err) != 0 ||
	    shard_keyring(gate, batch->group.shard, &keyring, &err) != 0) {
		gate_fail(gate, &err);
		batch_free(batch);
		return;
	}
	vault_put_seal(&body, batch->group.shard, keyring, tag,
	    buf_view(&batch->group.stash), batch->recipients, (uint32_t)batch->count);
	gate_ask(gate, gate->vaults, VAULT_SEAL, &body, GATE_SEAL_MS, on_sealed, batch);
}

/* Only one batch of a message and shard at a time: the next is chosen among what it leaves. */
static bool is_to_wait(void *context, int64_t message, int64_t shard)
{
	const struct batch *batch = context;
	const struct trouble *trouble = trouble_of(batch->gate->sealing, message, shard);
	if (trouble != NULL && clock_monotonic_ms() < trouble->rest_until)
		return true;
	for (const struct batch *at = batch->gate->sealing->under_way; at != NULL; at = at->next) {
		if (at->group.message == message && at->group.shard == shard)
			return true;
	}
	return false;
}

static int add_recipient(void *context, const struct delivery *delivery, struct err *err)
{
	struct batch *batch = context;
	(void)err;
	batch->deliveries[batch->count++] = *delivery;
	return 0;
}

/* Of those that were queued, whoever may still have it. */
static int choose_recipients(struct batch *batch, struct err *err)
{
	bool *may = calloc(batch->count + 1, sizeof *may);
	size_t left = 0;
	if (may == NULL)
		abort();
	const int result =
	    entitle_check(batch->gate, ENTITLE_SEALING, batch->deliveries, batch->count, may, err);
	for (size_t i = 0; result == 0 && i < batch->count; i++) {
		struct seal_recipient *recipient = &batch->recipients[left];
		const struct delivery *delivery = &batch->deliveries[i];
		if (!may[i])
			continue;
		memcpy(
		    recipient->fingerprint, delivery->fingerprint, sizeof recipient->fingerprint);
		memcpy(recipient->key_id, delivery->key_id, sizeof recipient->key_id);
		recipient->pkesk = BUF_EMPTY(BUF_SMALL);
		batch->deliveries[left++] = *delivery;
	}
	if (result == 0)
		batch->count = left;
	free(may);
	return result;
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
		gate->store, most, is_to_wait, &batch->group, add_recipient, batch, err) != 0) {
		gate_fail(gate, err);
		batch_free(batch);
		return false;
	}
	if (batch->group.shard < 0 || batch->count == 0) {
		batch_free(batch);
		gate->want_seal = false; /* batch_free raised it */
		return false;
	}
	if (choose_recipients(batch, err) != 0) {
		gate_fail(gate, err);
		batch_free(batch);
		return false;
	}
	const struct trouble *trouble =
	    trouble_of(gate->sealing, batch->group.message, batch->group.shard);
	if (trouble != NULL && batch->count > trouble->most)
		batch->count = trouble->most;
	if (batch->count == 0) { /* nobody is left of these: on to the next */
		batch_free(batch);
		return true;
	}
	batch->next = gate->sealing->under_way;
	gate->sealing->under_way = batch;
	ask(batch);
	return true;
}

static unsigned batches_under_way(const struct gate *gate)
{
	unsigned count = 0;
	for (const struct batch *at = gate->sealing->under_way; at != NULL; at = at->next)
		count++;
	return count;
}

void seal_work(struct gate *gate)
{
	struct err err;
	gate->want_seal = false;
	/* Not while a vault is idle, but in any case: in a flood of mail none ever is, and a batch
	 * takes its turn among the mails. */
	while (
	    !gate->failed && batches_under_way(gate) < gate->vault_count && start_batch(gate, &err))
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
