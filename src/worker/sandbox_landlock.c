#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox_parts.h"

/* Landlock (landlock(7)): the kernel tells the version of its interface, and each version adds
 * rights that can be withheld. All that the kernel knows are withheld, but for what the rules give
 * back. Headers may be older than the kernel, so what came after version 1 is defined here. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* version 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* version 3 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0) /* version 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* version 5 */
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* version 6 */
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif
#ifndef LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON
#define LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON (1U << 1) /* version 7 */
#endif

enum {
	VERSION_TRUNCATE = 3,
	VERSION_NET = 4,
	VERSION_IOCTL = 5,
	VERSION_SCOPE = 6,
	VERSION_LOG = 7,
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT = 2,
};

/* As of version 6; older kernels take the front of it. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scopes;
};

struct net_port {
	uint64_t access;
	uint64_t port;
};

static const uint64_t on_files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
				 LANDLOCK_ACCESS_FS_IOCTL_DEV;

/* Every right of version 2. */
static const uint64_t basic = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;

static const uint64_t rights[] = {
    [ACCESS_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [ACCESS_RUN] =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE,
    [ACCESS_WRITE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		     LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
		     LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
		     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK,
};

int landlock_version(void)
{
	const long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return version < 0 ? 0 : (int)version;
}

static struct ruleset withheld(int version, const struct sandbox_files *files)
{
	struct ruleset ruleset = {.fs = basic};
	/* Moving files between directories is withheld by each domain that does not speak of it. */
	if (files->programs_only)
		return (struct ruleset){
		    .fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REFER};
	if (version >= VERSION_TRUNCATE)
		ruleset.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= VERSION_NET)
		ruleset.net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (version >= VERSION_IOCTL)
		ruleset.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (version >= VERSION_SCOPE)
		ruleset.scopes =
		    LANDLOCK_SCOPE_SIGNAL |
		    (files->abstract_sockets ? 0 : LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET);
	return ruleset;
}

static size_t ruleset_size(int version)
{
	return version >= VERSION_SCOPE ? sizeof(struct ruleset)
	       : version >= VERSION_NET ? offsetof(struct ruleset, scopes)
					: offsetof(struct ruleset, net);
}

static int add_path(int set, const struct sandbox_path *path, uint64_t handled, struct err *err)
{
	struct stat about;
	struct landlock_path_beneath_attr rule = {
	    .parent_fd = open(path->path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0) /* not there, or closed to us: then there is nothing to allow */
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			   ? 0
			   : err_system(err, "cannot open %s", path->path);
	int result = 0;
	if (fstat(rule.parent_fd, &about) == 0) {
		rule.allowed_access = rights[path->access] & handled;
		if (!S_ISDIR(about.st_mode))
			rule.allowed_access &= on_files;
		if (rule.allowed_access != 0 &&
		    syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &rule, 0) != 0)
			result = err_system(err, "cannot allow %s", path->path);
	}
	close(rule.parent_fd);
	return result;
}

static int add_port(int set, uint16_t port, struct err *err)
{
	const struct net_port rule = {.access = LANDLOCK_ACCESS_NET_CONNECT_TCP, .port = port};
	return syscall(SYS_landlock_add_rule, set, RULE_NET_PORT, &rule, 0) == 0
		   ? 0
		   : err_system(err, "cannot allow port %u", (unsigned)port);
}

int landlock_enter(const struct sandbox_files *files, struct err *err)
{
	const int version = landlock_version();
	const struct ruleset ruleset = withheld(version, files);
	const unsigned flags = version >= VERSION_LOG ? LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON : 0;
	int result = 0;
	const int set =
	    (int)syscall(SYS_landlock_create_ruleset, &ruleset, ruleset_size(version), 0);
	if (set < 0)
		return err_system(err, "cannot make a set of Landlock rules");
	for (size_t i = 0; i < files->path_count && result == 0; i++)
		result = add_path(set, &files->paths[i], ruleset.fs, err);
	for (size_t i = 0; i < files->port_count && result == 0 && version >= VERSION_NET; i++)
		result = add_port(set, files->ports[i], err);
	if (result == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			       syscall(SYS_landlock_restrict_self, set, flags) != 0))
		result = err_system(err, "cannot enter a Landlock domain");
	close(set);
	return result;
}
