#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

enum { BUF_FIRST_SIZE = 256 };

/* realloc would leave the old copy of a secret behind, so growing copies and wipes. */
static void buf_resize(struct buf *buf, size_t size)
{
	char *data = malloc(size);
	if (data == NULL)
		abort();
	if (buf->len > 0)
		memcpy(data, buf->data, buf->len);
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->len);
		free(buf->data);
	}
	buf->data = data;
	buf->size = size;
	buf->data[buf->len] = '\0';
}

char *buf_reserve(struct buf *buf, size_t len)
{
	if (buf->overflow || len > buf->max - buf->len) {
		buf->overflow = true;
		return NULL;
	}
	const size_t need = buf->len + len + 1;
	if (need > buf->size) {
		size_t size = buf->size < BUF_FIRST_SIZE ? BUF_FIRST_SIZE : buf->size;
		while (size < need)
			size += size / 2 + 1;
		buf_resize(buf, size);
	}
	return buf->data + buf->len;
}

void buf_grown(struct buf *buf, size_t len)
{
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	char *room = buf_reserve(buf, len);
	if (room == NULL)
		return;
	if (len > 0)
		memcpy(room, data, len);
	buf_grown(buf, len);
}

void buf_add_view(struct buf *buf, struct view view)
{
	buf_add(buf, view.data, view.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	char *room = buf_reserve(buf, (size_t)len);
	if (room == NULL)
		return;
	va_start(args, format);
	vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
	buf_grown(buf, (size_t)len);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data == NULL ? "" : buf->data;
}

struct view buf_view(const struct buf *buf)
{
	return (struct view) { buf_text(buf), buf->len };
}

void buf_clear(struct buf *buf)
{
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->len);
		buf->data[0] = '\0';
	}
	buf->len = 0;
	buf->overflow = false;
}

void buf_release(struct buf *buf)
{
	buf_clear(buf);
	free(buf->data);
	buf->data = NULL;
	buf->size = 0;
}

void buf_move(struct buf *to, struct buf *from)
{
	if (to == from)
		return;
	buf_release(to);
	*to = *from;
	*from = BUF_EMPTY(to->max);
}

struct view view_of(const char *text)
{
	return text == NULL ? (struct view) { "", 0 } : (struct view) { text, strlen(text) };
}

struct view view_part(struct view view, size_t from, size_t len)
{
	if (from > view.len)
		from = view.len;
	if (len > view.len - from)
		len = view.len - from;
	return (struct view) { view.data == NULL ? "" : view.data + from, len };
}

bool view_equals(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_is(struct view a, const char *text)
{
	return view_equals(a, view_of(text));
}

bool view_is_nocase(struct view a, const char *text)
{
	return a.len == strlen(text) && (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

bool view_starts_nocase(struct view view, const char *prefix)
{
	return view_is_nocase(view_part(view, 0, strlen(prefix)), prefix);
}

bool view_has_nocase(struct view view, const char *words)
{
	for (; view.len >= strlen(words); view = view_part(view, 1, view.len)) {
		if (view_starts_nocase(view, words))
			return true;
	}
	return false;
}

size_t view_find(struct view view, struct view needle)
{
	if (needle.len == 0)
		return 0;
	if (view.len < needle.len)
		return SIZE_MAX;
	const char *at = memmem(view.data, view.len, needle.data, needle.len);
	return at == NULL ? SIZE_MAX : (size_t)(at - view.data);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

struct view view_trim(struct view view)
{
	while (view.len > 0 && is_space(view.data[0])) {
		view.data++;
		view.len--;
	}
	while (view.len > 0 && is_space(view.data[view.len - 1]))
		view.len--;
	return view;
}

bool view_next_field(struct view *rest, char separator, struct view *field)
{
	*field = VIEW("");
	if (rest->len == 0)
		return false;
	const char *end = memchr(rest->data, separator, rest->len);
	if (end == NULL) {
		*field = *rest;
		*rest = (struct view) { rest->data + rest->len, 0 };
		return true;
	}
	const size_t len = (size_t)(end - rest->data);
	*field = view_part(*rest, 0, len);
	*rest = view_part(*rest, len + 1, rest->len);
	return true;
}

bool view_next_line(struct view *rest, struct view *line)
{
	if (!view_next_field(rest, '\n', line))
		return false;
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return true;
}

bool view_copy(struct view view, char *out, size_t size)
{
	if (view.len >= size || (view.len > 0 && memchr(view.data, '\0', view.len) != NULL)) {
		out[0] = '\0';
		return false;
	}
	if (view.len > 0)
		memcpy(out, view.data, view.len);
	out[view.len] = '\0';
	return true;
}
