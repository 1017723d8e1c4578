/* Readings for the tests of the mail room: limits as the configuration has them, one call a mail.
 */
#ifndef DEWLINE_TESTS_MAIL_READING_H
#define DEWLINE_TESTS_MAIL_READING_H

#include <stdlib.h>
#include <string.h>

#include "mail/reader.h"

#define READING_STORE_MAX ((size_t)256 * 1024 * 1024)

static const struct mail_limits reading_limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

struct reading_outline {
	struct buf store;
	char *raw; /* of exactly the mail's size, so that reading beyond it is noticed */
	struct mail_outline out;
};

static inline char *reading_copy(struct view bytes)
{
	char *raw = malloc(bytes.len == 0 ? 1 : bytes.len);
	if (raw == NULL)
		abort();
	if (bytes.len > 0)
		memcpy(raw, bytes.data, bytes.len);
	return raw;
}

static inline struct reading_outline *reading_outline_of(struct view bytes)
{
	struct reading_outline *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		abort();
	reading->store = BUF_EMPTY(READING_STORE_MAX);
	reading->raw = reading_copy(bytes);
	mail_read_outline((struct view){reading->raw, bytes.len}, &reading_limits, &reading->store,
	    &reading->out);
	return reading;
}

static inline void reading_outline_free(struct reading_outline *reading)
{
	buf_release(&reading->store);
	free(reading->raw);
	free(reading);
}

struct reading_content {
	struct buf store;
	char *raw;
	struct mail_content out;
};

static inline struct reading_content *reading_content_of(struct view bytes)
{
	struct reading_content *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		abort();
	reading->store = BUF_EMPTY(READING_STORE_MAX);
	reading->raw = reading_copy(bytes);
	mail_read_content((struct view){reading->raw, bytes.len}, &reading_limits, &reading->store,
	    &reading->out);
	return reading;
}

static inline void reading_content_free(struct reading_content *reading)
{
	buf_release(&reading->store);
	free(reading->raw);
	free(reading);
}

/* The bytes of a view against expected text. */
#define assert_view_is(seen, expected) assert_string_equal(reading_text(seen), expected)

/* As a string for one comparison; a NUL in it shows as a cut. */
static inline const char *reading_text(struct view bytes)
{
	static char text[1 << 16];
	return view_copy(bytes, text, sizeof text) ? text : "(too long, or NUL in it)";
}

#endif
