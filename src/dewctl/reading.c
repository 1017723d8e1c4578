#include "config.h"

#include <stdlib.h>

#include "dewctl/reading.h"
#include "worker/pool.h"

enum { DEADLINE_MS = 60 * 1000, ATTEMPTS = 2 };

struct asking {
	struct loop *loop;
	enum reader_request type;
	struct reading *out;
	bool answered;
};

static bool take_outline(struct view body, struct reading *out)
{
	struct mail_outline outline;
	if (!reader_take_outline(body, &outline))
		return false;
	out->shape = outline.shape;
	buf_add_view(&out->message, outline.message);
	buf_add_view(&out->signature, outline.signature);
	return true;
}

static bool take_content(struct view body, struct reading *out)
{
	struct mail_content *content = calloc(1, sizeof *content); /* too large for the stack */
	if (content == NULL)
		abort();
	const bool good = reader_take_content(body, content);
	out->wrapped = good && content->readable && content->wrapped;
	if (out->wrapped) {
		buf_add_view(&out->message, content->message);
		buf_add_view(&out->signature, content->signature);
	}
	free(content);
	return good;
}

static bool answer(void *context, enum pool_event event, struct view body)
{
	struct asking *asking = context;
	if (event == POOL_PROGRESS)
		return false; /* a reader sends none */
	if (event == POOL_ANSWER &&
	    !(asking->type == READER_OUTLINE ? take_outline : take_content)(body, asking->out))
		return false;
	asking->answered = event == POOL_ANSWER;
	loop_stop(asking->loop);
	return true;
}

/* A reader that cannot be started costs no attempt. */
static void give_up(void *context)
{
	struct asking *asking = context;
	loop_stop(asking->loop);
}

int reading_ask(const struct config *config, enum reader_request type, struct view bytes,
    struct reading *out, struct err *err)
{
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_READER] = {reader_main, config},
	};
	const size_t limit = (size_t)config->limits.message + (size_t)config->limits.plaintext;
	reading_release(out);
	*out = (struct reading){.message = BUF_EMPTY(limit), .signature = BUF_EMPTY(limit)};
	struct loop *loop = loop_new();
	struct starter *starter = starter_direct(programs);
	struct pool *pool = pool_new_fresh(loop, starter, WORKER_READER, 1);
	struct asking asking = {.loop = loop, .type = type, .out = out};
	struct pool_request request = {.type = type,
	    .body = BUF_EMPTY(limit + BUF_SMALL),
	    .deadline_ms = DEADLINE_MS,
	    .attempts = ATTEMPTS,
	    .answer = answer,
	    .context = &asking};
	reader_put(&request.body, bytes);
	loop_after(loop, (ATTEMPTS + 1) * DEADLINE_MS, give_up, &asking);
	pool_ask(pool, &request);
	int status = loop_run(loop, err);
	pool_free(pool);
	starter_free(starter);
	loop_free(loop);
	if (status == 0 && !asking.answered)
		status = err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "the reader of this mail died or took too long");
	return status;
}

void reading_release(struct reading *reading)
{
	buf_release(&reading->message);
	buf_release(&reading->signature);
}
