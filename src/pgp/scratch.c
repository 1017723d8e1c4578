#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"

#include "pgp/scratch.h"

/* One that is new may be locked by its maker in the next moment. */
enum { OLD_S = 60 * 60 };

static const char prefix[] = "certificates.";

static bool is_left_over(int dir, const char *name)
{
	struct stat about;
	return strncmp(name, prefix, strlen(prefix)) == 0 &&
	       fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode) &&
	       about.st_uid == geteuid() && about.st_mtime < time(NULL) - OLD_S;
}

/* What cannot be removed is left to the next one. */
static void remove_left_over(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct err ignored;
	int lock;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX ||
	    lock_open(path, &lock, &ignored) != 0)
		return;
	file_remove_tree(path, &ignored);
	close(lock);
}

static void remove_left_overs(const char *dir)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		if (is_left_over(dirfd(entries), entry->d_name))
			remove_left_over(dir, entry->d_name);
	}
	if (entries != NULL)
		closedir(entries);
}

int scratch_make(struct scratch *scratch, const char *dir, struct err *err)
{
	*scratch = (struct scratch){.lock = -1};
	remove_left_overs(dir);
	if (snprintf(scratch->path, sizeof scratch->path, "%s/%sXXXXXX", dir, prefix) < PATH_MAX &&
	    mkdtemp(scratch->path) != NULL)
		return lock_open(scratch->path, &scratch->lock, err) == 0 ? 0 : -1;
	scratch->path[0] = '\0';
	return err_system(err, "cannot make a directory below %s", dir);
}

int scratch_remove(struct scratch *scratch, struct err *err)
{
	if (scratch->path[0] == '\0')
		return 0;
	const int result = file_remove_tree(scratch->path, err);
	if (scratch->lock >= 0)
		close(scratch->lock);
	scratch->path[0] = '\0';
	return result;
}
