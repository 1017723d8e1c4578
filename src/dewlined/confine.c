#include "config.h"

#include "dewlined/supervise.h"
#include "worker/sandbox.h"

/* The readers are its children, so it may not have less than they need until they are confined. */
int supervise_confine(const void *settings, struct err *err)
{
	const struct config *config = settings;
	struct sandbox *sandbox = sandbox_new("dewlined", config);
	sandbox_system(sandbox);
	sandbox_abstract_sockets(sandbox);
	sandbox_allow(
	    sandbox, CALLS_READ_FILES | CALLS_UNIX_SOCKETS | CALLS_WATCH | CALLS_FORK | CALLS_CODE);
	return sandbox_enter(sandbox, err);
}
