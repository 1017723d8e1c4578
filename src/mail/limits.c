#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mail/limits.h"

bool limits_refuse(char reason[static MAIL_REASON_SIZE], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(reason, MAIL_REASON_SIZE, format, args);
	va_end(args);
	return false;
}

static bool is_continuation(struct view line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

/* The deepest nesting counts, not the number of marks: a subject may hold many a sad face. A
 * closing mark without an opening one counts for nothing. Quotes are not looked at, because parsers
 * differ in where they honour them. */
static bool comments_fit(struct view line, size_t most, size_t *open)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '(' && ++*open > most)
			return false;
		if (line.data[i] == ')' && *open > 0)
			--*open;
	}
	return true;
}

bool limits_header(
    struct view header, const struct mail_limits *limits, char reason[static MAIL_REASON_SIZE])
{
	if (header.len > limits->header)
		return limits_refuse(reason, "a header of more than %zu bytes", limits->header);
	if (header.len > 0 && memchr(header.data, '\0', header.len) != NULL)
		return limits_refuse(reason, "a NUL in a header");
	struct view rest = header;
	struct view line;
	size_t fields = 0;
	size_t open = 0;
	while (view_next_line(&rest, &line)) {
		if (line.len > limits->header_line)
			return limits_refuse(
			    reason, "a header line of more than %zu bytes", limits->header_line);
		if (!is_continuation(line)) {
			open = 0;
			fields++;
		}
		if (fields > limits->headers)
			return limits_refuse(
			    reason, "more than %zu header fields in one part", limits->headers);
		if (!comments_fit(line, limits->comments, &open))
			return limits_refuse(reason,
			    "more than %zu parentheses open in a header field", limits->comments);
	}
	return true;
}

static bool is_boundary_char(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

bool limits_boundary(struct view boundary, char reason[static MAIL_REASON_SIZE])
{
	if (boundary.len == 0)
		return limits_refuse(reason, "a multipart without a boundary");
	if (boundary.len > LIMITS_BOUNDARY)
		return limits_refuse(
		    reason, "a boundary of more than %d characters", LIMITS_BOUNDARY);
	for (size_t i = 0; i < boundary.len; i++)
		if (!is_boundary_char(boundary.data[i]))
			return limits_refuse(
			    reason, "a character in a boundary that may not be there");
	if (boundary.data[boundary.len - 1] == ' ')
		return limits_refuse(reason, "a boundary that ends in a space");
	return true;
}
