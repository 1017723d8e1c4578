/* Traced copies of an advisory: composing one text for each recipient. */
#ifndef DEWLINE_GATE_TRACE_H
#define DEWLINE_GATE_TRACE_H

#include "gate/letters.h"
#include "gate/outgoing.h"

/* From malloc; one for each delivery, number 0 for those who cannot be reached. */
struct trace_copies {
	struct outgoing_copy *copies;
	struct buf *texts;
	size_t count;
};

/* False with a refusal for the line of `Trace:` when there are more recipients than trace.most, or
 * the text is too long to be marked. */
bool trace_allows(const struct config *config, const struct delivery *deliveries, size_t count,
    struct view text, int line, struct refusal *refusal);

void trace_compose(const struct letter_advisory *letter, const struct delivery *deliveries,
    size_t count, size_t most, struct trace_copies *out);
bool trace_fits(const struct trace_copies *copies);
void trace_copies_release(struct trace_copies *copies);

#endif
