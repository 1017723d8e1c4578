#include "config.h"

#include <inttypes.h>

#include "base/text.h"
#include "store/mailbox.h"

static const char name[] = "mailbox";

/* Numbers and reasons, one a line. */
static int64_t next_number(struct view *rest)
{
	struct view line = VIEW("");
	int64_t number = 0;
	view_next_line(rest, &line);
	text_number(line, 0, INT64_MAX, &number);
	return number;
}

static void next_text(struct view *rest, char out[static STORE_REASON_SIZE])
{
	struct view line = VIEW("");
	view_next_line(rest, &line);
	view_copy(line, out, STORE_REASON_SIZE);
}

int store_mailbox_get(struct store *store, struct mailbox_state *state, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*state = (struct mailbox_state){.down_since = 0};
	const int result = store_value_get(store, name, &value, &found, err);
	struct view rest = buf_view(&value);
	if (result == 0 && found) {
		state->down_since = next_number(&rest);
		state->down_told = next_number(&rest) != 0;
		state->reached_at = next_number(&rest);
		state->left = next_number(&rest);
		state->left_told = next_number(&rest) != 0;
		state->left_validity = next_number(&rest);
		state->left_uid = next_number(&rest);
		next_text(&rest, state->down_reason);
		next_text(&rest, state->left_reason);
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
	text_add_shown(&value, view_of(state->down_reason));
	buf_add_char(&value, '\n');
	text_add_shown(&value, view_of(state->left_reason));
	buf_add_char(&value, '\n');
	const int result = store_value_set(store, name, buf_view(&value), err);
	buf_release(&value);
	return result;
}
