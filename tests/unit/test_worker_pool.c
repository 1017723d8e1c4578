#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/frame.h"
#include "worker/pool.h"

enum {
	GENEROUS_MS = 20000,
	SHORT_MS = 800,
	PARTS = 6, /* a quarter of SHORT_MS apart */
	BIG_BODY = 40000000,
};

/* What the worker of this test does with a request of each type. */
enum order {
	ECHO = 1,
	CRASH,
	CRASH_ONCE,
	HANG_WITH_GRANDCHILD,
	SLOW_PARTS,
	SAY_NOTHING,
	ANSWER_TWICE,
	RAW_GARBAGE,
	WRONG_NUMBER,
	WRONG_EVENT,
	BAD_BODY_ONCE,
	ANSWER_THEN_DIE,
	WHO,
	HANG_THEN_READY_AGAIN,
	PART_UNASKED,
	TOO_LONG,
	TROUBLE_LATE,
};

/* Seen by the workers and the test alike. */
struct shared {
	volatile int served;
	volatile int started;
	volatile pid_t grandchild;
};
static struct shared *shared;

struct bench {
	struct loop *loop;
	struct starter *starter;
	struct pool *pool;
	struct loop_timer *alarm;
};

/* What came back for one request. */
struct result {
	struct bench *bench;
	unsigned progress;
	unsigned answers;
	unsigned died;
	bool refuse_next; /* the callback calls the next body malformed */
	bool ask_again; /* the callback asks for one more */
	struct buf body;
	pid_t who;
	unsigned place; /* among all that ended, from 1 */
};

static unsigned open_requests;
static unsigned ended_requests;

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static int hang_with_grandchild(void)
{
	const pid_t pid = fork();
	if (pid == 0) {
		wait_for_ever();
	}
	shared->grandchild = pid;
	wait_for_ever();
}

static int slow_parts(struct pool_service *service, struct err *err)
{
	for (int i = 0; i < PARTS; i++) {
		usleep(SHORT_MS * 1000 / 4);
		if (pool_reply(service, POOL_PROGRESS, VIEW("part"), err) != 0)
			return -1;
	}
	return pool_reply(service, POOL_ANSWER, VIEW("last"), err);
}

static int serve(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	char pid[32];
	(void)context;
	shared->served++;
	switch ((enum order)type) {
	case CRASH:
		_exit(9);
	case CRASH_ONCE:
		if (shared->served == 1)
			raise(SIGKILL);
		break;
	case HANG_WITH_GRANDCHILD:
		return hang_with_grandchild();
	case SLOW_PARTS:
		return slow_parts(service, err);
	case SAY_NOTHING:
		return 0;
	case ANSWER_TWICE:
		pool_reply(service, POOL_ANSWER, body, err);
		break;
	case RAW_GARBAGE:
		send(service->fd, "garbage", 7, 0);
		break;
	case WRONG_NUMBER:
		frame_send(service->fd, POOL_ANSWER, service->number + 1, body, err);
		break;
	case WRONG_EVENT:
		frame_send(service->fd, POOL_DIED, service->number, body, err);
		break;
	case ANSWER_THEN_DIE:
		pool_reply(service, POOL_ANSWER, body, err);
		_exit(0);
	case WHO:
		snprintf(pid, sizeof pid, "%ld", (long)getpid());
		return pool_reply(service, POOL_ANSWER, view_of(pid), err);
	case PART_UNASKED:
		pool_reply(service, POOL_PROGRESS, VIEW("part"), err);
		break;
	case HANG_THEN_READY_AGAIN:
		frame_send(service->fd, POOL_READY, 0, VIEW(""), err);
		wait_for_ever();
	case TROUBLE_LATE:
		frame_send(service->fd, POOL_TROUBLE, 0, VIEW("no air"), err);
		wait_for_ever();
	case TOO_LONG:
		return pool_reply(service, POOL_ANSWER, VIEW("four"), err);
	case ECHO:
	case BAD_BODY_ONCE:
		break;
	}
	return pool_reply(service, POOL_ANSWER, body, err);
}

static int main_worker(const void *settings, int fd)
{
	(void)settings;
	log_open("worker", LOG_LEVEL_ERROR);
	__atomic_add_fetch(&shared->started, 1, __ATOMIC_SEQ_CST); /* several at once */
	return pool_serve(fd, serve, NULL);
}

static int main_dies_at_once(const void *settings, int fd)
{
	(void)settings;
	(void)fd;
	__atomic_add_fetch(&shared->started, 1, __ATOMIC_SEQ_CST); /* several at once */
	return 1;
}

/* Taken over while it starts: it answers what it will be asked first, and never says it is ready.
 */
static int main_answers_first(const void *settings, int fd)
{
	struct err err;
	(void)settings;
	__atomic_add_fetch(&shared->started, 1, __ATOMIC_SEQ_CST); /* several at once */
	frame_send(fd, POOL_ANSWER, 0, VIEW(""), &err);
	frame_send(fd, POOL_ANSWER, 1, VIEW("forged"), &err);
	wait_for_ever();
}

/* The machine lacks something, until the third start. */
static int main_lacks_something(const void *settings, int fd)
{
	struct err err;
	err_set(&err, ERR_DAEMON, ERR_LATER, "no air");
	if (__atomic_add_fetch(&shared->started, 1, __ATOMIC_SEQ_CST) < 3)
		return pool_cannot_serve(fd, &err);
	return main_worker(settings, fd);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_READER] = {main_worker, NULL},
	    [WORKER_VAULT] = {main_worker, NULL},
	    [WORKER_COURIER] = {main_dies_at_once, NULL},
	};
	shared =
	    mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	open_requests = ended_requests = 0;
	bench->loop = loop_new();
	bench->starter = starter_direct(programs);
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_READER, 1);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	pool_free(bench->pool);
	starter_free(bench->starter);
	loop_free(bench->loop);
	munmap(shared, sizeof *shared);
	free(bench);
	return 0;
}

static void ask(struct bench *bench, struct result *result, enum order order, const char *text,
    int64_t deadline_ms, unsigned attempts);

static bool on_answer(void *context, enum pool_event event, struct view body)
{
	struct result *result = context;
	if (event == POOL_PROGRESS) {
		result->progress++;
		return view_is(body, "part");
	}
	if (result->refuse_next) {
		result->refuse_next = false;
		return false;
	}
	*(event == POOL_ANSWER ? &result->answers : &result->died) += 1;
	result->place = ++ended_requests;
	buf_clear(&result->body);
	buf_add_view(&result->body, body);
	if (result->ask_again) {
		result->ask_again = false;
		assert_int_equal(pool_idle(result->bench->pool), 1);
		ask(result->bench, result, ECHO, "again", GENEROUS_MS, 1);
		assert_int_equal(pool_idle(result->bench->pool), 0);
	}
	if (--open_requests == 0)
		loop_stop(result->bench->loop);
	return true;
}

static bool gives_way; /* what is asked for next */

static void ask(struct bench *bench, struct result *result, enum order order, const char *text,
    int64_t deadline_ms, unsigned attempts)
{
	struct pool_request request = {.type = order,
	    .body = BUF_EMPTY(FRAME_BODY_MAX),
	    .deadline_ms = deadline_ms,
	    .attempts = attempts,
	    .gives_way = gives_way,
	    .in_parts = order == SLOW_PARTS,
	    .answer_most = order == TOO_LONG ? 3 : 0,
	    .answer = on_answer,
	    .context = result};
	result->bench = bench;
	if (result->body.max == 0)
		result->body = BUF_EMPTY(FRAME_BODY_MAX);
	buf_add_text(&request.body, text);
	open_requests++;
	pool_ask(bench->pool, &request);
	assert_int_equal(request.body.len, 0);
}

static void on_alarm(void *context)
{
	struct bench *bench = context;
	bench->alarm = NULL;
	loop_stop(bench->loop);
}

/* Runs the loop until every request is over, or for at most so long. */
static void run_for(struct bench *bench, int64_t ms)
{
	struct err err;
	bench->alarm = loop_after(bench->loop, ms, on_alarm, bench);
	assert_int_equal(loop_run(bench->loop, &err), 0);
	loop_timer_cancel(bench->loop, bench->alarm);
	bench->alarm = NULL;
}

static void run(struct bench *bench)
{
	run_for(bench, GENEROUS_MS);
	assert_int_equal(open_requests, 0);
}

static bool is_dead(pid_t pid)
{
	char path[64];
	char state = 'Z';
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state == 'Z' || state == 'X';
}

static void request_is_answered_and_the_worker_kept(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	for (int i = 0; i < 3; i++) {
		ask(bench, &result, ECHO, "hello", GENEROUS_MS, 1);
		assert_int_equal(result.answers, i); /* never from within pool_ask */
		run(bench);
		assert_true(view_is(buf_view(&result.body), "hello"));
	}
	assert_int_equal(result.answers, 3);
	assert_int_equal(shared->started, 1);
	assert_int_equal(pool_deaths(bench->pool), 0);
	buf_release(&result.body);
}

static void requests_queue_for_the_workers_there_are(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	pool_free(bench->pool);
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_VAULT, 2);
	assert_int_equal(pool_idle(bench->pool), 2);
	ask(bench, &result, ECHO, "a", GENEROUS_MS, 1);
	assert_int_equal(pool_idle(bench->pool), 1);
	for (int i = 0; i < 20; i++)
		ask(bench, &result, ECHO, "a", GENEROUS_MS, 1);
	assert_int_equal(pool_idle(bench->pool), 0);
	run(bench);
	assert_int_equal(result.answers, 21);
	for (int i = 0; i < 1000 && shared->started < 2; i++)
		usleep(5000); /* the first may have done it all */
	assert_int_equal(shared->started, 2);
	assert_int_equal(pool_idle(bench->pool), 2);
	buf_release(&result.body);
}

static void callback_may_ask_for_more(void **state)
{
	struct bench *bench = *state;
	struct result result = {.ask_again = true};
	ask(bench, &result, ECHO, "first", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(result.answers, 2);
	assert_true(view_is(buf_view(&result.body), "again"));
	buf_release(&result.body);
}

static void crashed_worker_is_replaced_and_the_request_tried_again(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, CRASH_ONCE, "hello", GENEROUS_MS, 2);
	run(bench);
	assert_int_equal(result.answers, 1);
	assert_true(view_is(buf_view(&result.body), "hello"));
	assert_int_equal(shared->started, 2);
	assert_int_equal(pool_deaths(bench->pool), 1);
	buf_release(&result.body);
}

static void request_that_always_kills_its_worker_ends_as_died(void **state)
{
	struct bench *bench = *state;
	struct result bad = {0};
	struct result good = {0};
	ask(bench, &bad, CRASH, "", GENEROUS_MS, 2);
	ask(bench, &good, ECHO, "x", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(bad.died, 1);
	assert_int_equal(bad.answers, 0);
	assert_string_equal(buf_text(&bad.body), "the reader ended with status 9");
	assert_int_equal(good.answers, 1);
	assert_int_equal(pool_deaths(bench->pool), 2);
	buf_release(&bad.body);
	buf_release(&good.body);
}

static void how_a_worker_was_killed_is_told(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, CRASH_ONCE, "", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(result.died, 1);
	assert_string_equal(
	    buf_text(&result.body), "the reader was killed by signal 9 (Killed)");
	buf_release(&result.body);
}

static void deadline_kills_the_whole_group(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	const int64_t begun = clock_monotonic_ms();
	ask(bench, &result, HANG_WITH_GRANDCHILD, "", SHORT_MS, 1);
	run(bench);
	assert_int_equal(result.died, 1);
	assert_true(clock_monotonic_ms() - begun >= SHORT_MS);
	assert_true(shared->grandchild > 0);
	for (int i = 0; i < 1000 && !is_dead(shared->grandchild); i++)
		usleep(5000);
	assert_true(is_dead(shared->grandchild));
	assert_int_equal(pool_deaths(bench->pool), 1);
	buf_release(&result.body);
}

static void progress_starts_the_deadline_anew(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	const int64_t begun = clock_monotonic_ms();
	ask(bench, &result, SLOW_PARTS, "", SHORT_MS, 1);
	run(bench);
	assert_true(clock_monotonic_ms() - begun > SHORT_MS);
	assert_int_equal(result.progress, PARTS);
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.died, 0);
	buf_release(&result.body);
}

static void big_bodies_arrive_intact_both_ways(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	char *text = malloc(BIG_BODY + 1);
	assert_non_null(text);
	for (size_t i = 0; i < BIG_BODY; i++)
		text[i] = (char)('a' + (i * 7 + i / 5000) % 26);
	text[BIG_BODY] = '\0';
	ask(bench, &result, ECHO, text, GENEROUS_MS, 1);
	run(bench);
	assert_true(view_is(buf_view(&result.body), text));
	buf_release(&result.body);
	free(text);
}

static void worker_that_breaks_the_form_is_lost(void **state)
{
	struct bench *bench = *state;
	const enum order orders[] = {
	    RAW_GARBAGE, WRONG_NUMBER, WRONG_EVENT, SAY_NOTHING, PART_UNASKED, TOO_LONG};
	for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct result result = {0};
		ask(bench, &result, orders[i], "", GENEROUS_MS, 1);
		run(bench);
		assert_int_equal(result.died, 1);
		assert_int_equal(result.answers, 0);
		assert_int_equal(result.progress, 0);
		assert_int_equal(pool_deaths(bench->pool), i + 1);
		buf_release(&result.body);
	}
}

static void worker_that_speaks_unasked_is_lost(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, ANSWER_TWICE, "", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(result.answers, 1);
	run_for(bench, 200);
	assert_int_equal(result.answers, 1);
	assert_int_equal(pool_deaths(bench->pool), 1);
	buf_release(&result.body);
}

static void malformed_answer_costs_the_worker_and_an_attempt(void **state)
{
	struct bench *bench = *state;
	struct result result = {.refuse_next = true};
	ask(bench, &result, BAD_BODY_ONCE, "x", GENEROUS_MS, 2);
	run(bench);
	assert_int_equal(result.answers, 1);
	assert_int_equal(shared->started, 2);
	buf_release(&result.body);
	struct result again = {.refuse_next = true};
	ask(bench, &again, BAD_BODY_ONCE, "x", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(again.died, 1);
	assert_int_equal(again.answers, 0);
	buf_release(&again.body);
}

static void worker_that_dies_idle_is_replaced_and_costs_no_attempt(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, ANSWER_THEN_DIE, "", GENEROUS_MS, 1);
	run(bench);
	usleep(50000); /* dead, but the loop has not seen it */
	ask(bench, &result, ECHO, "x", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(result.answers, 2);
	assert_int_equal(result.died, 0);
	assert_int_equal(pool_deaths(bench->pool), 1);
	buf_release(&result.body);
}

static void instant_deaths_do_not_spin(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	pool_free(bench->pool);
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_COURIER, 4);
	ask(bench, &result, ECHO, "x", GENEROUS_MS, 100);
	run_for(bench, 1000);
	/* Starts at 0, 100, 300 and 700 ms. */
	assert_in_range(shared->started, 2, 5);
	assert_int_equal(result.died, 0);
	buf_release(&result.body);
}

static void request_waits_while_workers_cannot_live(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	pool_free(bench->pool);
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_COURIER, 1);
	ask(bench, &result, ECHO, "x", GENEROUS_MS, 1);
	run_for(bench, 500); /* starts at 0, 100 and 300 ms */
	assert_in_range(shared->started, 2, 4);
	assert_int_equal(result.died, 0);
	buf_release(&result.body);
}

static void use(struct bench *bench, worker_main_fn *program)
{
	const struct worker_program programs[WORKER_KINDS] = {[WORKER_READER] = {program, NULL}};
	pool_free(bench->pool);
	starter_free(bench->starter);
	bench->starter = starter_direct(programs);
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_READER, 1);
}

static void what_the_machine_lacks_is_named_and_waited_for_and_costs_no_attempt(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	use(bench, main_lacks_something);
	ask(bench, &result, ECHO, "x", GENEROUS_MS, 1);
	assert_string_equal(pool_trouble(bench->pool), "");
	for (int i = 0; i < 1000 && pool_trouble(bench->pool)[0] == '\0'; i++)
		run_for(bench, 1);
	assert_string_equal(pool_trouble(bench->pool), "no air");
	assert_int_equal(result.answers + result.died, 0);
	run(bench);
	assert_int_equal(result.answers, 1);
	assert_int_equal(shared->served, 1);
	assert_string_equal(pool_trouble(bench->pool), "");
	buf_release(&result.body);
}

/* Or a mail that has taken its reader over would be read anew for ever. */
static void trouble_is_no_excuse_once_a_request_was_taken(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, TROUBLE_LATE, "x", GENEROUS_MS, 2);
	run(bench);
	assert_int_equal(result.died, 1);
	assert_int_equal(shared->served, 2);
	assert_string_equal(pool_trouble(bench->pool), "");
	buf_release(&result.body);
}

static void worker_that_speaks_before_it_is_ready_is_lost(void **state)
{
	struct bench *bench = *state;
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_READER] = {main_answers_first, NULL}};
	struct result result = {0};
	struct starter *starter = starter_direct(programs);
	pool_free(bench->pool);
	bench->pool = pool_new(bench->loop, starter, WORKER_READER, 1);
	ask(bench, &result, ECHO, "x", GENEROUS_MS, 1);
	run_for(bench, 50);
	assert_int_equal(result.answers, 0);
	assert_true(pool_deaths(bench->pool) >= 1);
	pool_free(bench->pool);
	bench->pool = NULL;
	starter_free(starter);
	buf_release(&result.body);
}

static void worker_that_is_ready_twice_is_lost(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, HANG_THEN_READY_AGAIN, "", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(result.died, 1);
	assert_int_equal(pool_deaths(bench->pool), 1);
	buf_release(&result.body);
}

/* I21. */
static void request_that_kills_young_workers_holds_up_nobody(void **state)
{
	struct bench *bench = *state;
	struct result bad = {0};
	struct result good = {0};
	const int64_t begun = clock_monotonic_ms();
	for (int i = 0; i < 20; i++)
		ask(bench, &bad, CRASH, "", GENEROUS_MS, 2);
	ask(bench, &good, ECHO, "x", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(bad.died, 20);
	assert_int_equal(good.answers, 1);
	assert_int_equal(pool_deaths(bench->pool), 40);
	/* Pauses that double up to five seconds would come to minutes. */
	assert_true(clock_monotonic_ms() - begun < GENEROUS_MS / 2);
	buf_release(&bad.body);
	buf_release(&good.body);
}

/* -- a fresh pool -- */

static void make_fresh(struct bench *bench, unsigned size)
{
	pool_free(bench->pool);
	bench->pool = pool_new_fresh(bench->loop, bench->starter, WORKER_READER, size);
}

static void fresh_pool_starts_its_workers_before_it_is_asked(void **state)
{
	struct bench *bench = *state;
	make_fresh(bench, 3);
	assert_int_equal(shared->started, 0);
	run_for(bench, 300);
	assert_int_equal(shared->started, 3);
	assert_int_equal(shared->served, 0);
	assert_int_equal(pool_idle(bench->pool), 3);
}

static void worker_of_a_fresh_pool_sees_one_request_and_is_ended(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	pid_t seen[8];
	make_fresh(bench, 2);
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
		ask(bench, &result, WHO, "", GENEROUS_MS, 1);
		run(bench);
		seen[i] = (pid_t)strtol(buf_text(&result.body), NULL, 10);
		assert_true(is_dead(seen[i]));
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
	run_for(bench, 300);
	assert_int_equal(shared->started, 8 + 2);
	assert_int_equal(pool_deaths(bench->pool), 0);
	buf_release(&result.body);
}

static void second_attempt_of_a_fresh_pool_has_a_fresh_worker(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	make_fresh(bench, 1);
	ask(bench, &result, CRASH_ONCE, "hello", GENEROUS_MS, 2);
	run(bench);
	assert_int_equal(result.answers, 1);
	assert_int_equal(pool_deaths(bench->pool), 1);
	run_for(bench, 300);
	assert_int_equal(shared->started, 3);
	buf_release(&result.body);
}

static void freeing_the_pool_kills_its_workers_and_calls_nobody(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	ask(bench, &result, WHO, "", GENEROUS_MS, 1);
	run(bench);
	const pid_t worker = (pid_t)strtol(buf_text(&result.body), NULL, 10);
	assert_false(is_dead(worker));
	ask(bench, &result, SLOW_PARTS, "", GENEROUS_MS, 1);
	ask(bench, &result, ECHO, "queued", GENEROUS_MS, 1);
	pool_free(bench->pool);
	bench->pool = NULL;
	assert_true(is_dead(worker));
	run_for(bench, 50);
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.died, 0);
	buf_release(&result.body);
}

static void ask_behind(struct bench *bench, struct result *result, enum order order)
{
	gives_way = true;
	ask(bench, result, order, "behind", GENEROUS_MS, 1);
	gives_way = false;
}

static void what_gives_way_never_has_every_worker(void **state)
{
	struct bench *bench = *state;
	struct result behind = {0}, result = {0};
	struct pool *one = bench->pool;
	bench->pool = pool_new(bench->loop, bench->starter, WORKER_READER, 2);
	for (int i = 0; i < 4; i++)
		ask_behind(bench, &behind, HANG_WITH_GRANDCHILD);
	open_requests = 0;
	for (int i = 0; i < 20; i++) {
		ask(bench, &result, ECHO, "hello", GENEROUS_MS, 1);
		run(bench);
	}
	assert_int_equal(result.answers, 20);
	assert_int_equal(behind.died, 0);
	assert_int_equal(pool_deaths(bench->pool), 0);
	assert_int_equal(shared->started, 2);
	pool_free(bench->pool);
	bench->pool = one;
	buf_release(&behind.body);
	buf_release(&result.body);
}

static void what_gives_way_has_its_turn_behind_so_many_others(void **state)
{
	struct bench *bench = *state;
	struct result others[3 * POOL_OTHERS_FIRST] = {0};
	struct result behind[2] = {0};
	const size_t count = sizeof others / sizeof *others;
	ask_behind(bench, &behind[0], ECHO);
	ask_behind(bench, &behind[1], ECHO);
	for (size_t i = 0; i < count; i++)
		ask(bench, &others[i], ECHO, "", GENEROUS_MS, 1);
	run(bench);
	assert_int_equal(behind[0].place, POOL_OTHERS_FIRST + 1);
	assert_int_equal(behind[1].place, 2 * (POOL_OTHERS_FIRST + 1));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(others[i].answers, 1);
		buf_release(&others[i].body);
	}
	buf_release(&behind[0].body);
	buf_release(&behind[1].body);
}

static void second_attempt_has_twice_the_time(void **state)
{
	struct bench *bench = *state;
	struct result result = {0};
	const int64_t begun = clock_monotonic_ms();
	ask(bench, &result, HANG_WITH_GRANDCHILD, "", SHORT_MS / 4, 2);
	run(bench);
	assert_int_equal(result.died, 1);
	assert_true(clock_monotonic_ms() - begun >= 3 * SHORT_MS / 4);
	assert_string_equal(
	    buf_text(&result.body), "the reader was ended: it did not answer in its time");
	buf_release(&result.body);
}

int main(int argc, char **argv)
{
#define POOL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    POOL_TEST(request_is_answered_and_the_worker_kept),
	    POOL_TEST(requests_queue_for_the_workers_there_are),
	    POOL_TEST(callback_may_ask_for_more),
	    POOL_TEST(crashed_worker_is_replaced_and_the_request_tried_again),
	    POOL_TEST(request_that_always_kills_its_worker_ends_as_died),
	    POOL_TEST(how_a_worker_was_killed_is_told),
	    POOL_TEST(deadline_kills_the_whole_group),
	    POOL_TEST(progress_starts_the_deadline_anew),
	    POOL_TEST(big_bodies_arrive_intact_both_ways),
	    POOL_TEST(worker_that_breaks_the_form_is_lost),
	    POOL_TEST(worker_that_speaks_unasked_is_lost),
	    POOL_TEST(malformed_answer_costs_the_worker_and_an_attempt),
	    POOL_TEST(worker_that_dies_idle_is_replaced_and_costs_no_attempt),
	    POOL_TEST(instant_deaths_do_not_spin),
	    POOL_TEST(request_waits_while_workers_cannot_live),
	    POOL_TEST(what_the_machine_lacks_is_named_and_waited_for_and_costs_no_attempt),
	    POOL_TEST(trouble_is_no_excuse_once_a_request_was_taken),
	    POOL_TEST(worker_that_speaks_before_it_is_ready_is_lost),
	    POOL_TEST(worker_that_is_ready_twice_is_lost),
	    POOL_TEST(request_that_kills_young_workers_holds_up_nobody),
	    POOL_TEST(fresh_pool_starts_its_workers_before_it_is_asked),
	    POOL_TEST(worker_of_a_fresh_pool_sees_one_request_and_is_ended),
	    POOL_TEST(second_attempt_of_a_fresh_pool_has_a_fresh_worker),
	    POOL_TEST(freeing_the_pool_kills_its_workers_and_calls_nobody),
	    POOL_TEST(what_gives_way_never_has_every_worker),
	    POOL_TEST(what_gives_way_has_its_turn_behind_so_many_others),
	    POOL_TEST(second_attempt_has_twice_the_time),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("worker_pool", tests, NULL, NULL);
}
