#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

enum { LOG_LINE_MAX = 2048 };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static const char *process_name = "dewline";
static enum log_level highest = LOG_LEVEL_INFO;
static log_error_fn *on_error;
static void *on_error_context;

void log_open(const char *name, enum log_level level)
{
	process_name = name;
	highest = level;
}

void log_rename(const char *name)
{
	process_name = name;
}

void log_on_error(log_error_fn *fn, void *context)
{
	on_error = fn;
	on_error_context = context;
}

__attribute__((format(printf, 2, 0))) static void log_line(
    enum log_level level, const char *format, va_list args)
{
	if (level > highest)
		return;
	char text[LOG_LINE_MAX];
	vsnprintf(text, sizeof text, format, args);
	if (level == LOG_LEVEL_ERROR && on_error != NULL)
		on_error(on_error_context, text);
	struct buf line = BUF_EMPTY((size_t)LOG_LINE_MAX * 8);
	if (getenv("JOURNAL_STREAM") != NULL)
		buf_printf(&line, "<%d>", levels[level].priority);
	buf_printf(&line, "%s: %s: ", process_name, levels[level].name);
	text_add_shown(&line, view_of(text));
	buf_add_char(&line, '\n');
	/* One write a line, so that lines of several processes do not mix. */
	const ssize_t written = write(STDERR_FILENO, line.data, line.len);
	(void)written; /* there is nobody left to tell */
	buf_release(&line);
}

#define LOG_FUNCTION(function, level)                                                              \
	void function(const char *format, ...)                                                     \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		log_line(level, format, args);                                                     \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
