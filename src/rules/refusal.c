#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "rules/refusal.h"

enum { SHOWN_MAX = 60 };

bool refuse(struct refusal *refusal, int line, const char *format, ...)
{
	char plain[sizeof refusal->text];
	struct buf safe = BUF_EMPTY(BUF_SMALL);
	va_list args;
	va_start(args, format);
	vsnprintf(plain, sizeof plain, format, args);
	va_end(args);
	text_add_shown(&safe, view_of(plain));
	snprintf(refusal->text, sizeof refusal->text, "%s", buf_text(&safe));
	buf_release(&safe);
	refusal->line = line;
	return false;
}

int refusal_shown(struct view value)
{
	return value.len > SHOWN_MAX ? SHOWN_MAX : (int)value.len;
}
