#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dewlined/notify.h"

static const char variable[] = "NOTIFY_SOCKET";

struct notify {
	struct sockaddr_un address;
	socklen_t len; /* 0: nobody listens */
};

struct notify *notify_new(void)
{
	struct notify *notify = calloc(1, sizeof *notify);
	if (notify == NULL)
		abort();
	const char *path = getenv(variable);
	const size_t len = path == NULL ? 0 : strlen(path);
	if (len > 1 && len < sizeof notify->address.sun_path &&
	    (path[0] == '/' || path[0] == '@')) {
		notify->address.sun_family = AF_UNIX;
		memcpy(notify->address.sun_path, path, len);
		if (path[0] == '@') /* an abstract name begins with a NUL */
			notify->address.sun_path[0] = '\0';
		notify->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	}
	unsetenv(variable);
	return notify;
}

void notify_free(struct notify *notify)
{
	free(notify);
}

bool notify_is_heard(const struct notify *notify)
{
	return notify->len != 0;
}

void notify_send(const struct notify *notify, const char *lines)
{
	if (notify->len == 0)
		return;
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	const ssize_t sent = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
	    (const struct sockaddr *)&notify->address, notify->len);
	(void)sent;
	close(fd);
}
