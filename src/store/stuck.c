#include "config.h"

#include <inttypes.h>

#include "store/lines.h"
#include "store/stuck.h"

static const char name[] = "drop-stuck";

int store_stuck_get(struct store *store, struct stuck_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*state = (struct stuck_state){.since = 0};
	const int result = store_value_get(store, name, &value, &found, err);
	struct view rest = buf_view(&value);
	if (result == 0 && found) {
		state->since = lines_next_number(&rest);
		state->told = lines_next_number(&rest) != 0;
		state->count = lines_next_number(&rest);
		lines_next_text(&rest, state->reason);
	}
	buf_release(&value);
	return result;
}

int store_stuck_set(struct store *store, const struct stuck_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(
	    &value, "%" PRId64 "\n%d\n%" PRId64 "\n", state->since, state->told, state->count);
	lines_add_text(&value, state->reason);
	const int result = store_value_set(store, name, buf_view(&value), err);
	buf_release(&value);
	return result;
}
