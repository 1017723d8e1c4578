#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/user.h"
#include "dewlined/ready.h"

/* What conf/dewline.cfg begins with. */
static const char sample_address[] = "dewline@example.org";
static const char sample_list[] = "advisories@example.org";

enum { PART_SIZE = CONFIG_PATH_SIZE + 8 };

int ready_configuration(const struct config *config, struct err *err)
{
	const bool address = view_is_nocase(view_of(config->gateway.address), sample_address);
	const bool list = view_is_nocase(view_of(config->gateway.list), sample_list);
	if (!address && !list)
		return 0;
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "%s: %s is still \"%s\" of the sample: put an address of yours there, where mail for "
	    "the gateway arrives, and go through the other settings",
	    config->file, address ? "gateway.address" : "gateway.list",
	    address ? sample_address : sample_list);
}

static int refuse_user(const struct config *config, struct err *err)
{
	const struct err why = *err;
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "%s: user: %s: make that user, or put the owner of %s there", config->file, why.text,
	    config->state);
}

static int become(const struct config *config, struct err *err)
{
	if (config->user[0] != '\0')
		return user_become(config->user, err) == 0 ? 0 : refuse_user(config, err);
	log_warning("runs as root: give the state and the drop to a user of their own, and name it "
		    "in the setting user");
	return 0;
}

int ready_user(const struct config *config, struct err *err)
{
	uid_t uid;
	gid_t gid;
	if (geteuid() == 0)
		return become(config, err);
	if (config->user[0] == '\0')
		return 0;
	if (user_find(config->user, &uid, &gid, err) != 0)
		return refuse_user(config, err);
	return uid == geteuid() ? 0
				: err_set(err, ERR_DAEMON, ERR_NEVER,
				      "started as user %u, but the setting user is %s: start it as "
				      "that user, or as root",
				      (unsigned)geteuid(), config->user);
}

static int look_at_part(const struct config *config, const char *part, struct err *err)
{
	char path[PART_SIZE];
	snprintf(path, sizeof path, "%s/%s", config->drop, part);
	if (access(path, R_OK | W_OK | X_OK) == 0)
		return 0;
	const bool missing = errno == ENOENT;
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "the drop: %s cannot be read and written by user %u (%s): %s", path,
	    (unsigned)geteuid(), strerror(errno),
	    missing ? "make it, owned by the user of dewlined"
		    : "give the drop to the user of dewlined: chown -R, chmod u+rwx");
}

int ready_drop(const struct config *config, struct err *err)
{
	static const char *const others[] = {"cur", "tmp"};
	if (look_at_part(config, "new", err) != 0)
		return -1;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (look_at_part(config, others[i], err) != 0)
			log_warning("%s", err->text);
	}
	return 0;
}
