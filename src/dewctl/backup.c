/* dewctl backup FILE */
#include "config.h"

#include <unistd.h>

#include "dewctl/ctl.h"
#include "dewctl/passphrase.h"
#include "dewctl/verbs.h"

/* First, so that the copy knows its own time: a restore says from when on something may be missing. */
static int note(struct ctl *ctl, const char *event, const char *path, struct err *err)
{
	if (store_begin(ctl->store, err) < 0)
		return -1;
	return ctl_end(ctl, ctl_audit(ctl, event, path, err, "online copy"), err);
}

static int run_backup(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *path = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	if (access(path, F_OK) == 0)
		return ctl_refuse(err, "%s exists: name a new file", path);
	if (note(ctl, "store.backup", path, err) < 0)
		return -1;
	if (store_backup(ctl->store, path, err) < 0) {
		struct err unnoted;
		ctl_explain_owner(ctl, err);
		if (note(ctl, "store.backup-failed", path, &unnoted) < 0)
			ctl_warn("%s", unnoted.text);
		return -1;
	}
	ctl_say("The store is copied to %s.", path);
	ctl_say("The gateway's secret key is not in it, nor is the passphrase of that key; without "
		"both nobody can");
	ctl_say("read the texts in it. Keep a copy of %s/gnupg as well, in a safe place,",
	    ctl->config.state);
	if (ctl_passphrase_path(ctl)[0] != '\0')
		ctl_say("and, apart from both, one of %s.", ctl_passphrase_path(ctl));
	else
		ctl_say("and, apart from both, the passphrase, if it has one.");
	return 0;
}

const struct ctl_verb backup_verbs[] = {
    {"", "FILE", 1, 1, false, NULL, "Copies the store while everything runs",
	"FILE must not exist. To go back to it: stop dewlined, then dewctl restore FILE.\n",
	run_backup},
    {0},
};
