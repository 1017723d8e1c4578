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

enum { CHANGED = 0, UNCHANGED };

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

/* Written down before and after, for the key itself is in no transaction. */
static int record(struct ctl *ctl, const char *step, const char *event, const char *detail,
    struct err *err)
{
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_value_set(ctl->store, "passphrase-change", view_of(step), err);
	if (status == 0)
		status = ctl_audit(ctl, event, ctl->config.gateway.address, err, "key %s%s",
		    ctl->home.gateway, detail);
	return ctl_end(ctl, status, err);
}

static int record_begin(struct ctl *ctl, struct err *err)
{
	return record(ctl, "begun", "gateway.passphrase.begin", "", err);
}

static int record_end(struct ctl *ctl, const char *detail, struct err *err)
{
	return record(ctl, "", "gateway.passphrase", detail, err);
}

/* A former call may have come to its end, but for the file, or not even as far as writing it down. */
static int complete(struct ctl *ctl, struct err *err)
{
	struct buf step = BUF_EMPTY(BUF_SMALL);
	bool found;
	int status = store_value_get(ctl->store, "passphrase-change", &step, &found, err);
	if (status == 0 && step.len > 0)
		status = record_end(ctl, ", by a call that was interrupted", err);
	buf_release(&step);
	return status;
}

static int change(struct ctl *ctl, struct passphrase *next, struct err *err)
{
	struct err ignored;
	if (ctl_open_store(ctl, err) < 0 || ctl_open_home(ctl, err) < 0)
		return -1;
	if (is_changed_already(ctl, next))
		return rekey_clean(&ctl->home, err) < 0 ? -1 : complete(ctl, err);
	if (home_prove_key(&ctl->home, err) < 0 || record_begin(ctl, err) < 0)
		return -1;
	if (rekey(&ctl->home, next, err) == 0)
		return record_end(ctl, "", err);
	record(ctl, "", "gateway.passphrase.kept", ": it could not be changed", &ignored);
	return -1;
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

static int refuse_unchanged(struct err *err, const char *why)
{
	ctl_refuse(err, "%s; the passphrase is what it was", why);
	return UNCHANGED;
}

/* What the child has to say for itself, which is less than a pipe holds. */
static int read_unchanged(int why, struct err *err)
{
	char text[ERR_TEXT_SIZE] = "";
	const ssize_t got = read(why, text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	return refuse_unchanged(err, text);
}

/* No daemon may start before the file is in its place either. */
static int take_state(struct ctl *ctl, struct err *err)
{
	struct err why;
	if (access(ctl->config.state, F_OK) != 0) /* the child says so better */
		return 0;
	return ctl_take_state(ctl, "the gateway's key gets another passphrase", &why) == 0
		   ? 0
		   : refuse_unchanged(err, why.text);
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
		result = WEXITSTATUS(status) == CHANGED ? CHANGED : read_unchanged(why[0], err);
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
	/* One that is there already may be the only passphrase of the key. */
	const bool made = access(next_path, F_OK) != 0;
	if (made && ctl_passphrase_write(ctl, next_path, err) < 0)
		return -1;
	struct passphrase next = passphrase_from(find_in_file, next_path);
	next.place = next_path;
	int result = passphrase_get(&next, err);
	if (result == 0)
		result = take_state(ctl, err);
	if (result == CHANGED)
		result = change_in_child(ctl, &next, err);
	passphrase_release(&next);
	if (result == UNCHANGED && made)
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
