#include "config.h"

#include "dewctl/probe.h"
#include "courier/courier.h"
#include "worker/pool.h"

enum { ATTEMPTS = 2 };

struct asking {
	struct loop *loop;
	struct courier_result result;
	bool answered;
};

static bool answer(void *context, enum pool_event event, struct view body)
{
	struct asking *asking = context;
	if (event == POOL_PROGRESS)
		return false; /* a probe has one answer */
	if (event == POOL_ANSWER && !courier_take_result(body, &asking->result))
		return false;
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

bool probe_smarthost(const struct config *config, struct buf *words)
{
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_COURIER] = {courier_main, config},
	};
	struct loop *loop = loop_new();
	struct starter *starter = starter_direct(programs);
	struct pool *pool = pool_new(loop, starter, WORKER_COURIER, 1);
	struct asking asking = {.loop = loop};
	struct pool_request request = {.type = COURIER_REQUEST_PROBE,
	    .body = BUF_EMPTY(BUF_SMALL),
	    .deadline_ms = courier_probe_deadline_ms(),
	    .attempts = ATTEMPTS,
	    .answer = answer,
	    .context = &asking};
	struct err err;
	loop_after(loop, (ATTEMPTS + 1) * courier_probe_deadline_ms(), give_up, &asking);
	pool_ask(pool, &request);
	const int status = loop_run(loop, &err);
	pool_free(pool);
	starter_free(starter);
	loop_free(loop);
	if (status < 0)
		buf_add_text(words, err.text);
	else if (!asking.answered)
		buf_add_text(words, "the courier died or took too long");
	else
		buf_add_text(words, asking.result.text);
	return status == 0 && asking.answered && asking.result.outcome == COURIER_SENT;
}
