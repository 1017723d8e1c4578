#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "peer/smarthost.h"

enum { READ_STEP = 128 * 1024, SECOND_MS = 1000 };

static const size_t in_max = (size_t)1024 * 1024 * 1024;

static void watch(struct session *session, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = session}};
	if (events == session->events)
		return;
	session->events = events;
	epoll_ctl(session->server->epoll, EPOLL_CTL_MOD, session->fd, &event);
}

static void begin_tls(struct session *session)
{
	const struct server *server = session->server;
	if (gnutls_init(&session->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0 ||
	    gnutls_priority_set_direct(session->tls, server->priority, NULL) != 0 ||
	    gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE, server->credentials) != 0)
		abort();
	gnutls_transport_set_int(session->tls, session->fd);
	session->handshaking = true;
}

struct session *session_new(struct server *server, int fd)
{
	struct session *session = calloc(1, sizeof *session);
	if (session == NULL)
		abort();
	session->server = server;
	session->fd = fd;
	session->in = BUF_EMPTY(in_max);
	session->out = BUF_EMPTY(BUF_SMALL);
	session->recipients = calloc(RECIPIENTS_MAX, sizeof *session->recipients);
	if (session->recipients == NULL)
		abort();
	session->events = EPOLLIN;
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = session}};
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
	if (server->tls == TLS_TLS)
		begin_tls(session);
	else
		smtp_greet(session);
	return session;
}

void session_free(struct session *session)
{
	if (session->tls != NULL) {
		if (!session->dead && !session->handshaking)
			gnutls_bye(session->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(session->tls);
	}
	close(session->fd);
	buf_release(&session->in);
	buf_release(&session->out);
	free(session->recipients);
	free(session);
}

static void shake_hands(struct session *session)
{
	const int code = gnutls_handshake(session->tls);
	if (code == 0) {
		session->handshaking = false;
		if (session->server->tls == TLS_TLS)
			smtp_greet(session);
	} else if (gnutls_error_is_fatal(code)) {
		session->dead = true;
	}
}

/* Bytes sent, 0 when it would block; ends the session on an error. */
static size_t send_some(struct session *session, const char *data, size_t len)
{
	const ssize_t put = session->tls != NULL
				? gnutls_record_send(session->tls, data, len)
				: send(session->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (put >= 0)
		return (size_t)put;
	if (session->tls != NULL ? gnutls_error_is_fatal((int)put) != 0 : errno != EAGAIN)
		session->dead = true;
	return 0;
}

static bool has_output(const struct session *session)
{
	return session->out_from < session->out.len;
}

void session_write(struct session *session)
{
	while (has_output(session) && !session->dead && session->resume_at == 0) {
		size_t len = session->out.len - session->out_from;
		if (session->drip > 0) {
			len = 1;
			session->resume_at = clock_monotonic_ms() + SECOND_MS / session->drip + 1;
		}
		const size_t put = send_some(session, session->out.data + session->out_from, len);
		if (put == 0)
			return;
		session->out_from += put;
	}
	if (!has_output(session)) {
		buf_clear(&session->out);
		session->out_from = 0;
	}
}

/* Reads all there is, at most one step of it. False when nothing came. */
static bool read_input(struct session *session)
{
	char *room = buf_reserve(&session->in, READ_STEP);
	if (room == NULL) {
		session->dead = true;
		return false;
	}
	const ssize_t got = session->tls != NULL ? gnutls_record_recv(session->tls, room, READ_STEP)
						 : recv(session->fd, room, READ_STEP, MSG_DONTWAIT);
	if (got > 0) {
		buf_grown(&session->in, (size_t)got);
		return true;
	}
	const bool again =
	    session->tls != NULL ? gnutls_error_is_fatal((int)got) == 0 : errno == EAGAIN;
	if (got == 0 || !again)
		session->dead = true;
	return false;
}

static bool may_read(const struct session *session)
{
	return session->resume_at == 0 && !session->dead && !session->closing &&
	       !session->handshaking && !session->start_tls && !has_output(session);
}

static void move_on(struct session *session)
{
	session_write(session);
	if (session->start_tls && !has_output(session) && smtp_may_shake_hands(session)) {
		session->start_tls = false;
		begin_tls(session);
	}
	if (session->handshaking && !session->dead)
		shake_hands(session);
	session_write(session);
	/* TLS may hold more than one step of input without the socket being readable. */
	while (may_read(session) && read_input(session)) {
		smtp_input(session);
		session_write(session);
		if (session->tls == NULL)
			break;
	}
}

bool session_run(struct session *session)
{
	if (session->resume_at != 0) {
		if (clock_monotonic_ms() < session->resume_at) {
			watch(session, 0);
			return true;
		}
		session->resume_at = 0;
		smtp_input(session); /* what had come before the pause */
	}
	move_on(session);
	if (session->dead || (session->closing && !has_output(session)))
		return false;
	uint32_t events = has_output(session) ? EPOLLOUT : EPOLLIN;
	if (session->handshaking)
		events = gnutls_record_get_direction(session->tls) == 0 ? EPOLLIN : EPOLLOUT;
	watch(session, session->resume_at != 0 ? 0 : events);
	return true;
}

int64_t session_wakes(const struct session *session)
{
	return session->resume_at;
}
