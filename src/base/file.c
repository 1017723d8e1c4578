#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { READ_STEP = 64 * 1024, OPEN_FILES_MAX = 16 };

static const char draft_mark[] = ".tmp.";

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	for (;;) {
		const size_t left = out->max - out->len;
		/* One byte past the limit tells a full buffer from a longer file. */
		char probe;
		char *room = left == 0 ? &probe : buf_reserve(out, left < READ_STEP ? left : READ_STEP);
		const ssize_t got = read(fd, room, left == 0 ? 1 : left < READ_STEP ? left : READ_STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_system(err, "cannot read %s", path);
		if (got == 0)
			return 0;
		if (left == 0)
			return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s is larger than %zu bytes", path, out->max);
		buf_grown(out, (size_t)got);
	}
}

int file_read(const char *path, struct buf *out, struct err *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0) {
		const int saved = errno;
		err_system(err, "cannot open %s", path);
		err->whom = ERR_MESSAGE;
		errno = saved;
		return -1;
	}
	const int result = read_all(fd, path, out, err);
	close(fd);
	return result;
}

int file_write_all(int fd, struct view content)
{
	while (content.len > 0) {
		const ssize_t put = write(fd, content.data, content.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		content = view_part(content, (size_t)put, content.len);
	}
	return 0;
}

static void parent_of(const char *path, char out[PATH_MAX])
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(out, PATH_MAX, "%s", dirname(copy));
}

int file_write_by(const char *temporary, const char *path, struct view content, mode_t mode,
    struct err *err)
{
	const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_system(err, "cannot create %s", temporary);
	const bool written = file_write_all(fd, content) == 0 && fsync(fd) == 0;
	const int saved = errno;
	close(fd);
	errno = saved;
	if (written && rename(temporary, path) == 0)
		return 0;
	err_system(err, "cannot write %s", path);
	unlink(temporary);
	return -1;
}

bool file_is_draft(const char *name)
{
	const char *found = strstr(name, draft_mark);
	const char *number = found == NULL ? "" : found + strlen(draft_mark);
	return number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
}

int file_write(const char *path, struct view content, mode_t mode, struct err *err)
{
	char temporary[PATH_MAX];
	char parent[PATH_MAX];
	if (snprintf(temporary, sizeof temporary, "%s%s%ld", path, draft_mark, (long)getpid()) >= PATH_MAX)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the path %.100s... is too long", path);
	unlink(temporary);
	if (file_write_by(temporary, path, content, mode, err) != 0)
		return -1;
	parent_of(path, parent);
	return file_sync_dir(parent, err);
}

int file_make_dir(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) == 0)
		return 0;
	struct stat about;
	if (errno == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return 0;
	return err_system(err, "cannot make the directory %s", path);
}

int file_sync_dir(const char *path, struct err *err)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(err, "cannot open the directory %s", path);
	const int result = fsync(fd);
	const int saved = errno;
	close(fd);
	errno = saved;
	return result == 0 ? 0 : err_system(err, "cannot sync the directory %s", path);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
	(void)about;
	(void)type;
	(void)where;
	/* A socket of a server that is shutting down may vanish before we come to it. */
	return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

int file_remove_tree(const char *path, struct err *err)
{
	if (nftw(path, remove_one, OPEN_FILES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0)
		return 0;
	return errno == ENOENT ? 0 : err_system(err, "cannot remove %s", path);
}
