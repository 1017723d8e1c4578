/* What the fuzz targets share: the entry points of libFuzzer, and how a broken rule is said. */
#ifndef DEWLINE_TESTS_FUZZ_H
#define DEWLINE_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is; when it does not, the input is kept as a crash. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))

__attribute__((noreturn)) static inline void fuzz_broken(
    const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

static inline struct view fuzz_view(const uint8_t *data, size_t size)
{
	return (struct view){size == 0 ? "" : (const char *)data, size};
}

/* Cuts a byte off the front, 0 at the end. */
static inline uint8_t fuzz_byte(struct view *rest)
{
	const uint8_t byte = rest->len > 0 ? (uint8_t)rest->data[0] : 0;
	*rest = view_part(*rest, 1, rest->len);
	return byte;
}

/* True when all of `inner` lies in `outer`. */
static inline bool fuzz_lies_in(struct view inner, struct view outer)
{
	return inner.len == 0 || (inner.data >= outer.data && inner.len <= outer.len &&
				     inner.data - outer.data <= (ptrdiff_t)(outer.len - inner.len));
}

/* Well-formed UTF-8 with no control character but those in `allowed`. */
static inline bool fuzz_is_text(struct view text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		if ((c < ' ' && (c == '\0' || strchr(allowed, c) == NULL)) || c == 0x7f)
			return false;
	}
	return text_is_utf8(text);
}

static inline bool fuzz_is_line(const char *text)
{
	return fuzz_is_text(view_of(text), "");
}

/* A line with nothing in it that a terminal would obey or that would mislead the eye. */
static inline bool fuzz_is_shown(const char *text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, view_of(text));
	const bool same = view_is(buf_view(&shown), text);
	buf_release(&shown);
	return same;
}

static inline bool fuzz_is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

#endif
