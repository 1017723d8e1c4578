/* The connection to a mail server: a socket, plain or with TLS, under a libetpan stream.
 *
 * What libetpan writes is kept until it wants to read, so that a step of the dialogue is one
 * packet; TCP_NODELAY is set. Every step has one deadline, over all reading and writing that it
 * takes, and a bound on what the server may say. The end of the stream is an error to libetpan,
 * which would otherwise take half a line for a whole one. */
#ifndef DEWLINE_COURIER_STREAM_H
#define DEWLINE_COURIER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <libetpan/mailstream.h>

#include "base/buf.h"
#include "base/err.h"
#include "courier/tls.h"

struct stream;

/* Resolves host (a name or an address) and tries each of its addresses, connect_ms milliseconds at
 * most for each. On failure err (ERR_PEER) says host, port and the last reason. */
int stream_open(
    const char *host, uint16_t port, int64_t connect_ms, struct stream **out, struct err *err);

/* Sends what is waiting as far as that goes at once, ends TLS, closes and frees. NULL is harmless.
 * A libetpan stream on top must have been closed before. */
void stream_free(struct stream *stream);

/* A new libetpan stream on top of this one; mailstream_close frees it and leaves `stream` open. */
mailstream *stream_mail(struct stream *stream);

/* Begins a step: everything until the next call must be over at `deadline` (clock_monotonic_ms),
 * and the server may send STREAM_REPLY_MAX bytes. */
enum { STREAM_REPLY_MAX = 64 * 1024 };
void stream_begin_step(struct stream *stream, int64_t deadline);
/* The same with another bound, in bytes. */
void stream_begin_reply(struct stream *stream, int64_t deadline, size_t most);

/* Waits, between two steps, until the server says something or the connection breaks, `other` (a
 * descriptor of the caller's) is readable or hung up, or `deadline` has come. What libetpan has
 * read already is not seen here. */
enum stream_event { STREAM_SAYS, STREAM_OTHER, STREAM_TIMEOUT };
enum stream_event stream_wait(struct stream *stream, int other, int64_t deadline);

/* True when the server has said something that libetpan has not read yet, or the connection broke.
 * Nothing is sent, and nothing lost. */
bool stream_says(struct stream *stream);

/* Shakes hands and verifies the server; from then on everything is encrypted. */
int stream_start_tls(
    struct stream *stream, const struct tls_trust *trust, const char *host, struct err *err);
bool stream_is_encrypted(const struct stream *stream);
/* Appends what tls_describe says, or "no TLS". */
void stream_describe(const struct stream *stream, struct buf *out);

/* Sends all that is waiting for libetpan to read. -1 when it cannot be sent. */
int stream_push(struct stream *stream);

/* True when the other side, while it should be silent, said something or closed. */
bool stream_is_stale(struct stream *stream);

/* Bytes taken from libetpan, and those of them that the kernel has taken (whole TLS records). */
uint64_t stream_accepted(const struct stream *stream);
uint64_t stream_sent(const struct stream *stream);

/* Why the last read or write failed: "timed out", "closed by the server", ... */
const char *stream_failure(const struct stream *stream);
/* Whether a step has passed its deadline. */
bool stream_timed_out(const struct stream *stream);

#endif
