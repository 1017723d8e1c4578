#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "worker/packet.h"

enum { SEND_PATIENCE_MS = 5000 };

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* True when a send that failed with errno may be tried again. */
static bool may_send_again(int fd)
{
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return false;
	struct pollfd waiting = {.fd = fd, .events = POLLOUT};
	int ready;
	do
		ready = poll(&waiting, 1, SEND_PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	errno = EAGAIN;
	return ready > 0;
}

int packet_send(int fd, struct view head, struct view body, int passed, struct err *err)
{
	struct iovec parts[2] = {
	    {.iov_base = (void *)(uintptr_t)head.data, .iov_len = head.len},
	    {.iov_base = (void *)(uintptr_t)body.data, .iov_len = body.len},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = body.len > 0 ? 2 : 1};
	union control control;
	if (passed >= 0) {
		memset(&control, 0, sizeof control);
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *item = CMSG_FIRSTHDR(&message);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof passed);
		memcpy(CMSG_DATA(item), &passed, sizeof passed);
	}
	for (;;) {
		if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (!may_send_again(fd))
			break;
	}
	const int why = errno;
	err_system(err, "cannot send to the process at the other end");
	if (why == EPIPE || why == ECONNRESET || why == ENOTCONN || why == EAGAIN)
		err->whom = ERR_PEER;
	return -1;
}

/* Takes every descriptor that came, for none may leak: the first goes to *first. Returns how many.
 */
static size_t collect_descriptors(struct msghdr *message, int *first)
{
	size_t count = 0;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
	     item = CMSG_NXTHDR(message, item)) {
		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		const size_t here = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
			if (count++ == 0)
				*first = fd;
			else
				close(fd);
		}
	}
	return count;
}

int packet_receive(int fd, void *out, size_t size, size_t *len, int *passed, struct err *err)
{
	struct iovec part = {.iov_base = out, .iov_len = size};
	union control control;
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	*passed = -1;
	ssize_t got;
	do
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return err_set(err, ERR_PEER, ERR_NOW, "nothing to receive yet");
	if (got < 0) {
		err_system(err, "cannot receive from the process at the other end");
		err->whom = ERR_PEER;
		return -1;
	}
	/* The control buffer has room for a second descriptor by its alignment. */
	const size_t descriptors = collect_descriptors(&message, passed);
	const char *fault = (message.msg_flags & MSG_TRUNC) != 0 ? "longer than any packet may be"
			    : (message.msg_flags & MSG_CTRUNC) != 0 || descriptors > 1
				? "with too many descriptors"
			    : got == 0 && descriptors > 0 ? "empty, but with a descriptor"
							  : NULL;
	if (fault == NULL) {
		*len = (size_t)got;
		return got == 0 ? 0 : 1;
	}
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	return err_set(err, ERR_PEER, ERR_NEVER, "a packet %s", fault);
}
