/* gpg-agent of the main home, and how a shard's gpg comes to it. Internal. */
#ifndef DEWLINE_PGP_AGENT_H
#define DEWLINE_PGP_AGENT_H

#include <stdbool.h>

#include "base/err.h"

enum {
	AGENT_SOCKET_SIZE = 108, /* of sun_path (unix(7)) */
	/* A home's path may be this long, for the longest socket name still to fit behind it. */
	AGENT_HOME_MAX = AGENT_SOCKET_SIZE - (int)sizeof "/S.gpg-agent.browser",
};

/* Makes sure that an agent of `main_home` answers, starting one where none does. gpg in a shard
 * cannot do that. */
int agent_ensure(const char *main_home, struct err *err);

/* Makes gpg that runs in `shard` use the agent of `main_home`, by a plain file in the place of the
 * shard's socket. The file is put into `dir`, which is the shard or what is renamed to it later. */
int agent_redirect(const char *main_home, const char *shard, const char *dir, struct err *err);

/* Both, for a shard that is about to be used: logins and logouts may have moved the sockets. */
int agent_join(const char *main_home, const char *shard, struct err *err);

/* Whether an agent of a home answers. */
bool agent_is_there(const char *home);

/* Ends the agent of a home, if one runs, and waits until it is gone: the next one, with another
 * passphrase perhaps, must not meet it. */
void agent_stop(const char *home);

#endif
