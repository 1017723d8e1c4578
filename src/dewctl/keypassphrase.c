/* The new passphrase is first put beside the file of the former one (FILE.next); then the key is
 * changed; then the one file takes the other's place. Whatever is interrupted, no passphrase is
 * lost, and the next call completes it. The key is changed by a child, which becomes the owner of
 * the state: who called may be the only one to write the file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "config/secret.h"
#include "dewctl/keypassphrase.h"
#include "dewctl/passphrase.h"
#include "pgp/rekey.h"

enum { CHANGED, UNCHANGED };

/* passphrase_fn: context is the path of a file. */
static int find_in_file(void *context, struct buf *out, struct err *err)
{
	return secret_read("", context, out, err);
}

/* A former call may have come as far as this. */
static bool is_changed_already(struct ctl *ctl, struct passphrase *next)
{
	struct home home = ctl->home;
	struct err ignored;
	home.passphrase = next;
	return home_prove_key(&ctl->home, &ignored) < 0 && home_prove_key(&home, &ignored) == 0;
}

static int change(struct ctl *ctl, struct passphrase *next, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	if (ctl_daemon_runs(ctl))
		return ctl_refuse(err, "dewlined is at work with this key: stop it first");
	if (ctl_open_home(ctl, err) < 0)
		return -1;
	if (is_changed_already(ctl, next))
		return 0;
	if (home_prove_key(&ctl->home, err) < 0 || store_begin(ctl->store, err) < 0)
		return -1;
	int status = ctl_audit(ctl, "gateway.passphrase", ctl->config.gateway.address, err,
	    "key %s", ctl->home.gateway);
	if (status == 0)
		status = rekey(&ctl->home, next, err);
	return ctl_end(ctl, status, err);
}

/* Why nothing was changed goes to `why`. */
static _Noreturn void run_child(struct ctl *ctl, struct passphrase *next, int why)
{
	struct err err;
	int status = CHANGED;
	if (change(ctl, next, &err) < 0) {
		/* What is changed stays so, even where it could not be written down. */
		status = ctl->home.passphrase == next ? CHANGED : UNCHANGED;
		if (status == CHANGED || write(why, err.text, strlen(err.text)) < 0)
			ctl_warn("%s", err.text);
	}
	ctl_close(ctl);
	fflush(NULL);
	_exit(status);
}

/* What the child has to say for itself, which is less than a pipe holds. */
static int refuse_unchanged(int why, struct err *err)
{
	char text[ERR_TEXT_SIZE] = "";
	const ssize_t got = read(why, text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	ctl_refuse(err, "%s; the passphrase is what it was", text);
	return UNCHANGED;
}

/* CHANGED, or UNCHANGED with the reason in err; -1: nobody knows. */
static int change_in_child(struct ctl *ctl, struct passphrase *next, struct err *err)
{
	int why[2];
	int status = 0;
	int result;
	fflush(NULL);
	if (pipe2(why, O_CLOEXEC) != 0)
		return err_system(err, "cannot make a pipe");
	const pid_t child = fork();
	if (child == 0)
		run_child(ctl, next, why[1]);
	close(why[1]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child < 0)
		result = err_system(err, "cannot start a process");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) > UNCHANGED)
		result = ctl_refuse(err, "the change was interrupted: call this again");
	else
		result = WEXITSTATUS(status) == CHANGED ? CHANGED : refuse_unchanged(why[0], err);
	close(why[0]);
	return result;
}

static int put_in_place(const char *next, const char *path, struct err *err)
{
	char directory[CONFIG_PATH_SIZE];
	if (rename(next, path) != 0)
		return err_system(err, "cannot rename %s", next);
	ctl_passphrase_directory(path, directory);
	return file_sync_dir(directory, err);
}

int keypassphrase_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	char next_path[CONFIG_PATH_SIZE + 8];
	(void)call;
	if (ctl_open_config(ctl, err) < 0)
		return -1;
	const char *path = ctl_passphrase_path(ctl);
	if (path[0] == '\0')
		return ctl_refuse(
		    err, "gateway.passphrase_file names no file to put the new passphrase into");
	snprintf(next_path, sizeof next_path, "%s.next", path);
	if (access(next_path, F_OK) != 0 && ctl_passphrase_write(ctl, next_path, err) < 0)
		return -1;
	struct passphrase next = passphrase_from(find_in_file, next_path);
	next.place = next_path;
	int result = passphrase_get(&next, err);
	if (result == 0)
		result = change_in_child(ctl, &next, err);
	passphrase_release(&next);
	if (result == UNCHANGED)
		unlink(next_path);
	if (result != CHANGED || put_in_place(next_path, path, err) < 0)
		return -1;
	ctl_say("The gateway's key has a new passphrase, which stands in %s.", path);
	ctl_say("Keep a copy of that file, and not beside the copies of %s. Copies of the",
	    ctl->config.state);
	ctl_say("key from before still open with the former one, or with none if it had none.");
	ctl_say("Where a credential gateway-passphrase is in use, make that anew from the file.");
	return 0;
}
