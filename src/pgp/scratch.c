#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"

#include "pgp/scratch.h"

static const char *const prefixes[] = {
    [SCRATCH_CERTIFICATES] = "certificates.",
    [SCRATCH_KEYRING] = "building-",
};
enum { KINDS = sizeof prefixes / sizeof prefixes[0] };

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_scratch(const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (begins(name, prefixes[i]))
			return true;
	}
	return false;
}

static bool is_our_directory(int dir, const char *name)
{
	struct stat about;
	return fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode) &&
	       about.st_uid == geteuid();
}

static void remove_logged(const char *path)
{
	struct err err;
	if (file_remove_tree(path, &err) != 0)
		log_warning("%s", err.text);
}

/* What cannot be locked is somebody's. Its lock is looked at first, since to ask for it is to wait. */
static void remove_unlocked(const char *path)
{
	struct err ignored;
	int lock;
	if (lock_is_held(path) || lock_open(path, &lock, &ignored) != 0)
		return;
	remove_logged(path);
	close(lock);
}

void scratch_remove_left(const char *dir)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;
	char path[PATH_MAX];
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		const char *name = entry->d_name;
		const bool removing = begins(name, SCRATCH_REMOVING);
		if ((!removing && !is_scratch(name)) || !is_our_directory(dirfd(entries), name) ||
		    snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX)
			continue;
		if (removing)
			remove_logged(path);
		else
			remove_unlocked(path);
	}
	if (entries != NULL)
		closedir(entries);
}

/* Locks what we have just made. 1: before we had the lock somebody took it for left over, and it is gone,
 * or will be. */
static int lock_made(struct scratch *scratch, struct err *err)
{
	struct stat about;
	const int result = lock_open(scratch->path, &scratch->lock, err);
	if (result != 0)
		return result > 0 || errno == ENOENT ? 1 : -1;
	if (fstat(scratch->lock, &about) == 0 && about.st_nlink > 0)
		return 0;
	close(scratch->lock);
	scratch->lock = -1;
	return 1;
}

int scratch_make(struct scratch *scratch, const char *dir, enum scratch_kind kind, struct err *err)
{
	enum { TRIES = 10 };
	*scratch = (struct scratch){.lock = -1};
	scratch_remove_left(dir);
	for (int i = 0; i < TRIES; i++) {
		const int length = snprintf(
		    scratch->path, sizeof scratch->path, "%s/%sXXXXXX", dir, prefixes[kind]);
		if (length >= PATH_MAX || mkdtemp(scratch->path) == NULL)
			break;
		const int result = lock_made(scratch, err);
		if (result <= 0)
			return result;
	}
	scratch->path[0] = '\0';
	return err_system(err, "cannot make a directory below %s", dir);
}

void scratch_keep(struct scratch *scratch)
{
	if (scratch->lock >= 0)
		close(scratch->lock);
	*scratch = (struct scratch){.lock = -1};
}

int scratch_remove(struct scratch *scratch, struct err *err)
{
	if (scratch->path[0] == '\0')
		return 0;
	const int result = file_remove_tree(scratch->path, err);
	scratch_keep(scratch);
	return result;
}
