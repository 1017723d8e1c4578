#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "courier/socket.h"
#include "courier/stream.h"

enum {
	WAITING_MAX = 64 * 1024, /* bytes kept until libetpan reads; more goes out at once */
	MAIL_BUFFER = 8 * 1024,
	FAILURE_SIZE = 128,
};

struct stream {
	int fd;
	struct tls *tls; /* NULL: plain */
	int64_t deadline;
	size_t reply_left; /* bytes the server may still say in this step */
	struct buf waiting;
	uint64_t accepted;
	uint64_t sent;
	bool timed_out;
	bool broken; /* nothing can be sent any more */
	bool has_ahead; /* stream_wait had to read this to know that there is something */
	char ahead;
	char failure[FAILURE_SIZE];
};

static void fail(struct stream *stream, const char *reason)
{
	/* The first failure is the cause of all later ones. */
	if (stream->failure[0] == '\0')
		snprintf(stream->failure, sizeof stream->failure, "%s", reason);
}

static const char closed[] = "closed by the server";

static void fail_errno(struct stream *stream)
{
	const bool reset = errno == ECONNRESET || errno == EPIPE;
	const char *reason = reset ? "" : strerror(errno);
	if (errno == EPROTO && stream->tls != NULL)
		reason = tls_failure(stream->tls);
	fail(stream, reason[0] == '\0' ? closed : reason);
}

static bool must_wait(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool wait_more(struct stream *stream, short events)
{
	if (stream->tls != NULL)
		events = tls_wants(stream->tls);
	if (socket_wait(stream->fd, events, stream->deadline))
		return true;
	stream->timed_out = true;
	fail(stream, "timed out");
	return false;
}

static int send_all(struct stream *stream, const char *data, size_t len)
{
	while (len > 0 && !stream->broken) {
		const ssize_t put = stream->tls != NULL ? tls_write(stream->tls, data, len)
							: send(stream->fd, data, len, MSG_NOSIGNAL);
		if (put > 0) {
			stream->sent += (uint64_t)put;
			data += put;
			len -= (size_t)put;
		} else if (put < 0 && must_wait()) {
			stream->broken = !wait_more(stream, POLLOUT);
		} else {
			stream->broken = true;
			fail_errno(stream);
		}
	}
	return stream->broken ? -1 : 0;
}

int stream_push(struct stream *stream)
{
	const int result = send_all(stream, buf_text(&stream->waiting), stream->waiting.len);
	buf_clear(&stream->waiting);
	return result;
}

static ssize_t stream_write(mailstream_low *low, const void *data, size_t len)
{
	struct stream *stream = low->data;
	if (stream->broken)
		return -1;
	stream->accepted += len;
	if (len <= WAITING_MAX - stream->waiting.len) {
		buf_add(&stream->waiting, data, len);
		return (ssize_t)len;
	}
	if (stream_push(stream) != 0 || send_all(stream, data, len) != 0)
		return -1;
	return (ssize_t)len;
}

static ssize_t read_once(struct stream *stream, void *data, size_t len)
{
	if (stream->has_ahead) {
		memcpy(data, &stream->ahead, 1);
		stream->has_ahead = false;
		return 1;
	}
	return stream->tls != NULL ? tls_read(stream->tls, data, len)
				   : recv(stream->fd, data, len, 0);
}

/* A server that refuses a message may answer and close while we still send: after a failed write
 * whatever it said is read all the same, without waiting. */
static ssize_t stream_read(mailstream_low *low, void *data, size_t len)
{
	struct stream *stream = low->data;
	stream_push(stream);
	if (len > stream->reply_left)
		len = stream->reply_left;
	if (len == 0) {
		fail(stream, "the server's reply does not end");
		return -1;
	}
	for (;;) {
		const ssize_t got = read_once(stream, data, len);
		if (got > 0) {
			stream->reply_left -= (size_t)got;
			return got;
		}
		if (got == 0) {
			fail(stream, closed);
			return -1;
		}
		if (!must_wait()) {
			fail_errno(stream);
			return -1;
		}
		if (stream->broken || !wait_more(stream, POLLIN))
			return -1;
	}
}

/* The socket belongs to `struct stream`: libetpan closes its streams at times of its own. */
static int stream_close_low(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int stream_fd(mailstream_low *low)
{
	const struct stream *stream = low->data;
	return stream->fd;
}

static void stream_free_low(mailstream_low *low)
{
	free(low);
}

/* Not const, because libetpan's types are not; never written. */
static mailstream_low_driver stream_driver = {
    .mailstream_read = stream_read,
    .mailstream_write = stream_write,
    .mailstream_close = stream_close_low,
    .mailstream_get_fd = stream_fd,
    .mailstream_free = stream_free_low,
};

int stream_open(
    const char *host, uint16_t port, int64_t connect_ms, struct stream **out, struct err *err)
{
	int fd = -1;
	if (socket_open(host, port, connect_ms, &fd, err) != 0)
		return -1;
	struct stream *stream = calloc(1, sizeof *stream);
	if (stream == NULL)
		abort();
	stream->fd = fd;
	stream->waiting = BUF_EMPTY(WAITING_MAX);
	*out = stream;
	return 0;
}

void stream_free(struct stream *stream)
{
	if (stream == NULL)
		return;
	stream->deadline = clock_monotonic_ms();
	stream_push(stream);
	tls_free(stream->tls);
	close(stream->fd);
	buf_release(&stream->waiting);
	free(stream);
}

mailstream *stream_mail(struct stream *stream)
{
	mailstream_low *low = mailstream_low_new(stream, &stream_driver);
	mailstream *mail = low == NULL ? NULL : mailstream_new(low, MAIL_BUFFER);
	if (mail == NULL)
		abort();
	return mail;
}

void stream_begin_step(struct stream *stream, int64_t deadline)
{
	stream_begin_reply(stream, deadline, STREAM_REPLY_MAX);
}

void stream_begin_reply(struct stream *stream, int64_t deadline, size_t most)
{
	stream->deadline = deadline;
	stream->reply_left = most;
}

/* A TLS record that is readable may hold nothing for us (a session ticket, a new key): only reading
 * tells. */
bool stream_says(struct stream *stream)
{
	if (stream->has_ahead)
		return true;
	const ssize_t got = read_once(stream, &stream->ahead, 1);
	stream->has_ahead = got == 1;
	return got >= 0 || !must_wait();
}

enum stream_event stream_wait(struct stream *stream, int other, int64_t deadline)
{
	stream_push(stream);
	for (;;) {
		if (stream_says(stream))
			return STREAM_SAYS;
		struct pollfd both[] = {
		    {.fd = stream->fd,
			.events = stream->tls != NULL ? tls_wants(stream->tls) : (short)POLLIN},
		    {.fd = other, .events = POLLIN}};
		const int64_t left = deadline - clock_monotonic_ms();
		if (left <= 0)
			return STREAM_TIMEOUT;
		poll(both, 2, left > INT32_MAX ? INT32_MAX : (int)left);
		if (both[1].revents != 0)
			return STREAM_OTHER;
	}
}

int stream_start_tls(
    struct stream *stream, const struct tls_trust *trust, const char *host, struct err *err)
{
	return tls_connect(stream->fd, host, trust, stream->deadline, &stream->tls, err);
}

bool stream_is_encrypted(const struct stream *stream)
{
	return stream->tls != NULL;
}

void stream_describe(const struct stream *stream, struct buf *out)
{
	if (stream->tls != NULL)
		tls_describe(stream->tls, out);
	else
		buf_add_text(out, "no TLS");
}

bool stream_is_stale(struct stream *stream)
{
	char byte;
	const ssize_t got = stream->tls != NULL ? tls_read(stream->tls, &byte, 1)
						: recv(stream->fd, &byte, 1, MSG_DONTWAIT);
	return stream->broken || got >= 0 || !must_wait();
}

uint64_t stream_accepted(const struct stream *stream)
{
	return stream->accepted;
}

uint64_t stream_sent(const struct stream *stream)
{
	return stream->sent;
}

const char *stream_failure(const struct stream *stream)
{
	return stream->failure[0] == '\0' ? "broke" : stream->failure;
}

bool stream_timed_out(const struct stream *stream)
{
	return stream->timed_out;
}
