/* Keyrings of the vaults: caches of what the store holds, each for one content of one shard.
 *
 * A keyring is asked for by a number that is made of the certificates themselves, so that one of another
 * content is never taken for it: not after a restore, which gives generations out again, and not one
 * that was copied from another machine, for the number depends on a secret of this store. */
#ifndef DEWLINE_GATE_SHARD_H
#define DEWLINE_GATE_SHARD_H

#include "gate/context.h"

enum { SHARD_BUILDS_MAX = 3 }; /* in a row, before what needs the keyring waits */

int shard_start(struct gate *gate, struct err *err);
void shard_stop(struct gate *gate);

/* The number of the keyring that holds what the shard holds now, above zero. */
int shard_keyring(struct gate *gate, int64_t shard, int64_t *number, struct err *err);

/* Builds the keyring that a vault says is not there, or not whole. problem is NULL when it is ready, as
 * of the shard's present content. */
typedef void shard_ready_fn(void *context, const char *problem);

void shard_build(struct gate *gate, int64_t shard, shard_ready_fn *ready, void *context);

#endif
