#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static void one_line(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
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
