#include "config.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/user.h"

enum { CAPABILITIES_MAX = 64 };

int user_find(const char *name, uid_t *uid, gid_t *gid, struct err *err)
{
	errno = 0;
	const struct passwd *user = getpwnam(name);
	if (user == NULL && errno != 0)
		return err_system(err, "cannot look for the user %s", name);
	if (user == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the system knows no user %s", name);
	if (user->pw_uid == 0)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the user %s is root itself", name);
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return 0;
}

/* Whether this process has, or could take, any capability. */
static bool has_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capget, &head, data) != 0)
		return true;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (data[i].effective != 0 || data[i].permitted != 0)
			return true;
	}
	return false;
}

int user_become(const char *name, struct err *err)
{
	uid_t uid;
	gid_t gid;
	if (user_find(name, &uid, &gid, err) != 0)
		return -1;
	/* Those that this kernel does not know are refused, and so is all where we lack the right.
	 */
	for (unsigned long i = 0; i < CAPABILITIES_MAX; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return err_system(err, "cannot become the user %s", name);
	if (setresuid(0, 0, 0) == 0 || setuid(0) == 0 || has_capabilities())
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the rights of root are still there after becoming %s", name);
	return 0;
}
