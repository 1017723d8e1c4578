#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate_world.h"

#include "base/clock.h"
#include "courier/codec.h"
#include "courier/courier.h"
#include "gate/account.h"
#include "gate/issue.h"
#include "gate/seal.h"
#include "gate/send.h"
#include "gate/shard.h"
#include "patience.h"
#include "pgp/vault.h"
#include "worker/frame.h"

enum { LOOK_MS = 20, RECIPIENTS_MAX = 1000 };

enum { SEALED_AT = 1700000000 };

static struct world_orders *shared;

/* -- the vault -- */

static void put_status(struct buf *answer, enum vault_status status, const char *text)
{
	put_u8(answer, (uint8_t)status);
	put_text(answer, text);
}

static bool take_hated(struct taker *request, uint32_t count)
{
	bool hated = false;
	for (uint32_t i = 0; i < count; i++) {
		char fingerprint[FINGERPRINT_SIZE];
		char key_id[KEY_ID_SIZE];
		take_text(request, fingerprint, sizeof fingerprint);
		take_text(request, key_id, sizeof key_id);
		hated = hated || strcmp(fingerprint, (const char *)shared->hates) == 0;
	}
	return hated;
}

static void answer_seal(struct taker *request, struct buf *answer)
{
	take_i64(request);
	const int64_t generation = take_i64(request);
	char tag[VAULT_TAG_SIZE];
	take_text(request, tag, sizeof tag);
	take_view(request, FRAME_BODY_MAX);
	const uint32_t count = take_count(request, RECIPIENTS_MAX);
	const bool hated = take_hated(request, count);
	shared->asked++;
	usleep((useconds_t)shared->slow_ms * 1000);
	if (shared->shard_there != 0 && generation != shared->shard_there) {
		put_status(answer, VAULT_NO_SHARD, "no such generation");
		return;
	}
	shared->seals++;
	if (shared->locked) {
		put_status(answer, VAULT_LOCKED, "the gateway's key is locked");
		return;
	}
	if (shared->cannot_decrypt || hated || shared->failures > 0) {
		shared->failures -= shared->failures > 0;
		put_status(answer, VAULT_FAILED, "sealing does not work");
		return;
	}
	put_status(answer, VAULT_OK, "");
	put_u32(answer, 1);
	put_i64(answer, SEALED_AT);
	put_view(answer, VIEW("data"));
	for (uint32_t i = 0; i < count; i++) {
		put_view(answer, VIEW("key"));
		put_text(answer, "");
	}
}

/* As in life, a keyring is built for the generation that the request names, and for no other. */
static void answer_shard(struct taker *request, struct buf *answer)
{
	const int64_t shard = take_i64(request);
	const int64_t generation = take_i64(request);
	shared->shards++;
	if (shared->shard_fails || shard == shared->bad_shard) {
		put_status(answer, VAULT_FAILED, "no room for a keyring");
		return;
	}
	if (shared->shard_there != 0 && !shared->shard_stays_away)
		shared->shard_there = generation;
	put_status(answer, VAULT_OK, "");
}

static void answer_unstash(struct buf *answer)
{
	if (shared->cannot_decrypt) {
		put_status(answer, VAULT_FAILED, "no agent");
		return;
	}
	put_status(answer, VAULT_OK, "");
	put_view(answer, VIEW("plaintext"));
}

static int serve_vault(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	struct taker request = take_from(body);
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	(void)context;
	if (type == VAULT_SEAL)
		answer_seal(&request, &answer);
	else if (type == VAULT_SHARD)
		answer_shard(&request, &answer);
	else if (type == VAULT_UNSTASH)
		answer_unstash(&answer);
	else
		put_status(&answer, VAULT_FAILED, "not in this test");
	const int result = pool_reply(service, POOL_ANSWER, buf_view(&answer), err);
	buf_release(&answer);
	return result;
}

static int vault(const void *settings, int fd)
{
	(void)settings;
	return pool_serve(fd, serve_vault, NULL);
}

/* -- the courier -- */

static int serve_courier(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	struct courier_run run;
	(void)context;
	(void)type;
	if (!courier_take_run(body, &run))
		return -1;
	for (size_t i = 0; i < run.count; i++) {
		struct courier_result result = {.id = run.deliveries[i].id,
		    .outcome = (enum courier_outcome)shared->outcome,
		    .about = (enum courier_about)shared->about,
		    .smarthost_down = shared->down,
		    .text = "as the test says"};
		struct buf part = BUF_EMPTY(BUF_SMALL);
		shared->sends++;
		courier_put_result(&part, &result);
		const int sent = pool_reply(service, POOL_PROGRESS, buf_view(&part), err);
		buf_release(&part);
		if (sent != 0)
			return -1;
	}
	return pool_reply(service, POOL_ANSWER, VIEW(""), err);
}

static int courier(const void *settings, int fd)
{
	(void)settings;
	return pool_serve(fd, serve_courier, NULL);
}

/* -- the world -- */

static void work(void *context)
{
	struct gate *gate = context;
	do {
		send_flush(gate);
		if (gate->want_seal && !gate->failed)
			seal_work(gate);
		if (gate->want_send && !gate->failed)
			send_work(gate);
	} while (!gate->failed && (gate->want_seal || gate->want_send));
}

static void settle_config(struct config *config)
{
	snprintf(config->gateway.address, sizeof config->gateway.address, "gateway@gw.example");
	snprintf(
	    config->gateway.return_path, sizeof config->gateway.return_path, "bounce@gw.example");
	config->smarthost.alarm = 3600;
	config->retry.first = 60;
	config->retry.most = 3600;
	config->retry.give_up = 172800;
	config->sealing.batch = 100;
}

int world_setup(void **state)
{
	void *fixture;
	if (fixture_setup(&fixture) != 0)
		return -1;
	struct world *world = calloc(1, sizeof *world);
	shared =
	    mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == NULL || shared == MAP_FAILED)
		return -1;
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_READER] = {vault, NULL},
	    [WORKER_VAULT] = {vault, NULL},
	    [WORKER_COURIER] = {courier, NULL},
	};
	struct gate *gate = &world->gate;
	struct revision revision;
	*world = (struct world){.fixture = fixture, .orders = shared};
	settle_config(&world->config);
	world->starter = starter_direct(programs);
	gate->config = &world->config;
	gate->loop = loop_new();
	gate->store = world->fixture->store;
	gate->vault_count = 1;
	gate->vaults = pool_new(gate->loop, world->starter, WORKER_VAULT, 1);
	gate->couriers = pool_new(gate->loop, world->starter, WORKER_COURIER, 1);
	gate->return_path_key = BUF_EMPTY(BUF_SMALL);
	struct err err;
	if (issue_start(gate, &err) != 0 || shard_start(gate, &err) != 0 ||
	    seal_start(gate, &err) != 0 ||
	    send_start(gate, &err) != 0 || account_start(gate, &err) != 0)
		return -1;
	loop_before_sleep(gate->loop, work, gate);
	fixture_revision(world->fixture, fixture_advisory(world->fixture, "DEW-2026-0001"),
	    "AAAABBBBCCCCDDDD", &revision);
	world->message = revision.message;
	*state = world;
	return 0;
}

int world_teardown(void **state)
{
	struct world *world = *state;
	struct gate *gate = &world->gate;
	void *fixture = world->fixture;
	pool_free(gate->vaults);
	pool_free(gate->couriers);
	issue_stop(gate);
	seal_stop(gate);
	shard_stop(gate);
	send_stop(gate);
	account_stop(gate);
	loop_free(gate->loop);
	buf_release(&gate->return_path_key);
	starter_free(world->starter);
	munmap(world->orders, sizeof *world->orders);
	free(world);
	return fixture_teardown(&fixture);
}

int64_t world_recipient(struct world *world, int n)
{
	struct fixture *fixture = world->fixture;
	const int64_t contact = fixture_contact(fixture, n);
	char fingerprint[FINGERPRINT_SIZE];
	bool moved;
	snprintf(fingerprint, sizeof fingerprint, "%040X", (unsigned)n);
	OK(fixture,
	    store_certificate_move(fixture->store, fingerprint, "confirm", &moved, &fixture->err));
	return fixture_delivery(fixture, world->message, contact, n);
}

struct waiting {
	struct world *world;
	bool (*probe)(struct world *);
	int64_t until;
	bool happened;
};

static void look(void *context)
{
	struct waiting *waiting = context;
	struct loop *loop = waiting->world->gate.loop;
	waiting->happened = waiting->probe != NULL && waiting->probe(waiting->world);
	if (waiting->happened || clock_monotonic_ms() > waiting->until)
		loop_stop(loop);
	else
		loop_after(loop, LOOK_MS, look, waiting);
}

static bool run(struct world *world, bool (*probe)(struct world *), int64_t ms)
{
	struct waiting waiting = {world, probe, clock_monotonic_ms() + ms, false};
	struct err err;
	world->gate.want_seal = world->gate.want_send = true;
	loop_after(world->gate.loop, 0, look, &waiting);
	if (loop_run(world->gate.loop, &err) != 0)
		fail_msg("%s", err.text);
	assert_false(world->gate.failed);
	return waiting.happened;
}

bool world_run(struct world *world, bool (*probe)(struct world *))
{
	return run(world, probe, patient(WORLD_PATIENCE_MS));
}

void world_run_for(struct world *world, int64_t ms)
{
	run(world, NULL, ms);
}

struct delivery world_delivery(struct world *world, int64_t id)
{
	struct delivery delivery;
	bool found;
	OK(world->fixture,
	    store_delivery_get(world->fixture->store, id, &delivery, &found, &world->fixture->err));
	assert_true(found);
	return delivery;
}
