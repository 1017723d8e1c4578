#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "gate/trace.h"
#include "rules/trace.h"

_Static_assert((int)STORE_MARK_SIZE == (int)TRACE_MARK_SIZE, "a mark is kept whole");

static bool is_reached(const struct delivery *delivery)
{
	return strcmp(delivery->state, "failed") != 0;
}

static int64_t count_reached(const struct delivery *deliveries, size_t count)
{
	int64_t reached = 0;
	for (size_t i = 0; i < count; i++)
		reached += is_reached(&deliveries[i]);
	return reached;
}

bool trace_allows(const struct config *config, const struct delivery *deliveries, size_t count,
    struct view text, int line, struct refusal *refusal)
{
	const int64_t reached = count_reached(deliveries, count);
	if (reached > config->trace.most)
		return refuse(refusal, line,
		    "Trace is for at most %lld recipients, and this audience has %lld",
		    (long long)config->trace.most, (long long)reached);
	return text.len <= TRACE_TEXT_MAX ||
	       refuse(refusal, line,
		   "Trace is for texts of at most %d bytes: attach what is longer, which is not "
		   "marked",
		   TRACE_TEXT_MAX);
}

static void compose_one(const struct letter_advisory *letter, const struct delivery *delivery,
    int64_t reached, struct outgoing_copy *copy, struct buf *text)
{
	struct letter_advisory own = *letter;
	struct buf marked = BUF_EMPTY(text->max);
	struct buf whole = BUF_EMPTY(text->max);
	struct buf whose = BUF_EMPTY(BUF_SMALL);
	random_bytes(copy->mark, sizeof copy->mark);
	buf_printf(&whose, "Copy %lld of %lld, for %s", (long long)copy->number, (long long)reached,
	    delivery->address);
	trace_mark_text(&marked, letter->text, copy->mark);
	own.text = buf_view(&marked);
	own.copy = buf_text(&whose);
	letter_text(&whole, &own);
	trace_mark_rules(text, buf_view(&whole), copy->mark);
	text->overflow = text->overflow || marked.overflow || whole.overflow;
	copy->text = buf_view(text);
	buf_release(&marked);
	buf_release(&whole);
	buf_release(&whose);
}

void trace_compose(const struct letter_advisory *letter, const struct delivery *deliveries,
    size_t count, size_t most, struct trace_copies *out)
{
	const int64_t reached = count_reached(deliveries, count);
	int64_t number = 0;
	out->count = count;
	out->copies = calloc(count + 1, sizeof *out->copies);
	out->texts = calloc(count + 1, sizeof *out->texts);
	if (out->copies == NULL || out->texts == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		out->texts[i] = BUF_EMPTY(most);
		if (!is_reached(&deliveries[i]))
			continue;
		out->copies[i].number = ++number;
		compose_one(letter, &deliveries[i], reached, &out->copies[i], &out->texts[i]);
	}
}

bool trace_fits(const struct trace_copies *copies)
{
	for (size_t i = 0; i < copies->count; i++) {
		if (copies->texts[i].overflow)
			return false;
	}
	return true;
}

void trace_copies_release(struct trace_copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		buf_release(&copies->texts[i]);
	free(copies->texts);
	free(copies->copies);
	*copies = (struct trace_copies){0};
}
