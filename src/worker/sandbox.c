#include "config.h"

#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/log.h"
#include "config/secret.h"
#include "worker/sandbox.h"
#include "worker/sandbox_parts.h"

enum {
	LIMITS_MAX = 8,
	LANDLOCK_LEAST = 2, /* moving files between directories, which version 1 always forbids */
};

struct sandbox {
	const char *who;
	const struct config *config;
	unsigned groups;
	struct sandbox_files files;
	size_t limit_count;
	struct {
		int resource;
		uint64_t most;
	} limits[LIMITS_MAX];
};

struct sandbox *sandbox_new(const char *who, const struct config *config)
{
	struct sandbox *sandbox = calloc(1, sizeof *sandbox);
	if (sandbox == NULL)
		abort();
	sandbox->who = who;
	sandbox->config = config;
	return sandbox;
}

static void sandbox_free(struct sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->files.path_count; i++)
		free(sandbox->files.paths[i].path);
	free(sandbox);
}

static void add_path(struct sandbox *sandbox, enum sandbox_access access, struct view path)
{
	struct sandbox_files *files = &sandbox->files;
	if (path.len == 0)
		return;
	if (files->path_count == SANDBOX_PATHS_MAX)
		abort();
	char *copy = strndup(path.data, path.len);
	if (copy == NULL)
		abort();
	files->paths[files->path_count++] = (struct sandbox_path){access, copy};
}

void sandbox_read(struct sandbox *sandbox, const char *path)
{
	add_path(sandbox, ACCESS_READ, view_of(path));
}

void sandbox_write(struct sandbox *sandbox, const char *path)
{
	add_path(sandbox, ACCESS_WRITE, view_of(path));
}

void sandbox_run(struct sandbox *sandbox, const char *path)
{
	add_path(sandbox, ACCESS_RUN, view_of(path));
}

static void add_list(struct sandbox *sandbox, enum sandbox_access access, const char *list)
{
	struct view rest = view_of(list);
	struct view path;
	while (view_next_field(&rest, ':', &path))
		add_path(sandbox, access, path);
}

static bool is_within(const char *path, const char *directory)
{
	const size_t len = strlen(directory);
	return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Whether a process that may read one file of a directory must not read the others. */
static bool is_shared(const struct config *config, const char *directory)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	return strcmp(directory, "/") == 0 || strcmp(directory, ".") == 0 ||
	       strcmp(directory, "/etc") == 0 || strcmp(directory, "/tmp") == 0 ||
	       is_within(config->state, directory) || is_within(directory, config->state) ||
	       is_within(config->drop, directory) || is_within(directory, config->drop) ||
	       (credentials != NULL && is_within(directory, credentials));
}

void sandbox_read_renewed(struct sandbox *sandbox, const char *file)
{
	char copy[CONFIG_PATH_SIZE];
	if (file[0] == '\0' || snprintf(copy, sizeof copy, "%s", file) >= (int)sizeof copy)
		return;
	const char *directory = dirname(copy);
	sandbox_read(sandbox, is_shared(sandbox->config, directory) ? file : directory);
}

void sandbox_read_secret(struct sandbox *sandbox, const char *name, const char *setting)
{
	char place[CONFIG_PATH_SIZE];
	secret_place(name, setting, place);
	if (!secret_is_credential(view_of(place)))
		sandbox_read_renewed(sandbox, place);
}

void sandbox_system(struct sandbox *sandbox)
{
	static const char *const readable[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64",
	    "/usr/local/lib", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
	    "/usr/share/zoneinfo", "/etc/gcrypt", "/proc/sys/crypto", "/dev/random",
	    "/dev/urandom"};
	for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++)
		sandbox_read(sandbox, readable[i]);
	sandbox_write(sandbox, "/dev/null");
	add_list(sandbox, ACCESS_RUN, sandbox->config->sandbox_read);
	add_list(sandbox, ACCESS_WRITE, sandbox->config->sandbox_write);
	if (sandbox->config->sandbox_write[0] != '\0')
		sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES);
}

void sandbox_connect(struct sandbox *sandbox, int64_t port)
{
	struct sandbox_files *files = &sandbox->files;
	if (port <= 0 || port > UINT16_MAX)
		return;
	if (files->port_count == SANDBOX_PORTS_MAX)
		abort();
	files->ports[files->port_count++] = (uint16_t)port;
}

void sandbox_abstract_sockets(struct sandbox *sandbox)
{
	sandbox->files.abstract_sockets = true;
}

void sandbox_allow(struct sandbox *sandbox, unsigned groups)
{
	sandbox->groups |= groups;
}

void sandbox_limit(struct sandbox *sandbox, int resource, uint64_t most)
{
	if (sandbox->limit_count == LIMITS_MAX)
		abort();
	sandbox->limits[sandbox->limit_count].resource = resource;
	sandbox->limits[sandbox->limit_count++].most = most;
}

static int enter_limits(const struct sandbox *sandbox, struct err *err)
{
	for (size_t i = 0; i < sandbox->limit_count; i++) {
		const __rlimit_resource_t resource =
		    (__rlimit_resource_t)sandbox->limits[i].resource;
		struct rlimit limit;
#ifdef DEWLINE_SANITIZED /* its shadow of all memory is larger than any bound */
		if (resource == RLIMIT_AS || resource == RLIMIT_DATA)
			continue;
#endif
		if (getrlimit(resource, &limit) != 0)
			return err_system(err, "cannot ask for a limit");
		if (limit.rlim_max > sandbox->limits[i].most)
			limit.rlim_max = sandbox->limits[i].most;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(resource, &limit) != 0)
			return err_system(err, "cannot set a limit");
	}
	return 0;
}

#ifdef DEWLINE_SANITIZED
static int enter_kernel(const struct sandbox *sandbox, struct err *err)
{
	(void)sandbox;
	(void)err;
	return 0;
}
#else
static int enter_kernel(const struct sandbox *sandbox, struct err *err)
{
	const bool relaxed = sandbox->config->sandbox == CONFIG_SANDBOX_RELAXED;
	const bool landlock = landlock_version() >= LANDLOCK_LEAST;
	const bool seccomp = calls_are_filtered();
	if (!relaxed && sandbox_check(sandbox->config, err) != 0)
		return -1;
	if (landlock && landlock_enter(&sandbox->files, err) != 0)
		return -1;
	return seccomp ? calls_enter(sandbox->groups, err) : 0;
}
#endif

int sandbox_enter(struct sandbox *sandbox, struct err *err)
{
	int result = enter_limits(sandbox, err);
	if (result == 0)
		result = enter_kernel(sandbox, err);
	if (result != 0)
		err_prefix(err, "the sandbox of %s", sandbox->who);
	sandbox_free(sandbox);
	return result;
}

int sandbox_enter_programs(struct sandbox *sandbox, struct err *err)
{
	int result = 0;
	sandbox->files.programs_only = true;
	sandbox_write(sandbox, "/"); /* where files may be moved */
#ifndef DEWLINE_SANITIZED
	if (landlock_version() >= LANDLOCK_LEAST)
		result = landlock_enter(&sandbox->files, err);
#endif
	if (result != 0)
		err_prefix(err, "the sandbox of %s", sandbox->who);
	sandbox_free(sandbox);
	return result;
}

bool sandbox_is_missing(char what[static SANDBOX_MISSING_SIZE])
{
	const bool landlock = landlock_version() >= LANDLOCK_LEAST;
	const bool seccomp = calls_are_filtered();
	snprintf(what, SANDBOX_MISSING_SIZE, "%s%s%s",
	    landlock
		? ""
		: "Landlock (Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK, and \"landlock\" "
		  "in the list of the boot parameter lsm=)",
	    landlock || seccomp ? "" : " and ",
	    seccomp ? "" : "seccomp filters (CONFIG_SECCOMP_FILTER)");
	return !landlock || !seccomp;
}

int sandbox_check(const struct config *config, struct err *err)
{
	char what[SANDBOX_MISSING_SIZE];
#ifdef DEWLINE_SANITIZED
	log_warning("built with sanitizers: processes run without their sandboxes");
#endif
	if (!sandbox_is_missing(what))
		return 0;
	if (config->sandbox != CONFIG_SANDBOX_RELAXED)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "this kernel does not offer %s, and without it a process that falls into an "
		    "attacker's hands is not held back; sandbox = \"relaxed\" does without it",
		    what);
	log_warning(
	    "sandbox = \"relaxed\": THE GATEWAY RUNS WITHOUT %s, which this kernel does not "
	    "offer: a process that falls into an attacker's hands is not held back",
	    what);
	return 0;
}

void sandbox_explain(const char *who, long pid, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_error("%s %ld was stopped by its sandbox (SIGSYS): it made a system call that "
			  "it has no need of",
		    who, pid);
}
