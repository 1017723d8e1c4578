/* The parts that a sandbox is put together from; for sandbox.c alone. */
#ifndef DEWLINE_WORKER_SANDBOX_PARTS_H
#define DEWLINE_WORKER_SANDBOX_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum sandbox_access { ACCESS_READ, ACCESS_WRITE, ACCESS_RUN };

struct sandbox_path {
	enum sandbox_access access;
	char *path;
};

enum { SANDBOX_PATHS_MAX = 64, SANDBOX_PORTS_MAX = 8 };

struct sandbox_files {
	size_t path_count;
	struct sandbox_path paths[SANDBOX_PATHS_MAX];
	size_t port_count;
	uint16_t ports[SANDBOX_PORTS_MAX];
	bool abstract_sockets;
	bool programs_only; /* of all rights only that to execute is withheld */
};

/* The version of Landlock's interface that this kernel has, 0 without Landlock. */
int landlock_version(void);
/* Restricts this process to these paths and ports, as far as the kernel can. */
int landlock_enter(const struct sandbox_files *files, struct err *err);

/* Whether a filter may be set that ends a process. */
bool calls_are_filtered(void);
/* Restricts this process to what every process needs and to these groups. */
int calls_enter(unsigned groups, struct err *err);

#endif
