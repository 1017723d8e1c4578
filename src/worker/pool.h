/* Asking workers: a pool of processes of one kind, a queue of requests, a deadline for each.
 *
 * A worker says that it is ready, and gets one request at a time. One that dies, says something
 * malformed or passes its deadline is killed with its whole group and replaced; its request is
 * tried again as often as `attempts` allows, and then ends as POOL_DIED. One that dies before it
 * is ready says nothing about any request: those wait, and the next start waits, longer each time, up
 * to a minute, for as long as it takes. Answers come through callbacks from the event loop, never from within pool_ask. */
#ifndef DEWLINE_WORKER_POOL_H
#define DEWLINE_WORKER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "worker/loop.h"
#include "worker/spawn.h"

struct pool;

enum pool_event {
	POOL_PROGRESS, /* a part of the answer; more will follow, the deadline starts anew */
	POOL_ANSWER, /* the whole or last part; the request is over */
	POOL_DIED, /* no answer: worker died or overran on every attempt; the request is over */
};

/* Bytes of a text on how a worker ended, such as "the vault was killed by signal 9 (Killed)". */
enum { POOL_END_SIZE = 160 };

/* `body` is the answer's body, for POOL_DIED a text on how the last worker ended (POOL_END_SIZE), and
 * valid only during the call. Returns false
 * when the body is malformed: the worker is then killed, and the request is tried again or, after
 * its last attempt, ends with POOL_DIED. */
typedef bool pool_answer_fn(void *context, enum pool_event event, struct view body);

struct pool_request {
	uint32_t type;
	struct buf body; /* taken over by pool_ask */
	int64_t deadline_ms; /* of the first attempt, and between parts; the second has twice as much */
	unsigned attempts; /* at least 1 */
	size_t answer_most; /* bytes of an answer's body, 0: as many as a frame takes */
	bool gives_way; /* to others: see below */
	bool in_parts; /* POOL_PROGRESS may come: a worker that sends it else is lost */
	pool_answer_fn *answer;
	void *context;
};

/* A request that gives way waits as long as others do, and at most one of them is with a worker at a
 * time: however many there are, and however long they take, they never have all the workers of a
 * pool of two or more. Lest they wait for ever, one has its turn behind so many others. */
enum { POOL_OTHERS_FIRST = 8 };

/* Starts `size` workers when first needed. */
struct pool *pool_new(
    struct loop *loop, struct starter *starter, enum worker_kind kind, unsigned size);
/* For requests that may take their worker over: each gets a worker that has seen no other request,
 * and that is ended after its answer. `size` of them are started ahead, from the event loop on, so
 * that a request need not wait for a start. */
struct pool *pool_new_fresh(
    struct loop *loop, struct starter *starter, enum worker_kind kind, unsigned size);
/* Kills the workers; requests under way and queued get no callback. Not from within a callback of
 * this pool. */
void pool_free(struct pool *pool);

void pool_ask(struct pool *pool, struct pool_request *request);

/* Workers that have no request and nothing waiting for them: how many pool_ask would start at once.
 */
unsigned pool_idle(const struct pool *pool);
/* Workers that were lost since the pool was made, for the log and tests; not those that a fresh
 * pool ends after their answer. */
unsigned pool_deaths(const struct pool *pool);
/* Why the last of them was lost, "" before the first. */
const char *pool_last_loss(const struct pool *pool);

/* The worker's side: says that it is ready, receives requests until the socket closes and hands
 * each to `serve`, which sends its answer with pool_reply. `serve` that returns -1, or 0 without
 * having answered, ends the worker. Returns the process's exit status. */
struct pool_service {
	int fd;
	uint32_t number;
	bool answered; /* by pool_reply: the last part is sent */
};
typedef int pool_serve_fn(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err);
int pool_serve(int fd, pool_serve_fn *serve, void *context);
/* In place of pool_serve: says why this worker cannot work. Returns the process's exit status. */
int pool_cannot_serve(int fd, const struct err *why);
/* event is POOL_PROGRESS or POOL_ANSWER. */
int pool_reply(
    struct pool_service *service, enum pool_event event, struct view body, struct err *err);

/* Why no worker can be started now, "" when that is not so. */
const char *pool_trouble(const struct pool *pool);

/* The types of frames with number 0: by POOL_READY, without a body, a worker says that it is ready; by
 * POOL_TROUBLE, before that, why it cannot work, and ends. */
enum { POOL_READY = 16, POOL_TROUBLE = 17 };

#endif
