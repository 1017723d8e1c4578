/* The event loop of a process: descriptors, timers and signals, one callback at a time. */
#ifndef DEWLINE_WORKER_LOOP_H
#define DEWLINE_WORKER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fd_fn(void *context, int fd);
typedef void loop_timer_fn(void *context);

/* Never NULL: aborts when memory or descriptors run out. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Calls back while fd is readable or has hung up. The descriptor stays the caller's. A watch may be
 * removed from within any callback. */
struct loop_watch *loop_watch(struct loop *loop, int fd, loop_fd_fn *fn, void *context);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Calls back once, `ms` milliseconds from now; the timer is gone afterwards. loop_timer_cancel takes
 * NULL. The callback must clear the pointer its owner keeps. */
struct loop_timer *loop_after(struct loop *loop, int64_t ms, loop_timer_fn *fn, void *context);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/* Called each time before the loop goes to sleep: the place for work put together, such as one
 * commit for many results. At most one. */
void loop_before_sleep(struct loop *loop, loop_timer_fn *fn, void *context);

/* Runs until loop_stop. */
int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

#endif
