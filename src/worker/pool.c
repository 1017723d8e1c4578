#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/frame.h"
#include "worker/pool.h"

enum {
	/* A worker that dies sooner after its start counts as unable to live, and the next one has
	 * to wait: a broken installation must not become a fork bomb. */
	YOUNG_MS = 1000,
	PAUSE_FIRST_MS = 100,
	PAUSE_MOST_MS = 60 * 1000,
	READY_MS = 30 * 1000, /* from its start until a worker says that it is ready */
};

/* Why a worker was lost that went by itself. */
#define WORKER_WENT "it ended"

struct job {
	TAILQ_ENTRY(job) entry;
	uint32_t number;
	unsigned tries; /* so far */
	char end[POOL_END_SIZE]; /* how the last of its workers ended */
	struct pool_request request;
};
TAILQ_HEAD(job_list, job);

/* A place for one worker; pid 0 while there is none. */
struct worker {
	struct pool *pool;
	pid_t pid;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *deadline;
	struct job *job;
	int64_t started; /* clock_monotonic_ms */
	bool ready;
	bool in_last_part; /* the callback for the last part of its answer is running */
};

struct pool {
	struct loop *loop;
	struct starter *starter;
	enum worker_kind kind;
	bool fresh; /* a worker for each request, started ahead */
	struct job_list queue;
	struct job_list behind; /* what gives way to it */
	struct job_list ended; /* every attempt used up, callback still to come */
	struct loop_timer *ending;
	struct loop_timer *ahead; /* the first start of a fresh pool, still to come */
	struct loop_timer *pause; /* while set, no worker is started */
	int64_t pause_ms; /* the last pause, 0 after an answer */
	struct err trouble; /* why the last start failed, "" once one succeeded */
	uint32_t last_number;
	unsigned queued; /* in `queue` */
	unsigned passed; /* how many went before what gives way, since one of that had its turn */
	unsigned deaths;
	char loss[ERR_TEXT_SIZE]; /* why the last of them was lost, "" before the first */
	unsigned size;
	struct worker workers[];
};

static void dispatch(struct pool *pool);

static void job_free(struct job *job)
{
	buf_release(&job->request.body);
	free(job);
}

static void enqueue(struct pool *pool, struct job *job)
{
	if (job->request.gives_way) {
		TAILQ_INSERT_TAIL(&pool->behind, job, entry);
		return;
	}
	TAILQ_INSERT_TAIL(&pool->queue, job, entry);
	pool->queued++;
}

/* Whether something that gives way may go to a worker now, if it is its turn. */
static bool behind_may_go(const struct pool *pool)
{
	if (TAILQ_EMPTY(&pool->behind))
		return false;
	for (unsigned i = 0; i < pool->size; i++) {
		const struct job *job = pool->workers[i].job;
		if (job != NULL && job->request.gives_way)
			return false;
	}
	return true;
}

/* NULL when none may go to a worker now. */
static struct job *next_job(struct pool *pool)
{
	const bool may_go = behind_may_go(pool);
	struct job *job = TAILQ_FIRST(&pool->queue);
	if (may_go && (job == NULL || pool->passed >= POOL_OTHERS_FIRST)) {
		job = TAILQ_FIRST(&pool->behind);
		TAILQ_REMOVE(&pool->behind, job, entry);
		pool->passed = 0;
	} else if (job != NULL) {
		TAILQ_REMOVE(&pool->queue, job, entry);
		pool->queued--;
		pool->passed += may_go;
	}
	return job;
}

/* -- the end of a request without an answer -- */

static void on_ending(void *context)
{
	struct pool *pool = context;
	struct job *job;
	pool->ending = NULL;
	while ((job = TAILQ_FIRST(&pool->ended)) != NULL) {
		TAILQ_REMOVE(&pool->ended, job, entry);
		job->request.answer(job->request.context, POOL_DIED, view_of(job->end));
		job_free(job);
	}
}

/* An attempt failed: behind the others again, so that they need not wait for this one, or the
 * end. The callback waits for the event loop, because pool_ask may be what brought us here. */
static void attempt_failed(struct pool *pool, struct job *job)
{
	if (job->tries < job->request.attempts) {
		enqueue(pool, job);
		return;
	}
	log_error("%s: no answer to request %u after %u attempts: %s", worker_kind_name(pool->kind),
	    job->number, job->tries, job->end);
	TAILQ_INSERT_TAIL(&pool->ended, job, entry);
	if (pool->ending == NULL)
		pool->ending = loop_after(pool->loop, 0, on_ending, pool);
}

/* -- the end of a worker -- */

static void on_pause_over(void *context)
{
	struct pool *pool = context;
	pool->pause = NULL;
	dispatch(pool);
}

static void pause_starting(struct pool *pool)
{
	if (pool->pause != NULL)
		return;
	pool->pause_ms = pool->pause_ms == 0 ? PAUSE_FIRST_MS : pool->pause_ms * 2;
	if (pool->pause_ms > PAUSE_MOST_MS)
		pool->pause_ms = PAUSE_MOST_MS;
	pool->pause = loop_after(pool->loop, pool->pause_ms, on_pause_over, pool);
}

/* Returns the wait status. */
static int worker_end(struct worker *worker)
{
	struct pool *pool = worker->pool;
	if (worker->pid == 0)
		return 0;
	loop_unwatch(pool->loop, worker->watch);
	loop_timer_cancel(pool->loop, worker->deadline);
	close(worker->fd);
	const int status = starter_kill(pool->starter, worker->pid);
	*worker = (struct worker){.pool = pool, .fd = -1};
	return status;
}

/* Why it had to go; of one that went by itself the wait status says more. */
static void describe_end(struct pool *pool, const char *why, int status, char *out)
{
	const char *kind = worker_kind_name(pool->kind);
	if (strcmp(why, WORKER_WENT) != 0)
		snprintf(out, POOL_END_SIZE, "the %s was ended: %s", kind, why);
	else if (WIFSIGNALED(status))
		snprintf(out, POOL_END_SIZE, "the %s was killed by signal %d (%s)", kind,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		snprintf(out, POOL_END_SIZE, "the %s ended with status %d", kind,
		    WEXITSTATUS(status));
	else
		snprintf(out, POOL_END_SIZE, "the %s ended", kind);
}

/* Ends the worker and gives its place back. Its request, if it has one, is the caller's now. A
 * request that kills is tried so often and no more: only a death without one could go on for ever,
 * and makes the next start wait. */
static struct job *worker_lost(struct worker *worker, const char *why)
{
	struct pool *pool = worker->pool;
	struct job *job = worker->job;
	log_warning("%s %ld lost: %s", worker_kind_name(pool->kind), (long)worker->pid, why);
	pool->deaths++;
	snprintf(pool->loss, sizeof pool->loss, "%s", why);
	if (job == NULL && (!worker->ready || clock_monotonic_ms() - worker->started < YOUNG_MS))
		pause_starting(pool);
	const int status = worker_end(worker);
	if (job != NULL)
		describe_end(pool, why, status, job->end);
	return job;
}

static void worker_failed(struct worker *worker, const char *why)
{
	struct pool *pool = worker->pool;
	struct job *job = worker_lost(worker, why);
	if (job != NULL)
		attempt_failed(pool, job);
	dispatch(pool);
}

/* -- answers -- */

static void on_deadline(void *context)
{
	struct worker *worker = context;
	worker->deadline = NULL;
	worker_failed(worker, worker->ready ? "it did not answer in its time" : "it was never ready");
}

static void start_deadline(struct worker *worker, int64_t ms)
{
	loop_timer_cancel(worker->pool->loop, worker->deadline);
	worker->deadline = loop_after(worker->pool->loop, ms, on_deadline, worker);
}

static void stop_deadline(struct worker *worker)
{
	loop_timer_cancel(worker->pool->loop, worker->deadline);
	worker->deadline = NULL;
}

/* NULL when a worker that was not ready has said that it is, and nothing else. */
static const char *take_ready(struct worker *worker, const struct frame *frame)
{
	struct pool *pool = worker->pool;
	if (frame->type == POOL_TROUBLE && frame->number == 0 && frame->body.len > 0) {
		err_set(&pool->trouble, ERR_DAEMON, ERR_LATER, "%.*s",
		    (int)(frame->body.len < ERR_TEXT_SIZE ? frame->body.len : ERR_TEXT_SIZE),
		    frame->body.data);
		return pool->trouble.text;
	}
	if (frame->type != POOL_READY || frame->number != 0 || frame->body.len != 0)
		return "it spoke before it was ready";
	worker->ready = true;
	pool->trouble.text[0] = '\0';
	stop_deadline(worker);
	dispatch(pool);
	return NULL;
}

/* NULL when the frame was good, otherwise why the worker has to go. */
static const char *take_answer(struct worker *worker, const struct frame *frame)
{
	struct pool *pool = worker->pool;
	struct job *job = worker->job;
	if (!worker->ready)
		return take_ready(worker, frame);
	if (job == NULL || frame->number != job->number)
		return "it spoke without being asked";
	if (frame->type != POOL_PROGRESS && frame->type != POOL_ANSWER)
		return "it sent an unknown kind of answer";
	if (job->request.answer_most > 0 && frame->body.len > job->request.answer_most)
		return "its answer was longer than any can be";
	if (frame->type == POOL_PROGRESS && !job->request.in_parts)
		return "it sent a part where one answer was asked for";
	worker->in_last_part = frame->type == POOL_ANSWER;
	const bool good =
	    job->request.answer(job->request.context, (enum pool_event)frame->type, frame->body);
	worker->in_last_part = false;
	if (!good)
		return "its answer was malformed";
	pool->pause_ms = 0;
	if (frame->type == POOL_PROGRESS) {
		start_deadline(worker, job->request.deadline_ms);
		return NULL;
	}
	worker->job = NULL;
	job_free(job);
	if (pool->fresh)
		worker_end(worker);
	else
		stop_deadline(worker);
	dispatch(pool);
	return NULL;
}

static void on_readable(void *context, int fd)
{
	struct worker *worker = context;
	struct frame frame;
	struct err err;
	const int result = frame_receive(fd, &frame, &err);
	if (result > 0) {
		const char *fault = take_answer(worker, &frame);
		frame_release(&frame);
		if (fault != NULL)
			worker_failed(worker, fault);
	} else if (result == 0) {
		worker_failed(worker, WORKER_WENT);
	} else if (err.when != ERR_NOW) {
		worker_failed(worker, err.text);
	}
}

/* -- requests -- */

static int worker_start(struct worker *worker)
{
	struct pool *pool = worker->pool;
	struct err err;
	if (starter_start(pool->starter, pool->kind, &worker->pid, &worker->fd, &err) != 0) {
		/* Concerns ourselves, not the request: it waits until there are workers again. */
		log_error("%s: %s", worker_kind_name(pool->kind), err.text);
		pool->trouble = err;
		*worker = (struct worker){.pool = pool, .fd = -1};
		pause_starting(pool);
		return -1;
	}
	const int flags = fcntl(worker->fd, F_GETFL);
	if (flags < 0 || fcntl(worker->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		abort();
	worker->started = clock_monotonic_ms();
	worker->watch = loop_watch(pool->loop, worker->fd, on_readable, worker);
	start_deadline(worker, READY_MS);
	return 0;
}

/* Hands a job to a worker that is ready and has none. */
static void give(struct worker *worker, struct job *job)
{
	struct pool *pool = worker->pool;
	struct err err;
	if (frame_send(worker->fd, job->request.type, job->number, buf_view(&job->request.body),
		&err) == 0) {
		job->tries++;
		worker->job = job;
		start_deadline(worker, job->request.deadline_ms * (int64_t)job->tries);
		return;
	}
	/* A worker that died while idle says nothing about this request. */
	const bool blameless = err.whom == ERR_PEER;
	worker_lost(worker, err.text);
	if (!blameless) {
		snprintf(job->end, sizeof job->end, "the %s could not be asked: %.100s",
		    worker_kind_name(pool->kind), err.text);
		job->tries++;
	}
	attempt_failed(pool, job);
}

static struct worker *find_ready(struct pool *pool)
{
	for (unsigned i = 0; i < pool->size; i++) {
		struct worker *worker = &pool->workers[i];
		if (worker->ready && worker->job == NULL)
			return worker;
	}
	return NULL;
}

/* One for each request that waits; of a fresh pool all there may be. */
static void start_workers(struct pool *pool)
{
	unsigned coming = 0;
	const unsigned waiting = pool->queued + behind_may_go(pool);
	for (unsigned i = 0; i < pool->size; i++)
		coming += pool->workers[i].pid != 0 && !pool->workers[i].ready;
	for (unsigned i = 0; i < pool->size && pool->pause == NULL; i++) {
		if (pool->workers[i].pid != 0)
			continue;
		if ((!pool->fresh && coming >= waiting) || worker_start(&pool->workers[i]) != 0)
			return;
		coming++;
	}
}

static void dispatch(struct pool *pool)
{
	struct worker *worker;
	struct job *job;
	while ((worker = find_ready(pool)) != NULL && (job = next_job(pool)) != NULL)
		give(worker, job);
	start_workers(pool);
}

static void on_ahead(void *context)
{
	struct pool *pool = context;
	pool->ahead = NULL;
	dispatch(pool);
}

struct pool *pool_new(
    struct loop *loop, struct starter *starter, enum worker_kind kind, unsigned size)
{
	struct pool *pool = calloc(1, sizeof *pool + size * sizeof pool->workers[0]);
	if (pool == NULL || size == 0)
		abort();
	pool->loop = loop;
	pool->starter = starter;
	pool->kind = kind;
	pool->size = size;
	TAILQ_INIT(&pool->queue);
	TAILQ_INIT(&pool->behind);
	TAILQ_INIT(&pool->ended);
	for (unsigned i = 0; i < size; i++)
		pool->workers[i] = (struct worker){.pool = pool, .fd = -1};
	return pool;
}

struct pool *pool_new_fresh(
    struct loop *loop, struct starter *starter, enum worker_kind kind, unsigned size)
{
	struct pool *pool = pool_new(loop, starter, kind, size);
	pool->fresh = true;
	pool->ahead = loop_after(loop, 0, on_ahead, pool);
	return pool;
}

void pool_free(struct pool *pool)
{
	struct job *job;
	if (pool == NULL)
		return;
	for (unsigned i = 0; i < pool->size; i++) {
		job = pool->workers[i].job;
		worker_end(&pool->workers[i]);
		if (job != NULL)
			job_free(job);
	}
	TAILQ_CONCAT(&pool->queue, &pool->behind, entry);
	TAILQ_CONCAT(&pool->queue, &pool->ended, entry);
	while ((job = TAILQ_FIRST(&pool->queue)) != NULL) {
		TAILQ_REMOVE(&pool->queue, job, entry);
		job_free(job);
	}
	loop_timer_cancel(pool->loop, pool->ending);
	loop_timer_cancel(pool->loop, pool->ahead);
	loop_timer_cancel(pool->loop, pool->pause);
	free(pool);
}

void pool_ask(struct pool *pool, struct pool_request *request)
{
	struct job *job = calloc(1, sizeof *job);
	if (job == NULL || request->attempts == 0)
		abort();
	job->number = ++pool->last_number;
	job->request = *request;
	request->body = BUF_EMPTY(request->body.max);
	enqueue(pool, job);
	dispatch(pool);
}

unsigned pool_idle(const struct pool *pool)
{
	unsigned idle = 0;
	for (unsigned i = 0; i < pool->size; i++) {
		if (pool->workers[i].job == NULL || pool->workers[i].in_last_part)
			idle++;
	}
	return idle > pool->queued ? idle - pool->queued : 0;
}

const char *pool_trouble(const struct pool *pool)
{
	return pool->trouble.text;
}

unsigned pool_deaths(const struct pool *pool)
{
	return pool->deaths;
}

const char *pool_last_loss(const struct pool *pool)
{
	return pool->loss;
}
