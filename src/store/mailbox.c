#include "config.h"

#include <inttypes.h>

#include "store/lines.h"
#include "store/mailbox.h"

static const char name[] = "mailbox";

int store_mailbox_get(struct store *store, struct mailbox_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*state = (struct mailbox_state){.down_since = 0};
	const int result = store_value_get(store, name, &value, &found, err);
	struct view rest = buf_view(&value);
	if (result == 0 && found) {
		state->down_since = lines_next_number(&rest);
		state->down_told = lines_next_number(&rest) != 0;
		state->reached_at = lines_next_number(&rest);
		state->left = lines_next_number(&rest);
		state->left_told = lines_next_number(&rest) != 0;
		state->left_validity = lines_next_number(&rest);
		state->left_uid = lines_next_number(&rest);
		lines_next_text(&rest, state->down_reason);
		lines_next_text(&rest, state->left_reason);
	}
	buf_release(&value);
	return result;
}

int store_mailbox_set(struct store *store, const struct mailbox_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	buf_printf(&value,
	    "%" PRId64 "\n%d\n%" PRId64 "\n%" PRId64 "\n%d\n%" PRId64 "\n%" PRId64 "\n",
	    state->down_since, state->down_told, state->reached_at, state->left, state->left_told,
	    state->left_validity, state->left_uid);
	lines_add_text(&value, state->down_reason);
	lines_add_text(&value, state->left_reason);
	const int result = store_value_set(store, name, buf_view(&value), err);
	buf_release(&value);
	return result;
}
