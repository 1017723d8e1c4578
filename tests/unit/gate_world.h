/* The gate's own steps over a real store, with workers that do as the test says: a vault that seals
 * by pasting fingerprints together, and a courier that answers from a table. */
#ifndef DEWLINE_TESTS_GATE_WORLD_H
#define DEWLINE_TESTS_GATE_WORLD_H

#include "gate/context.h"
#include "store_fixture.h"

enum { WORLD_PATIENCE_MS = 20 * 1000, WORLD_TEXT_SIZE = 128 };

/* Shared with the workers: the test sets how they behave, and reads what they were asked. */
struct world_orders {
	volatile bool cannot_decrypt; /* as with a dead gpg-agent: unstashing fails, and sealing */
	volatile int failures; /* so many times sealing fails, whoever it is for, and no longer */
	volatile bool locked; /* sealing fails for want of the passphrase, unstashing elsewhere works */
	volatile char hates[WORLD_TEXT_SIZE]; /* a fingerprint with which sealing fails */
	volatile int64_t shard_there; /* the generation for which the keyring's cache is there */
	volatile bool shard_stays_away; /* it is gone as soon as it is built */
	volatile bool shard_fails; /* building it fails */
	volatile int64_t bad_shard; /* building this one always fails */
	volatile int slow_ms; /* before it looks at a request to seal */
	volatile int asked; /* requests to seal */
	volatile int seals; /* requests to seal that were tried in earnest */
	volatile int shards; /* requests to build a keyring */
	volatile int sends; /* messages that the courier was given */
	volatile int outcome; /* what the courier says of each: enum courier_outcome */
	volatile int about; /* whom that is about: enum courier_about */
	volatile bool down; /* and whether the smarthost is the cause */
};

struct world {
	struct fixture *fixture;
	struct config config;
	struct gate gate;
	struct world_orders *orders;
	struct starter *starter;
	int64_t message; /* of the one revision, TLP AMBER */
};

int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* A confirmed contact n (of store_fixture) with a queued delivery of the revision; its id. */
int64_t world_recipient(struct world *world, int n);
/* Runs the loop, with sealing and sending, until probe() says true or patience is over. */
bool world_run(struct world *world, bool (*probe)(struct world *));
/* For so long, whatever happens. */
void world_run_for(struct world *world, int64_t ms);

struct delivery world_delivery(struct world *world, int64_t id);

#endif
