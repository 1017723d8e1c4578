#include "config.h"

#include <stdio.h>

#include "dewctl/probe.h"
#include "worker/pool.h"

struct asking {
	struct loop *loop;
	probe_fn *fn;
	void *context;
	bool answered;
};

static bool answer(void *context, enum pool_event event, struct view body)
{
	struct asking *asking = context;
	struct courier_result result;
	if (event == POOL_PROGRESS) {
		if (!courier_take_result(body, &result))
			return false;
		asking->fn(asking->context, &result);
		return true;
	}
	asking->answered = event == POOL_ANSWER;
	loop_stop(asking->loop);
	return true;
}

/* A courier that cannot be started costs no attempt. */
static void give_up(void *context)
{
	struct asking *asking = context;
	loop_stop(asking->loop);
}

static void ask(struct asking *asking, struct pool *pool, const struct courier_probe *probe)
{
	const int64_t deadline_ms = courier_probe_deadline_ms();
	struct pool_request request = {.type = COURIER_REQUEST_PROBE,
	    .body = BUF_EMPTY(BUF_SMALL),
	    .deadline_ms = deadline_ms,
	    .attempts = 1,
	    .in_parts = true,
	    .answer = answer,
	    .context = asking};
	courier_put_probe(&request.body, probe);
	loop_after(asking->loop, (int64_t)(probe->count + 3) * deadline_ms, give_up, asking);
	pool_ask(pool, &request);
}

void probe_smarthost(const struct config *config, const struct courier_probe *probe, probe_fn *fn,
    void *context)
{
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_COURIER] = {courier_main, config},
	};
	struct courier_result none = {.outcome = COURIER_FAILED};
	struct asking asking = {.loop = loop_new(), .fn = fn, .context = context};
	struct starter *starter = starter_direct(programs);
	struct pool *pool = pool_new(asking.loop, starter, WORKER_COURIER, 1);
	struct err err;
	ask(&asking, pool, probe);
	const int status = loop_run(asking.loop, &err);
	pool_free(pool);
	starter_free(starter);
	loop_free(asking.loop);
	if (status == 0 && asking.answered)
		return;
	snprintf(none.text, sizeof none.text, "%.200s",
	    status < 0 ? err.text : "the courier died or took too long");
	fn(context, &none);
}
