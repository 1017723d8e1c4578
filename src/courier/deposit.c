#include "config.h"

#include <dirent.h>
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
	return file_write_by(draft, path, message, FILE_MODE, err);
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
