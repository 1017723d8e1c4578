#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

/* Bytes of the well-formed character at the front, 0 when it is none; a peer may have written it,
 * or the text was cut within it. */
static size_t character(const char *at)
{
	enum { CHARACTER_MOST = 4 };
	for (size_t len = 1; len <= CHARACTER_MOST && at[len - 1] != '\0'; len++) {
		if (text_is_utf8((struct view) { at, len }))
			return len;
	}
	return 0;
}

static void one_line(char *text)
{
	for (char *at = text; *at != '\0';) {
		const size_t len = character(at);
		if (len == 0)
			*at = '?';
		else if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
		at += len == 0 ? 1 : len;
	}
}

int err_set(struct err *err, enum err_whom whom, enum err_when when, const char *format, ...)
{
	va_list args;
	err->whom = whom;
	err->when = when;
	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	one_line(err->text);
	return -1;
}

int err_system(struct err *err, const char *format, ...)
{
	const int saved = errno;
	char head[ERR_TEXT_SIZE - 64];
	va_list args;
	va_start(args, format);
	vsnprintf(head, sizeof head, format, args);
	va_end(args);
	return err_set(err, ERR_DAEMON, ERR_LATER, "%s: %s", head, strerror(saved));
}

int err_prefix(struct err *err, const char *format, ...)
{
	char head[ERR_TEXT_SIZE];
	char tail[ERR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(head, sizeof head, format, args);
	va_end(args);
	memcpy(tail, err->text, sizeof tail);
	return err_set(err, err->whom, err->when, "%.200s: %.300s", head, tail);
}
