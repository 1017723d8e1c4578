#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#include "pgp/agent.h"
#include "pgp/conf.h"
#include "pgp/engine.h"
#include "pgp/rekey.h"

/* A secret key takes some hundred bytes here, and the public one some thousand. */
enum { KEY_FILE_MAX = 1024 * 1024 };

static const char secrets[] = "private-keys-v1.d";

/* The copy's path is short, since its agent's socket lies below it. */
static void copy_path(const struct home *home, char out[static HOME_PATH_SIZE])
{
	snprintf(out, HOME_PATH_SIZE, "%.*s/n", AGENT_HOME_MAX, home->path);
}

static int copy_file(const char *from, const char *to, const char *name, struct err *err)
{
	char path[2 * HOME_PATH_SIZE];
	struct buf content = BUF_EMPTY(KEY_FILE_MAX);
	snprintf(path, sizeof path, "%s/%s", from, name);
	int result = file_read(path, &content, err);
	snprintf(path, sizeof path, "%s/%s", to, name);
	if (result == 0)
		result = file_write(path, buf_view(&content), 0600, err);
	buf_release(&content);
	return result;
}

typedef int file_fn(const char *dir, const char *name, void *context, struct err *err);

/* Calls back for each secret key's file below `home`. */
static int each_secret(const char *home, file_fn *fn, void *context, struct err *err)
{
	char path[HOME_PATH_SIZE + sizeof secrets + 1];
	snprintf(path, sizeof path, "%s/%s", home, secrets);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return err_system(err, "cannot open %s", path);
	const struct dirent *entry;
	int result = 0;
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			result = fn(path, entry->d_name, context, err);
	}
	closedir(dir);
	return result;
}

static int copy_secret(const char *dir, const char *name, void *context, struct err *err)
{
	return copy_file(dir, context, name, err);
}

static int count_bare(const char *dir, const char *name, void *context, struct err *err)
{
	char path[2 * HOME_PATH_SIZE];
	struct buf content = BUF_EMPTY(KEY_FILE_MAX);
	size_t *bare = context;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	const int result = file_read(path, &content, err);
	if (view_find(buf_view(&content), VIEW("protected-private-key")) == SIZE_MAX)
		++*bare;
	buf_release(&content);
	return result;
}

static int make_copy(const struct home *home, const char *copy, struct err *err)
{
	char dir[HOME_PATH_SIZE + sizeof secrets + 1];
	snprintf(dir, sizeof dir, "%s/%s", copy, secrets);
	if (file_remove_tree(copy, err) != 0 || file_make_dir(copy, 0700, err) != 0 ||
	    file_make_dir(dir, 0700, err) != 0 || conf_write(copy, CONF_MAIN, "", err) != 0 ||
	    copy_file(home->path, copy, "pubring.kbx", err) != 0)
		return -1;
	return each_secret(home->path, copy_secret, dir, err);
}

struct change {
	struct passphrase *former; /* until the first answer; NULL: the key has none */
	struct passphrase *next;
	char trouble[ERR_TEXT_SIZE];
};

/* gpg asks for the former passphrase once, and from then on for the new one. */
static gpgme_error_t on_question(
    void *hook, const char *uid_hint, const char *info, int previous_was_bad, int fd)
{
	struct change *change = hook;
	struct err err;
	(void)uid_hint;
	(void)info;
	struct passphrase *asked = change->former != NULL ? change->former : change->next;
	change->former = NULL;
	if (previous_was_bad)
		return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
	if (passphrase_get(asked, &err) != 0) {
		memcpy(change->trouble, err.text, sizeof change->trouble);
		return gpgme_error(GPG_ERR_CANCELED);
	}
	const struct view text = buf_view(&asked->text);
	const bool given =
	    gpgme_io_writen(fd, text.data, text.len) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
	return given ? 0 : gpgme_error_from_syserror();
}

static int change_in(
    const char *copy, const struct home *home, struct passphrase *next, struct err *err)
{
	struct change change = {.next = next};
	gpgme_ctx_t ctx;
	gpgme_key_t key = NULL;
	size_t bare = 0;
	if (each_secret(copy, count_bare, &bare, err) != 0 || engine_open(copy, &ctx, err) != 0)
		return -1;
	if (bare == 0)
		change.former = home->passphrase;
	gpgme_set_pinentry_mode(ctx, GPGME_PINENTRY_MODE_LOOPBACK);
	gpgme_set_passphrase_cb(ctx, on_question, &change);
	gpgme_error_t code = gpgme_get_key(ctx, home->gateway, &key, 1);
	if (code == 0)
		code = gpgme_op_passwd(ctx, key, 0);
	gpgme_key_unref(key);
	gpgme_release(ctx);
	if (change.trouble[0] != '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "%s", change.trouble);
	return code == 0 ? 0 : engine_failed(err, code, "cannot change the passphrase of the key");
}

/* Every secret key is protected, and the new passphrase opens them. */
static int prove_copy(
    const char *copy, const struct home *home, struct passphrase *next, struct err *err)
{
	struct home changed = *home;
	size_t bare = 0;
	snprintf(changed.path, sizeof changed.path, "%s", copy);
	snprintf(changed.place, sizeof changed.place, "%s", copy);
	changed.passphrase = next;
	if (home_prove_key(&changed, err) != 0 || each_secret(copy, count_bare, &bare, err) != 0)
		return -1;
	return bare == 0 ? 0
			 : err_set(err, ERR_DAEMON, ERR_NEVER,
			       "%zu secret keys are still without a passphrase", bare);
}

/* In one step, so that at no moment there is half of each. */
static int exchange(const char *copy, const struct home *home, struct err *err)
{
	char made[HOME_PATH_SIZE + sizeof secrets + 1], former[HOME_PATH_SIZE + sizeof secrets + 1];
	snprintf(made, sizeof made, "%s/%s", copy, secrets);
	snprintf(former, sizeof former, "%s/%s", home->path, secrets);
	if (file_sync_dir(made, err) != 0)
		return -1;
	if (renameat2(AT_FDCWD, made, AT_FDCWD, former, RENAME_EXCHANGE) != 0)
		return err_system(err, "cannot put the changed key in its place");
	return file_sync_dir(home->path, err);
}

int rekey_clean(const struct home *home, struct err *err)
{
	char copy[HOME_PATH_SIZE];
	copy_path(home, copy);
	agent_stop(copy);
	return file_remove_tree(copy, err);
}

int rekey(struct home *home, struct passphrase *next, struct err *err)
{
	char copy[HOME_PATH_SIZE];
	struct err ignored;
	copy_path(home, copy);
	if (passphrase_get(next, err) != 0)
		return -1;
	int result = make_copy(home, copy, err);
	if (result == 0)
		result = change_in(copy, home, next, err);
	if (result == 0)
		result = prove_copy(copy, home, next, err);
	agent_stop(copy);
	if (result == 0)
		result = exchange(copy, home, err);
	if (result == 0)
		home->passphrase = next;
	file_remove_tree(copy, &ignored);
	return result;
}
