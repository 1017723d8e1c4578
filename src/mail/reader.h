/* The reader: a worker that parses hostile MIME. It holds no keys and opens no files.
 *
 * put_ writes a request's body; take_ reads the answer's and returns false when it is malformed.
 * What take_ gives holds views into `body`, which is valid only during the pool's callback: copy
 * what must stay. */
#ifndef DEWLINE_MAIL_READER_H
#define DEWLINE_MAIL_READER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "config/config.h"
#include "mail/entity.h"

enum reader_request {
	READER_OUTLINE = 1, /* raw mail -> struct mail_outline */
	READER_CONTENT,     /* signed plaintext -> struct mail_content */
};

void reader_put(struct buf *body, struct view bytes);
bool reader_take_outline(struct view body, struct mail_outline *out);
bool reader_take_content(struct view body, struct mail_content *out);

/* SHA-256, hexadecimal, of all that a content says: the same bytes read once more give the same,
 * unless their reader is in somebody's hands. */
void reader_content_digest(const struct mail_content *content, char out[static DIGEST_HEX_SIZE]);

/* The worker's side of the same: what it answers with. */
void reader_put_outline(struct buf *body, const struct mail_outline *outline);
void reader_put_content(struct buf *body, const struct mail_content *content);

/* The most bytes that an answer about `len` bytes may have. What would need more is unreadable. */
size_t reader_answer_most(size_t len);

/* Limits, from the configuration. */
struct mail_limits {
	size_t header;   /* bytes of the headers of one entity */
	size_t headers;  /* header fields of one entity */
	size_t header_line; /* bytes of one line of them; RFC 5322 says 998, keys are far longer */
	size_t comments; /* "(" open at once within one header field */
	size_t parts;    /* entities */
	size_t nesting;  /* depth */
};

/* The readings themselves, for the worker, unit tests and fuzzing. `store` receives decoded bytes
 * that the views point into and must outlive them. Never fail: what cannot be read says so. */
void mail_read_outline(
    struct view raw, const struct mail_limits *limits, struct buf *store, struct mail_outline *out);
void mail_read_content(
    struct view bytes, const struct mail_limits *limits, struct buf *store, struct mail_content *out);

/* Enters the reader's sandbox: from then on it computes and answers. What it needs of files is read
 * before. */
int reader_confine(const struct config *config, struct err *err);

/* Worker side (worker_main_fn): settings is `const struct config *`. */
int reader_main(const void *settings, int fd);

#endif
