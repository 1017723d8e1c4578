/* Building the cache of a keyring shard from the store, when a vault says that it is not there. */
#ifndef DEWLINE_GATE_SHARD_H
#define DEWLINE_GATE_SHARD_H

#include "gate/context.h"

/* problem is NULL when the shard is ready as of its present generation. */
typedef void shard_ready_fn(void *context, const char *problem);

void shard_build(struct gate *gate, int64_t shard, shard_ready_fn *ready, void *context);

#endif
