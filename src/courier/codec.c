#include "config.h"

#include "courier/armor.h"
#include "courier/codec.h"
#include "courier/message.h"
#include "worker/frame.h"

enum { PKESK_MAX = 64 * 1024, CODE_MOST = 599 };

static const size_t head_max = (size_t)1024 * 1024;

void courier_put_run(struct buf *body, const struct courier_run *run)
{
	put_u8(body, run->clear ? 1 : 0);
	put_view(body, run->head);
	put_view(body, run->data);
	put_view(body, run->tail);
	put_u32(body, (uint32_t)run->count);
	for (size_t i = 0; i < run->count; i++) {
		const struct courier_delivery *delivery = &run->deliveries[i];
		put_i64(body, delivery->id);
		put_text(body, delivery->sender);
		put_text(body, delivery->recipient);
		put_view(body, delivery->pkesk);
	}
}

bool courier_take_run(struct view body, struct courier_run *run)
{
	struct taker taker = take_from(body);
	const uint8_t clear = take_u8(&taker);
	run->clear = clear == 1;
	run->head = take_view(&taker, head_max);
	run->data = take_view(&taker, FRAME_BODY_MAX);
	run->tail = take_view(&taker, head_max);
	run->count = take_count(&taker, COURIER_RUN_MAX);
	bool complete = clear <= 1 && run->data.len > 0 && run->count > 0;
	if (run->clear)
		complete = complete && run->count == 1 && message_is_lines(run->data);
	for (size_t i = 0; i < run->count; i++) {
		struct courier_delivery *delivery = &run->deliveries[i];
		delivery->id = take_i64(&taker);
		take_text(&taker, delivery->sender, sizeof delivery->sender);
		take_text(&taker, delivery->recipient, sizeof delivery->recipient);
		delivery->pkesk = take_view(&taker, PKESK_MAX);
		complete = complete && (delivery->pkesk.len > 0) == !run->clear;
	}
	return take_end(&taker) && complete && run->head.len > 0 && message_is_lines(run->head) &&
	       message_is_lines(run->tail);
}

void courier_put_probe(struct buf *body, const struct courier_probe *probe)
{
	put_text(body, probe->sender);
	put_u32(body, (uint32_t)probe->count);
	for (size_t i = 0; i < probe->count; i++)
		put_text(body, probe->recipients[i]);
}

bool courier_take_probe(struct view body, struct courier_probe *probe)
{
	struct taker taker = take_from(body);
	take_text(&taker, probe->sender, sizeof probe->sender);
	probe->count = take_count(&taker, COURIER_PROBE_MAX);
	for (size_t i = 0; i < probe->count; i++)
		take_text(&taker, probe->recipients[i], sizeof probe->recipients[i]);
	return take_end(&taker);
}

void courier_put_result(struct buf *body, const struct courier_result *result)
{
	put_i64(body, result->id);
	put_u8(body, (uint8_t)result->outcome);
	put_u8(body, (uint8_t)result->about);
	put_u32(body, (uint32_t)result->code);
	put_u8(body, result->smarthost_down ? 1 : 0);
	put_text(body, result->text);
}

bool courier_take_result(struct view body, struct courier_result *result)
{
	struct taker taker = take_from(body);
	result->id = take_i64(&taker);
	const uint8_t outcome = take_u8(&taker);
	const uint8_t about = take_u8(&taker);
	const uint32_t code = take_u32(&taker);
	const uint8_t down = take_u8(&taker);
	take_line(&taker, result->text, sizeof result->text);
	if (!take_end(&taker) || outcome > COURIER_AMBIGUOUS ||
	    about > COURIER_ABOUT_GATEWAY || code > CODE_MOST || down > 1)
		return false;
	result->outcome = (enum courier_outcome)outcome;
	result->about = (enum courier_about)about;
	result->code = (int32_t)code;
	result->smarthost_down = down == 1;
	return true;
}

int64_t courier_probe_deadline_ms(void)
{
	enum { SECOND_MS = 1000, ADDRESSES = 8 };
	return SECOND_MS * (ADDRESSES * COURIER_PROBE_CONNECT_S + 2 * COURIER_PROBE_OPENING_S);
}

int64_t courier_deadline_ms(const struct courier_run *run)
{
	/* Connecting to several addresses, and all that opening a connection may take; that twice,
	 * as a connection that the server ended is opened once more. Then MAIL, RCPT, DATA, the
	 * message and the final dot, and RSET. */
	enum { SECOND_MS = 1000, OPENINGS = 2 * 2, STEPS = 6 };
	const size_t size = run->head.len + armor_size(PKESK_MAX + run->data.len) + run->tail.len;
	return SECOND_MS * (OPENINGS * COURIER_STEP_S + STEPS * COURIER_STEP_S +
			       COURIER_FINAL_DOT_S + (int64_t)(size / COURIER_LEAST_RATE));
}

void courier_put_watch(struct buf *body, const struct courier_watch *watch)
{
	put_u8(body, (uint8_t)watch->what);
	put_u32(body, watch->validity);
	put_u32(body, watch->uid);
	put_i64(body, watch->size);
	put_text(body, watch->text);
}

bool courier_take_watch(struct view body, struct courier_watch *watch)
{
	struct taker taker = take_from(body);
	const uint8_t what = take_u8(&taker);
	watch->validity = take_u32(&taker);
	watch->uid = take_u32(&taker);
	watch->size = take_i64(&taker);
	take_line(&taker, watch->text, sizeof watch->text);
	if (!take_end(&taker) || what > COURIER_WATCH_REFUSED || watch->size < 0)
		return false;
	watch->what = (enum courier_watch_what)what;
	return true;
}
