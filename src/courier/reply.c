#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "courier/reply.h"

enum { PRINTED_SIZE = 2 * COURIER_TEXT_SIZE, CODE_LEAST = 200, CODE_MOST = 599 };

/* What fits, without half a character at the end. The text must be well-formed. */
static struct view cut(struct view text, size_t most)
{
	text = view_part(text, 0, most);
	while (!text_is_utf8(text))
		text.len--;
	return text;
}

static void set_shown(char out[static COURIER_TEXT_SIZE], struct view text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, text);
	view_copy(cut(buf_view(&shown), COURIER_TEXT_SIZE - 1), out, COURIER_TEXT_SIZE);
	buf_release(&shown);
}

void courier_print(char out[static COURIER_TEXT_SIZE], const char *format, ...)
{
	char text[PRINTED_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	set_shown(out, view_of(text));
}

void reply_set_reason(struct courier_reply *reply, enum courier_phase phase, const char *reason)
{
	reply->phase = phase;
	reply->code = 0;
	courier_print(reply->text, "%s", reason);
}

void reply_set(struct courier_reply *reply, enum courier_phase phase, int code, struct view lines)
{
	struct buf joined = BUF_EMPTY(PRINTED_SIZE);
	struct view line;
	if (code < CODE_LEAST || code > CODE_MOST) {
		reply_set_reason(reply, phase, "the server does not speak SMTP");
		return;
	}
	while (!joined.overflow && view_next_line(&lines, &line)) {
		line = view_trim(line);
		if (joined.len > 0 && line.len > 0)
			buf_add_char(&joined, ' ');
		buf_add_view(&joined, view_part(line, 0, COURIER_TEXT_SIZE));
	}
	reply->phase = phase;
	reply->code = code;
	set_shown(reply->text, buf_view(&joined));
	buf_release(&joined);
}
