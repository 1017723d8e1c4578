#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "courier/deposit.h"

enum {
	PATH_SIZE = CONFIG_PATH_SIZE + 2 * DEPOSIT_NAME_SIZE,
	RANDOM_LEN = 8,
	LEFT_BEHIND_S = 36 * 3600, /* as is the custom for tmp of a Maildir */
	FILE_MODE = 0600,
};

static const char prefix[] = "imap-";

void deposit_name(
    uint32_t validity, uint32_t uid, struct view message, char out[static DEPOSIT_NAME_SIZE])
{
	char digest[DIGEST_HEX_SIZE];
	digest_sha256_hex(message, digest);
	snprintf(out, DEPOSIT_NAME_SIZE, "%s%lu-%lu-%s", prefix, (unsigned long)validity,
	    (unsigned long)uid, digest);
}

static int write_whole(int fd, struct view content)
{
	while (content.len > 0) {
		const ssize_t put = write(fd, content.data, content.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		content = view_part(content, (size_t)put, content.len);
	}
	return fsync(fd);
}

int deposit(const char *drop, const char *name, struct view message, struct err *err)
{
	unsigned char bytes[RANDOM_LEN];
	char suffix[2 * RANDOM_LEN + 1];
	char draft[PATH_SIZE];
	char path[PATH_SIZE];
	/* A name of its own while it is written: another courier may be at the same message. */
	random_bytes(bytes, sizeof bytes);
	text_hex(bytes, sizeof bytes, suffix);
	snprintf(draft, sizeof draft, "%s/tmp/%s.%s", drop, name, suffix);
	snprintf(path, sizeof path, "%s/new/%s", drop, name);
	const int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return err_system(err, "cannot create a file in %s/tmp", drop);
	const int written = write_whole(fd, message);
	const int saved = errno;
	close(fd);
	errno = saved;
	if (written == 0 && rename(draft, path) == 0)
		return 0;
	err_system(err, "cannot write to %s/new", drop);
	unlink(draft);
	return -1;
}

int deposit_sync(const char *drop, struct err *err)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/new", drop);
	return file_sync_dir(path, err);
}

void deposit_clean(const char *drop)
{
	char path[PATH_SIZE];
	const struct dirent *entry;
	snprintf(path, sizeof path, "%s/tmp", drop);
	DIR *directory = opendir(path);
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		struct stat about;
		if (strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0 &&
		    fstatat(dirfd(directory), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
		    about.st_mtime < clock_now() - LEFT_BEHIND_S &&
		    unlinkat(dirfd(directory), entry->d_name, 0) == 0)
			log_info(
			    "removed %s, which an interrupted courier had left", entry->d_name);
	}
	closedir(directory);
}
