#include "config.h"

#include "base/text.h"
#include "store/lines.h"

int64_t lines_next_number(struct view *rest)
{
	struct view line = VIEW("");
	int64_t number = 0;
	view_next_line(rest, &line);
	text_number(line, 0, INT64_MAX, &number);
	return number;
}

void lines_next_text(struct view *rest, char out[static STORE_REASON_SIZE])
{
	struct view line = VIEW("");
	view_next_line(rest, &line);
	view_copy(line, out, STORE_REASON_SIZE);
}

void lines_add_text(struct buf *out, const char *text)
{
	text_add_shown(out, view_of(text));
	buf_add_char(out, '\n');
}
