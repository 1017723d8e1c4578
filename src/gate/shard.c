#include "config.h"

#include <stdlib.h>

#include "gate/shard.h"
#include "pgp/vault.h"
#include "store/certificates.h"
#include "worker/frame.h"

struct building {
	shard_ready_fn *ready;
	void *context;
	struct buf certificates; /* as the request holds them */
	uint32_t count;
};

static bool on_built(void *context, enum pool_event event, struct view body)
{
	struct building *building = context;
	struct vault_reply reply = {.status = VAULT_OK};
	if (event == POOL_ANSWER && !vault_take_shard(body, &reply))
		return false;
	building->ready(building->context, event == POOL_DIED
					       ? "building a keyring ended the vault twice"
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

void shard_build(struct gate *gate, int64_t shard, shard_ready_fn *ready, void *context)
{
	struct building *building = calloc(1, sizeof *building);
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	struct err err;
	int64_t generation;
	if (building == NULL)
		abort();
	*building = (struct building){
	    .ready = ready, .context = context, .certificates = BUF_EMPTY(FRAME_BODY_MAX)};
	if (store_shard_each(gate->store, shard, &generation, add_certificate, building, &err) !=
	    0) {
		buf_release(&building->certificates);
		free(building);
		gate_fail(gate, &err);
		return;
	}
	vault_put_shard(&body, shard, generation, building->count);
	buf_add_view(&body, buf_view(&building->certificates));
	buf_release(&building->certificates);
	gate_ask(gate, gate->vaults, VAULT_SHARD, &body, GATE_SEAL_MS, on_built, building);
}
