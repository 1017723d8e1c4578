/* dewctl init: every step can be done twice, and the value "gateway" is set last, so that an
 * attempt which was interrupted is completed by the next one. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/user.h"
#include "dewctl/ctl.h"
#include "dewctl/find.h"
#include "dewctl/keyaddresses.h"
#include "dewctl/keypreferences.h"
#include "dewctl/passphrase.h"
#include "dewctl/verbs.h"
#include "pgp/preferences.h"

enum { PRIVATE_DIR = 0700, RETURN_PATH_KEY_SIZE = 32 };

/* As root, for the user that the configuration names: the two directories are made for it. */
static int make_dirs_of_user(const struct ctl *ctl, struct err *err)
{
	const char *const paths[] = {ctl->config.state, ctl->config.drop};
	uid_t uid;
	gid_t gid;
	if (geteuid() != 0 || ctl->config.user[0] == '\0')
		return 0;
	if (user_find(ctl->config.user, &uid, &gid, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (access(paths[i], F_OK) == 0)
			continue;
		if (file_make_dir(paths[i], PRIVATE_DIR, err) < 0)
			return -1;
		if (lchown(paths[i], uid, gid) != 0)
			return err_system(err, "cannot give %s to %s", paths[i], ctl->config.user);
	}
	return 0;
}

static int make_state_dir(struct ctl *ctl, struct err *err)
{
	struct stat state;
	const char *path = ctl->config.state;
	if (stat(path, &state) != 0 && errno == ENOENT) {
		if (file_make_dir(path, PRIVATE_DIR, err) < 0)
			return -1;
		return stat(path, &state) == 0 ? 0 : err_system(err, "%s", path);
	}
	if (ctl_become_owner(ctl, err) < 0)
		return -1;
	if (!S_ISDIR(state.st_mode))
		return ctl_refuse(
		    err, "%s is no directory: the setting `state` must name one", path);
	if (state.st_uid != geteuid())
		return ctl_refuse(err,
		    "%s belongs to somebody else: run dewctl as its owner, or with sudo", path);
	if ((state.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return ctl_refuse(
		    err, "%s is open to others: chmod 700 it, then run dewctl init again", path);
	return 0;
}

static int make_drop(const struct ctl *ctl, struct err *err)
{
	static const char *const parts[] = {"", "/tmp", "/new", "/cur"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char path[CTL_PATH_SIZE];
		snprintf(path, sizeof path, "%s%s", ctl->config.drop, parts[i]);
		if (access(path, F_OK) != 0 && file_make_dir(path, PRIVATE_DIR, err) < 0)
			return err_prefix(err, "the drop");
	}
	return 0;
}

/* Makes the store under another name first, so that a store.db is always a whole one. The daemon's
 * lock keeps two of us from doing it at once. */
static int make_store(struct ctl *ctl, const char *path, struct err *err)
{
	static const char *const leftovers[] = {"", "-wal", "-shm", "-journal"};
	char unfinished[CTL_PATH_SIZE];
	ctl_state_path(ctl, "store.new", unfinished);
	if (ctl_take_state(ctl, "the store is to be made", err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
		char leftover[CTL_PATH_SIZE + 16];
		snprintf(leftover, sizeof leftover, "%s%s", unfinished, leftovers[i]);
		unlink(leftover);
	}
	if (store_create(unfinished, err) < 0)
		return -1;
	if (rename(unfinished, path) != 0)
		return err_system(err, "cannot rename %s", unfinished);
	return file_sync_dir(ctl->config.state, err);
}

/* Opens the store, made where it is missing. */
static int open_store(struct ctl *ctl, struct err *err)
{
	char path[CTL_PATH_SIZE];
	char waiting[CTL_PATH_SIZE];
	ctl_state_path(ctl, "store.db.restored", waiting);
	ctl_state_path(ctl, "store.db", path);
	if (access(path, F_OK) != 0 && access(waiting, F_OK) != 0 && make_store(ctl, path, err) < 0)
		return -1;
	return store_open(path, &ctl->store, err);
}

static int set_random_value(struct ctl *ctl, const char *name, struct err *err)
{
	unsigned char key[RETURN_PATH_KEY_SIZE];
	struct buf known = BUF_EMPTY(BUF_SMALL);
	bool found;
	int status = store_value_get(ctl->store, name, &known, &found, err);
	if (status == 0 && !found) {
		random_bytes(key, sizeof key);
		status = store_value_set(
		    ctl->store, name, (struct view){(const char *)key, sizeof key}, err);
		explicit_bzero(key, sizeof key);
	}
	buf_release(&known);
	return status;
}

/* -- the key -- */

/* Whether there is a key: then it keeps the passphrase that it has. */
static bool has_key(const struct ctl *ctl)
{
	char path[CTL_PATH_SIZE];
	ctl_state_path(ctl, "gnupg/private-keys-v1.d", path);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* Stands beside the home while we make a key in it, and says of what is found there that we began it and
 * that nobody has it yet: of a key that was put there by somebody nothing of the kind is known. */
static const char making[] = "gnupg.making";

static bool is_unfinished(const struct ctl *ctl)
{
	char path[CTL_PATH_SIZE];
	ctl_state_path(ctl, making, path);
	return access(path, F_OK) == 0;
}

static int begin_key(const struct ctl *ctl, struct err *err)
{
	char path[CTL_PATH_SIZE];
	ctl_state_path(ctl, making, path);
	return file_write(path, VIEW("dewctl init is making the gateway's key\n"), 0600, err);
}

/* After the store has got the name of the key, which counts from there on. */
static void end_key(const struct ctl *ctl)
{
	char path[CTL_PATH_SIZE];
	ctl_state_path(ctl, making, path);
	unlink(path);
}

/* What a former attempt left half-made is not removed: it is for people to look at, or to throw away. */
static int set_aside(struct ctl *ctl, const char *why, struct err *err)
{
	char path[CTL_PATH_SIZE];
	char aside[CTL_PATH_SIZE];
	char name[64];
	snprintf(name, sizeof name, "gnupg.unfinished-%lld", (long long)ctl->now);
	ctl_state_path(ctl, "gnupg", path);
	ctl_state_path(ctl, name, aside);
	ctl_close_home(ctl);
	home_end_agent(path);
	if (rename(path, aside) != 0)
		return err_system(err, "cannot rename %s", path);
	if (file_sync_dir(ctl->config.state, err) < 0)
		return -1;
	ctl_warn("a former dewctl init ended while it made the gateway's key, and what it left cannot be "
		 "used (%s): it is set aside in %s, where nobody needs it, and a new key is made",
	    why, aside);
	return 0;
}

/* Opens the home; with what a former attempt left in it only where that is a whole key. */
static int open_home(struct ctl *ctl, struct err *err)
{
	struct err why;
	if (!is_unfinished(ctl))
		return ctl_open_home(ctl, err);
	if (ctl_open_home(ctl, &why) == 0 && home_prove_key(&ctl->home, &why) == 0)
		return 0;
	if (ctl->passphrase.locked) { /* whole, for all that is known: it wants its passphrase */
		*err = why;
		return -1;
	}
	if (ctl->home_is_open && ctl->home.gateway[0] == '\0' && !has_key(ctl))
		return 0; /* not even begun */
	return set_aside(ctl, why.text, err) < 0 ? -1 : ctl_open_home(ctl, err);
}

/* One that a former attempt made, or that was put there. */
static int take_key_over(struct ctl *ctl, struct err *err)
{
	bool asks = false;
	if (home_prove_key(&ctl->home, err) < 0 || preferences_look(&ctl->home, &asks, err) < 0)
		return -1;
	return asks ? preferences_mend(&ctl->home, err) : 0;
}

static int make_key(struct ctl *ctl, struct err *err)
{
	if (open_home(ctl, err) < 0)
		return -1;
	if (ctl->home.gateway[0] != '\0')
		return take_key_over(ctl, err) < 0 ? -1 : keyaddresses_add(ctl, err);
	/* gpg does not see a key whose files are there: a new one beside it would have no passphrase. */
	if (has_key(ctl))
		return home_refuse_keyless(&ctl->home, err);
	if (ctl->passphrase.text.len == 0)
		ctl->home.passphrase = NULL;
	if (begin_key(ctl, err) < 0 ||
	    home_make_key(&ctl->home, ctl->config.gateway.name, ctl->config.gateway.address, err) < 0 ||
	    home_prove_key(&ctl->home, err) < 0)
		return -1;
	return keyaddresses_add(ctl, err);
}

/* A gateway that is set up is left alone, but for a key that was taken over from elsewhere, and for
 * an address that the configuration has got since. */
static int set_up_already(struct ctl *ctl, const char *gateway, struct err *err)
{
	bool preferences = false;
	bool addresses = false;
	if (ctl_open_home(ctl, err) == 0 && (keypreferences_mend(ctl, &preferences, err) < 0 ||
						keyaddresses_mend(ctl, &addresses, err) < 0))
		return -1;
	if ((preferences || addresses) && store_commit(ctl->store, err) < 0)
		return -1;
	end_key(ctl);
	if (preferences)
		ctl_say("The gateway's key does not ask for OCB packets any more.");
	if (addresses)
		ctl_say("The gateway's key has a user ID for each of its addresses now. Send "
			"everybody its new certificate: dewctl key export.");
	return ctl_refuse(err,
	    "this gateway is set up already, with the key %s: nothing%s was changed", gateway,
	    preferences || addresses ? " else" : "");
}

/* In the store's own transaction, so that of two at once one waits and then finds it done. */
static int make_gateway(struct ctl *ctl, struct err *err)
{
	struct buf known = BUF_EMPTY(BUF_SMALL);
	bool found;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_value_get(ctl->store, "gateway", &known, &found, err);
	if (status == 0 && found)
		status = set_up_already(ctl, buf_text(&known), err);
	buf_release(&known);
	if (status == 0 &&
	    (make_key(ctl, err) < 0 || set_random_value(ctl, "return-path-key", err) < 0 ||
		keypreferences_keep_certificate(ctl, err) < 0 ||
		store_value_set(ctl->store, "gateway", view_of(ctl->home.gateway), err) < 0 ||
		ctl_audit(ctl, "gateway.init", ctl->config.gateway.address, err, "key %s",
		    ctl->home.gateway) < 0))
		status = -1;
	status = ctl_end(ctl, status, err);
	if (status == 0)
		end_key(ctl);
	return status;
}

static void tell_passphrase(const struct ctl *ctl)
{
	const char *path = ctl_passphrase_path(ctl);
	const size_t len = strlen(ctl->config.state);
	if (ctl->passphrase.text.len == 0) {
		ctl_warn("the key has NO passphrase, because gateway.passphrase_file is empty: "
			 "whoever gets a copy of %s/gnupg has the key",
		    ctl->config.state);
		return;
	}
	ctl_say("The passphrase of its key stands in");
	ctl_say_blank();
	ctl_say("    %s", path[0] == '\0' ? ctl->config.gateway.passphrase_file : path);
	ctl_say_blank();
	ctl_say("KEEP A COPY OF THAT FILE, and not beside the copies of %s: without the",
	    ctl->config.state);
	ctl_say("passphrase the key is lost, and with both together it is anybody's.");
	ctl_say_blank();
	if (strncmp(path, ctl->config.state, len) == 0 && path[len] == '/')
		ctl_warn(
		    "%s lies within %s: every copy of that holds both", path, ctl->config.state);
}

static void tell_next(const struct ctl *ctl)
{
	const char *option = ctl->config_is_default ? "" : " -c ";
	const char *file = ctl->config_is_default ? "" : ctl->config_path;
	ctl_say("What to do next:");
	ctl_say("  1. Let your mail server deliver mail for %s into the Maildir %s.",
	    ctl->config.gateway.address, ctl->config.drop);
	ctl_say("  2. Send contacts and publishers the gateway's certificate and, over another "
		"channel,");
	ctl_say("     this fingerprint: dewctl%s%s key export", option, file);
	ctl_say(
	    "  3. dewctl%s%s key add FILE, and key confirm FINGERPRINT for each.", option, file);
	ctl_say("  4. dewctl%s%s publisher add, admin add, member add, contact add.", option, file);
	ctl_say("  5. Start dewlined%s%s; then dewctl%s%s check.", option, file, option, file);
}

static int run_init(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct buf grouped = BUF_EMPTY(BUF_SMALL);
	(void)call;
	if (ctl_open_config(ctl, err) < 0 || make_dirs_of_user(ctl, err) < 0 ||
	    ((!has_key(ctl) || is_unfinished(ctl)) && ctl_passphrase_prepare(ctl, err) < 0) ||
	    make_state_dir(ctl, err) < 0 || open_store(ctl, err) < 0 || make_drop(ctl, err) < 0 ||
	    make_gateway(ctl, err) < 0)
		return -1;
	find_group_fingerprint(ctl->home.gateway, &grouped);
	ctl_say("The gateway %s is set up in %s.", ctl->config.gateway.address, ctl->config.state);
	ctl_say("The fingerprint of its key:");
	ctl_say_blank();
	ctl_say("    %s", buf_text(&grouped));
	ctl_say_blank();
	buf_release(&grouped);
	tell_passphrase(ctl);
	tell_next(ctl);
	return 0;
}

const struct ctl_verb init_verbs[] = {
    {"", "", 0, 0, false, NULL, "Sets up a new gateway: its directory, store, drop and key",
	"Makes what the configuration names: the state directory (mode 0700), the drop (a\n"
	"Maildir), the store, the gateway's OpenPGP key, and the file with the random passphrase\n"
	"of that key. Parent directories must be there.\n"
	"An attempt that was interrupted is completed by running it again (a key that was not\n"
	"finished is set aside in gnupg.unfinished-*); a gateway that is set up is left alone.\n",
	run_init},
    {0},
};
