/* Owned bytes with a hard maximum, and borrowed bytes.
 *
 * A `struct view` points into memory that somebody else owns and is never NUL-terminated by
 * promise. A `struct buf` owns its memory, keeps a NUL behind the last byte (not counted), and
 * refuses to grow past `max`: appending more sets `overflow` and appends nothing, so that a chain
 * of appends is checked once, at its end. Absent text is empty, not NULL. */
#ifndef DEWLINE_BASE_BUF_H
#define DEWLINE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	const char *data; /* may be NULL only where len is 0 */
	size_t len;       /* bytes */
};

struct buf {
	char *data;
	size_t len;  /* bytes used */
	size_t size; /* bytes allocated */
	size_t max;  /* bytes that len may reach */
	bool overflow;
};

/* A maximum for text that is ours by construction: headers, one line, one identifier. */
#define BUF_SMALL ((size_t)64 * 1024)

#define BUF_EMPTY(limit) ((struct buf) { .data = NULL, .len = 0, .size = 0, .max = (limit) })
#define VIEW(literal) ((struct view) { (literal), sizeof(literal) - 1 })

/* Appending. Aborts when memory runs out; sets overflow past the maximum. */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_view(struct buf *buf, struct view view);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes, to be filled at the returned place before buf_grown(buf, len) counts
 * them. NULL (and overflow set) past the maximum. */
char *buf_reserve(struct buf *buf, size_t len);
void buf_grown(struct buf *buf, size_t len);

/* The content as NUL-terminated text, "" when nothing was ever added. Valid until the next change. */
const char *buf_text(const struct buf *buf);
struct view buf_view(const struct buf *buf);

/* Wipes the bytes, keeps the memory and the maximum. */
void buf_clear(struct buf *buf);

/* Wipes and frees; the buffer is empty and usable again. Harmless on an empty one. */
void buf_release(struct buf *buf);

/* Moves the content of `from` to `to`, whose former content is released; `from` is left empty. */
void buf_move(struct buf *to, struct buf *from);

struct view view_of(const char *text); /* NULL gives an empty view */
struct view view_part(struct view view, size_t from, size_t len); /* cut to what there is */
bool view_equals(struct view a, struct view b);
bool view_is(struct view a, const char *text);
bool view_is_nocase(struct view a, const char *text); /* ASCII case only */
bool view_starts_nocase(struct view view, const char *prefix);
bool view_has_nocase(struct view view, const char *words); /* anywhere in it */
/* Position of needle, or SIZE_MAX. */
size_t view_find(struct view view, struct view needle);
/* Without ASCII white space at either end. */
struct view view_trim(struct view view);
/* Cuts the next line off the front of *rest, without its CR LF or LF. False when *rest is empty, and
 * *line is then too. */
bool view_next_line(struct view *rest, struct view *line);
/* Cuts the front of *rest up to the separator, which is dropped. False when *rest is exhausted, and
 * *field is then empty; a last field without separator is returned as it is. */
bool view_next_field(struct view *rest, char separator, struct view *field);
/* Copies into a fixed array with a NUL. False, and an empty string, when it does not fit or holds
 * a NUL itself. */
bool view_copy(struct view view, char *out, size_t size);

#endif
