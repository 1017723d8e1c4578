#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "courier/socket.h"

enum {
	PORT_TEXT_SIZE = 8,
	/* Where nothing is said for long, a peer that is gone shows after two minutes. */
	SILENCE_S = 60,
	PROBE_S = 15,
	PROBES = 4,
};

bool socket_wait(int fd, short events, int64_t deadline)
{
	struct pollfd one = {.fd = fd, .events = events};
	for (;;) {
		const int64_t left = deadline - clock_monotonic_ms();
		const int ready = poll(&one, 1,
		    left <= 0	       ? 0
		    : left > INT32_MAX ? INT32_MAX
				       : (int)left);
		if (ready > 0)
			return true;
		if (left <= 0)
			return false;
	}
}

static void set_options(int fd)
{
	const int one = 1;
	const int silence = SILENCE_S;
	const int pause = PROBE_S;
	const int probes = PROBES;
	/* Without it every small packet waits for the other side's delayed acknowledgment. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &silence, sizeof silence);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/* 0, or the errno of the failure. */
static int connect_until(int fd, const struct addrinfo *where, int64_t deadline)
{
	if (connect(fd, where->ai_addr, where->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!socket_wait(fd, POLLOUT, deadline))
		return ETIMEDOUT;
	int failure = 0;
	socklen_t len = sizeof failure;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
		return errno;
	return failure;
}

static int connect_one(const struct addrinfo *where, int64_t connect_ms, int *out)
{
	const int fd = socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    where->ai_protocol);
	if (fd < 0)
		return errno;
	set_options(fd);
	const int failure = connect_until(fd, where, clock_monotonic_ms() + connect_ms);
	if (failure != 0)
		close(fd);
	else
		*out = fd;
	return failure;
}

int socket_open(const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err)
{
	static const char forbidden[] =
	    " (a firewall on this machine, or IPAddressAllow= of dewline-courier@.service)";
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char port_text[PORT_TEXT_SIZE];
	snprintf(port_text, sizeof port_text, "%u", (unsigned)port);
	const int code = getaddrinfo(host, port_text, &hints, &found);
	if (code != 0)
		return err_set(err, ERR_PEER, ERR_LATER, "cannot find the address of %s: %s", host,
		    code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
	int failure = EADDRNOTAVAIL;
	for (const struct addrinfo *where = found; where != NULL; where = where->ai_next) {
		failure = connect_one(where, connect_ms, fd);
		if (failure == 0)
			break;
	}
	freeaddrinfo(found);
	if (failure != 0)
		return err_set(err, ERR_PEER, ERR_LATER, "cannot connect to %s port %u: %s%s", host,
		    (unsigned)port, strerror(failure), failure == EPERM ? forbidden : "");
	return 0;
}
