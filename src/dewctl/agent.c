#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dewctl/agent.h"

static bool answers(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true; /* unknown: then the agent is not ours to end */
	const bool connected = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	close(fd);
	return connected;
}

bool ctl_agent_is_running(const char *home)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char elsewhere[64];
	/* Where a user has a runtime directory GnuPG keeps the sockets there, under a hashed name:
	 * we do not look that up but leave such an agent alone. */
	snprintf(elsewhere, sizeof elsewhere, "/run/user/%u/gnupg", (unsigned)geteuid());
	if (access(elsewhere, F_OK) == 0)
		return true;
	const int len = snprintf(address.sun_path, sizeof address.sun_path, "%s/S.gpg-agent", home);
	return len < 0 || (size_t)len >= sizeof address.sun_path || answers(&address);
}
