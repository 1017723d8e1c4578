#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "gate/gate.h"
#include "worker/sandbox.h"

enum { STORE_PATH_SIZE = CONFIG_PATH_SIZE + 16 };

/* The store's own files and not the state directory, for that holds the gateway's keys too. They
 * are open by now and stay so; SQLite makes no others, since what it sorts stays in memory. */
int gate_confine(const struct config *config, struct err *err)
{
	static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm", "store.mark"};
	struct sandbox *sandbox = sandbox_new("the gate", config);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[STORE_PATH_SIZE];
		snprintf(path, sizeof path, "%s/%s", config->state, files[i]);
		sandbox_write(sandbox, path);
	}
	sandbox_write(sandbox, config->drop);
	sandbox_system(sandbox);
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES | CALLS_WATCH);
	return sandbox_enter(sandbox, err);
}

int gate_confine_starter(const void *settings, struct err *err)
{
	const struct config *config = settings;
	struct sandbox *sandbox = sandbox_new("the starter of the gate", config);
	sandbox_write(sandbox, config->state);
	sandbox_write(sandbox, config->drop);
	sandbox_read(sandbox, CLOCK_BOOT_FILE);
	sandbox_system(sandbox);
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES | CALLS_WATCH | CALLS_FORK);
	return sandbox_enter(sandbox, err);
}
