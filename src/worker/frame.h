/* The form of what processes say to each other.
 *
 * A frame is one message on a SOCK_SEQPACKET socket pair: a fixed head (magic, version, type,
 * request number, body length) and a body. A body up to FRAME_INLINE_MAX bytes stands in the
 * packet; a larger one travels as one memory file sealed against writing and resizing, passed as
 * descriptor. The body is a row of fields written with put_ and read with take_ in the same order;
 * reading past the end, a length beyond its bound, or bytes left over make the whole frame bad,
 * and a bad frame ends the peer that sent it. */
#ifndef DEWLINE_WORKER_FRAME_H
#define DEWLINE_WORKER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	FRAME_VERSION = 1,
	FRAME_INLINE_MAX = 32 * 1024,
};
/* The largest body either side accepts; longer means a broken or hostile peer. */
#define FRAME_BODY_MAX ((size_t)512 * 1024 * 1024)

struct frame {
	uint32_t type;
	uint32_t number;  /* the request that this belongs to */
	struct view body; /* points into `memory`; valid until frame_release */
	void *memory;
	size_t memory_len;
	bool mapped; /* memory is a mapping of a sealed memory file, not from malloc */
};

/* Writing fields: integers big-endian, bytes as u32 length and content, strings as bytes. */
void put_u8(struct buf *body, uint8_t value);
void put_u32(struct buf *body, uint32_t value);
void put_i64(struct buf *body, int64_t value);
void put_view(struct buf *body, struct view value);
void put_text(struct buf *body, const char *value);

/* Reading fields from the front of *body. After any failure *bad is true, every further take gives
 * zero or empty, and take_end says so. Views point into the frame. */
struct taker {
	struct view rest;
	bool bad;
};
struct taker take_from(struct view body);
uint8_t take_u8(struct taker *taker);
uint32_t take_u32(struct taker *taker);
int64_t take_i64(struct taker *taker);
struct view take_view(struct taker *taker, size_t most);
/* A string that fits `size` with its NUL and holds none itself; otherwise bad, and "". */
void take_text(struct taker *taker, char *out, size_t size);
/* The same for one line of text that is safe to show: also bad when it is ill-formed UTF-8 or holds a
 * control character (C0, DEL). The sender may be in somebody else's hands. */
void take_line(struct taker *taker, char *out, size_t size);
/* A count of things that each take at least one byte: bad when more than `most`. */
uint32_t take_count(struct taker *taker, uint32_t most);
/* True when every take was good and nothing is left over. */
bool take_end(const struct taker *taker);

/* Sends one frame, blocking. -1 (ERR_PEER) when the other side is gone. */
int frame_send(int fd, uint32_t type, uint32_t number, struct view body, struct err *err);

/* Receives one frame, blocking unless the descriptor is non-blocking. 1: here it is, the caller
 * releases it. 0: the other side closed, in good order. -1: error; ERR_NOW when a non-blocking
 * descriptor has nothing yet, otherwise the peer broke the form. */
int frame_receive(int fd, struct frame *frame, struct err *err);
void frame_release(struct frame *frame);

#endif
