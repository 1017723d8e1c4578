#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "gate/shard.h"
#include "pgp/vault.h"
#include "store/certificates.h"
#include "worker/frame.h"

struct building {
	shard_ready_fn *ready;
	void *context;
	struct buf certificates; /* as the request holds them */
	uint32_t count;
	int64_t number; /* of the keyring */
};

static bool on_built(void *context, enum pool_event event, struct view body)
{
	struct building *building = context;
	struct vault_reply reply = {.status = VAULT_OK};
	if (event == POOL_ANSWER && !vault_take_shard(body, &reply))
		return false;
	char end[POOL_END_SIZE + 32];
	snprintf(end, sizeof end, "building a keyring: %.*s",
	    body.len < POOL_END_SIZE ? (int)body.len : POOL_END_SIZE, body.data);
	building->ready(building->context, event == POOL_DIED	      ? end
					   : reply.status == VAULT_OK ? NULL
								      : reply.text);
	free(building);
	return true;
}

static int add_certificate(void *context, struct view minimal, struct err *err)
{
	struct building *building = context;
	(void)err;
	vault_put_certificate(&building->certificates, minimal);
	building->count++;
	return 0;
}

/* -- numbers -- */

/* A number that was found, which holds as long as the shard's generation is the same: within one run of
 * the gate that is never given out twice. */
struct known {
	int64_t generation;
	int64_t number;
};

struct shards {
	struct known *known; /* by the shard's id, which are small */
	size_t count;
};

static int64_t number_of(const struct gate *gate, int64_t shard, struct view certificates)
{
	unsigned char mac[DIGEST_SIZE];
	char content[DIGEST_HEX_SIZE];
	char text[DIGEST_HEX_SIZE + 32];
	int64_t number = 0;
	digest_sha256_hex(certificates, content);
	snprintf(text, sizeof text, "keyring %lld %s", (long long)shard, content);
	digest_hmac(buf_view(&gate->return_path_key), view_of(text), mac);
	for (size_t i = 0; i < sizeof number; i++)
		number = (int64_t)((uint64_t)number << 8 | mac[i]);
	return (number & INT64_MAX) | 1;
}

static void remember(struct shards *shards, int64_t shard, const struct known *known)
{
	while (shards->count <= (size_t)shard) {
		const size_t room = shards->count * 2 + 16;
		shards->known = reallocarray(shards->known, room, sizeof *shards->known);
		if (shards->known == NULL)
			abort();
		memset(shards->known + shards->count, 0,
		    (room - shards->count) * sizeof *shards->known);
		shards->count = room;
	}
	shards->known[shard] = *known;
}

/* Its certificates as a request holds them, and the number that these have. */
static int read_shard(struct gate *gate, int64_t shard, struct building *out, struct err *err)
{
	struct known known;
	if (store_shard_each(
		gate->store, shard, &known.generation, add_certificate, out, err) != 0)
		return -1;
	known.number = out->number = number_of(gate, shard, buf_view(&out->certificates));
	remember(gate->shards, shard, &known);
	return 0;
}

int shard_keyring(struct gate *gate, int64_t shard, int64_t *number, struct err *err)
{
	const struct shards *shards = gate->shards;
	struct building building = {.certificates = BUF_EMPTY(FRAME_BODY_MAX)};
	int64_t generation;
	if (store_shard_generation(gate->store, shard, &generation, err) != 0)
		return -1;
	if ((size_t)shard < shards->count && shards->known[shard].number != 0 &&
	    shards->known[shard].generation == generation) {
		*number = shards->known[shard].number;
		return 0;
	}
	const int result = read_shard(gate, shard, &building, err);
	*number = building.number;
	buf_release(&building.certificates);
	return result;
}

int shard_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->shards = calloc(1, sizeof *gate->shards);
	if (gate->shards == NULL)
		abort();
	return 0;
}

void shard_stop(struct gate *gate)
{
	if (gate->shards != NULL)
		free(gate->shards->known);
	free(gate->shards);
}

/* -- building -- */

void shard_build(struct gate *gate, int64_t shard, shard_ready_fn *ready, void *context)
{
	struct building *building = calloc(1, sizeof *building);
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	struct err err;
	if (building == NULL)
		abort();
	*building = (struct building){
	    .ready = ready, .context = context, .certificates = BUF_EMPTY(FRAME_BODY_MAX)};
	if (read_shard(gate, shard, building, &err) != 0) {
		buf_release(&building->certificates);
		free(building);
		gate_fail(gate, &err);
		return;
	}
	vault_put_shard(&body, shard, building->number, building->count);
	buf_add_view(&body, buf_view(&building->certificates));
	buf_release(&building->certificates);
	gate_ask(gate, gate->vaults, VAULT_SHARD, &body, GATE_SEAL_MS, on_built, building);
}
