#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "worker/loop.h"

enum { ROOM_STEP = 16 };

struct loop_watch {
	LIST_ENTRY(loop_watch) entry;
	int fd;
	loop_fd_fn *fn; /* NULL once unwatched; swept when no callback runs */
	void *context;
};

struct loop_timer {
	TAILQ_ENTRY(loop_timer) entry;
	int64_t due; /* clock_monotonic_ms */
	loop_timer_fn *fn;
	void *context;
};

/* poll, not epoll: the descriptors are a dozen, and poll has no memory of a descriptor that was
 * closed here while a child still held a copy. */
struct loop {
	LIST_HEAD(, loop_watch) watches;
	TAILQ_HEAD(timer_list, loop_timer) timers; /* the next one due first */
	int64_t horizon; /* timers due until then are being called now */
	loop_timer_fn *before_sleep;
	void *before_sleep_context;
	struct pollfd *polled;
	struct loop_watch **polled_watches; /* same order as polled */
	size_t room; /* of both */
	bool stopped;
};

static void *need(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

struct loop *loop_new(void)
{
	struct loop *loop = need(calloc(1, sizeof *loop));
	LIST_INIT(&loop->watches);
	TAILQ_INIT(&loop->timers);
	loop->horizon = INT64_MIN;
	return loop;
}

void loop_free(struct loop *loop)
{
	struct loop_watch *watch;
	struct loop_timer *timer;
	if (loop == NULL)
		return;
	while ((watch = LIST_FIRST(&loop->watches)) != NULL) {
		LIST_REMOVE(watch, entry);
		free(watch);
	}
	while ((timer = TAILQ_FIRST(&loop->timers)) != NULL)
		loop_timer_cancel(loop, timer);
	free(loop->polled);
	free(loop->polled_watches);
	free(loop);
}

struct loop_watch *loop_watch(struct loop *loop, int fd, loop_fd_fn *fn, void *context)
{
	struct loop_watch *watch = need(calloc(1, sizeof *watch));
	*watch = (struct loop_watch){.fd = fd, .fn = fn, .context = context};
	LIST_INSERT_HEAD(&loop->watches, watch, entry);
	return watch;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	(void)loop;
	if (watch != NULL)
		watch->fn = NULL;
}

struct loop_timer *loop_after(struct loop *loop, int64_t ms, loop_timer_fn *fn, void *context)
{
	struct loop_timer *timer = need(calloc(1, sizeof *timer));
	*timer = (struct loop_timer){
	    .due = clock_monotonic_ms() + (ms < 0 ? 0 : ms), .fn = fn, .context = context};
	/* Set from a timer that is being called: not in this round, so that a timer which sets
	 * itself anew for "now" leaves time for the descriptors. */
	if (timer->due <= loop->horizon)
		timer->due = loop->horizon + 1;
	struct loop_timer *before;
	TAILQ_FOREACH_REVERSE(before, &loop->timers, timer_list, entry)
	{
		if (before->due <= timer->due)
			break;
	}
	if (before == NULL)
		TAILQ_INSERT_HEAD(&loop->timers, timer, entry);
	else
		TAILQ_INSERT_AFTER(&loop->timers, before, timer, entry);
	return timer;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	TAILQ_REMOVE(&loop->timers, timer, entry);
	free(timer);
}

void loop_before_sleep(struct loop *loop, loop_timer_fn *fn, void *context)
{
	loop->before_sleep = fn;
	loop->before_sleep_context = context;
}

static void call_timers(struct loop *loop)
{
	struct loop_timer *timer;
	loop->horizon = clock_monotonic_ms();
	while (!loop->stopped && (timer = TAILQ_FIRST(&loop->timers)) != NULL &&
	       timer->due <= loop->horizon) {
		loop_timer_fn *fn = timer->fn;
		void *context = timer->context;
		loop_timer_cancel(loop, timer);
		fn(context);
	}
	loop->horizon = INT64_MIN;
}

/* Drops what was unwatched, and lays out the rest for poll. Returns how many. */
static size_t gather(struct loop *loop)
{
	struct loop_watch *watch = LIST_FIRST(&loop->watches);
	size_t count = 0;
	while (watch != NULL) {
		struct loop_watch *next = LIST_NEXT(watch, entry);
		if (watch->fn == NULL) {
			LIST_REMOVE(watch, entry);
			free(watch);
			watch = next;
			continue;
		}
		if (count == loop->room) {
			loop->room += ROOM_STEP;
			loop->polled =
			    need(reallocarray(loop->polled, loop->room, sizeof *loop->polled));
			loop->polled_watches = need(reallocarray(
			    loop->polled_watches, loop->room, sizeof *loop->polled_watches));
		}
		loop->polled[count] = (struct pollfd){.fd = watch->fd, .events = POLLIN};
		loop->polled_watches[count++] = watch;
		watch = next;
	}
	return count;
}

static int sleep_ms(const struct loop *loop)
{
	const struct loop_timer *timer = TAILQ_FIRST(&loop->timers);
	if (timer == NULL)
		return -1;
	const int64_t left = timer->due - clock_monotonic_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* One round: sleep until something happens, then call whom it concerns. */
static int one_round(struct loop *loop, struct err *err)
{
	const size_t count = gather(loop);
	int ready = poll(loop->polled, count, sleep_ms(loop));
	if (ready < 0 && errno != EINTR)
		return err_system(err, "cannot wait for events");
	for (size_t i = 0; ready > 0 && i < count && !loop->stopped; i++) {
		struct loop_watch *watch = loop->polled_watches[i];
		if (loop->polled[i].revents == 0)
			continue;
		if ((loop->polled[i].revents & POLLNVAL) != 0 && watch->fn != NULL)
			abort(); /* closed while watched: our bug, and it would spin for ever */
		if (watch->fn != NULL)
			watch->fn(watch->context, watch->fd);
	}
	return 0;
}

int loop_run(struct loop *loop, struct err *err)
{
	int result = 0;
	while (result == 0 && !loop->stopped) {
		call_timers(loop);
		if (!loop->stopped && loop->before_sleep != NULL)
			loop->before_sleep(loop->before_sleep_context);
		if (!loop->stopped)
			result = one_round(loop, err);
	}
	loop->stopped = false;
	return result;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
