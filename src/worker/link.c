#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/link.h"

enum {
	CONNECT_S = 5, /* for the other service to take one more */
	END_MS = 3000, /* from the word that it is over to the end of the process there */
};

struct link {
	LIST_ENTRY(link) entry;
	int64_t number;
	int fd;
};

struct links {
	struct sockaddr_un address;
	int64_t last;
	LIST_HEAD(, link) list;
};

struct links *links_new(const char *path)
{
	struct links *links = calloc(1, sizeof *links);
	if (links == NULL)
		abort();
	links->address.sun_family = AF_UNIX;
	if (!view_copy(view_of(path), links->address.sun_path, sizeof links->address.sun_path))
		abort(); /* the configuration's bound */
	links->last = LINK_NUMBERS;
	LIST_INIT(&links->list);
	return links;
}

bool link_is_ours(int fd, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
		err_system(err, "cannot see who is at the other end");
		return false;
	}
	if (peer.uid == geteuid() || peer.uid == 0)
		return true;
	err_set(err, ERR_DAEMON, ERR_LATER, "user %u is at the other end, not user %u",
	    (unsigned)peer.uid, (unsigned)geteuid());
	return false;
}

static int open_socket(const struct sockaddr_un *address, struct err *err)
{
	const struct timeval patience = {.tv_sec = CONNECT_S};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_system(err, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
		err_system(err, "cannot connect to %s", address->sun_path);
	else if (!link_is_ours(fd, err))
		err_prefix(err, "%s", address->sun_path);
	else
		return fd;
	close(fd);
	return -1;
}

int link_start(struct links *links, int64_t *number, int *fd, struct err *err)
{
	const int connected = open_socket(&links->address, err);
	if (connected < 0)
		return -1;
	*fd = fcntl(connected, F_DUPFD_CLOEXEC, 0);
	if (*fd < 0) {
		err_system(err, "cannot use a socket twice");
		close(connected);
		return -1;
	}
	struct link *link = calloc(1, sizeof *link);
	if (link == NULL)
		abort();
	link->fd = connected;
	link->number = *number = ++links->last;
	LIST_INSERT_HEAD(&links->list, link, entry);
	return 0;
}

/* True once the other side has closed. What it sent before that is nobody's any more. */
static bool wait_for_end(int fd)
{
	const int64_t until = clock_monotonic_ms() + END_MS;
	struct pollfd ended = {.fd = fd, .events = 0}; /* POLLHUP is always told */
	int64_t left;
	while ((left = until - clock_monotonic_ms()) > 0) {
		const int ready = poll(&ended, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static void end(struct link *link)
{
	shutdown(link->fd, SHUT_WR);
	if (!wait_for_end(link->fd))
		log_error("a worker of another service was told to end and has not, for %d s: what "
			  "it is sending may be sent twice",
		    END_MS / 1000);
	close(link->fd);
	LIST_REMOVE(link, entry);
	free(link);
}

bool link_end(struct links *links, int64_t number)
{
	struct link *link;
	LIST_FOREACH(link, &links->list, entry)
	{
		if (link->number == number) {
			end(link);
			return true;
		}
	}
	return false;
}

void links_free(struct links *links)
{
	struct link *link;
	if (links == NULL)
		return;
	/* All at once first: one that hangs must not let the others go on. */
	LIST_FOREACH(link, &links->list, entry)
	shutdown(link->fd, SHUT_WR);
	while ((link = LIST_FIRST(&links->list)) != NULL)
		end(link);
	free(links);
}
