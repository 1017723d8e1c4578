#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/secret.h"

static const char prefix[] = "credential:";
static const char variable[] = "CREDENTIALS_DIRECTORY";

enum { CREDENTIAL_NAME_MAX = 255 };

bool secret_is_credential(struct view text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	char name[CREDENTIAL_NAME_MAX + 1];
	return view_equals(view_part(text, 0, sizeof prefix - 1), VIEW(prefix)) &&
	       view_copy(view_part(text, sizeof prefix - 1, text.len), name, sizeof name) &&
	       name[0] != '\0' && name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

/* False when the service manager gave us no credentials at all. */
static bool credential_path(const char *name, char out[static CONFIG_PATH_SIZE])
{
	const char *directory = getenv(variable);
	if (directory == NULL || directory[0] != '/')
		return false;
	const int len = snprintf(out, CONFIG_PATH_SIZE, "%s/%s", directory, name);
	return len > 0 && len < CONFIG_PATH_SIZE;
}

void secret_place(const char *name, const char *setting, char out[static CONFIG_PATH_SIZE])
{
	if (secret_is_credential(view_of(setting))) {
		if (!credential_path(setting + sizeof prefix - 1, out))
			snprintf(out, CONFIG_PATH_SIZE, "%s", setting);
	} else if (!credential_path(name, out) || access(out, F_OK) != 0) {
		snprintf(out, CONFIG_PATH_SIZE, "%s", setting);
	}
}

int secret_check(const char *name, const char *setting, struct err *err)
{
	char place[CONFIG_PATH_SIZE];
	struct stat file;
	secret_place(name, setting, place);
	if (strcmp(place, setting) != 0 || secret_is_credential(view_of(place)))
		return 0;
	if (stat(place, &file) != 0 || (file.st_mode & (S_IROTH | S_IWOTH)) == 0)
		return 0;
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "%s can be read or written by everybody: chmod 600 %s", place, place);
}

static int no_secret(struct err *err, const char *place, const char *why)
{
	return err_set(err, ERR_DAEMON, ERR_LATER, "%s: %s", place, why);
}

int secret_read_from(int fd, const char *place, struct buf *out, struct err *err)
{
	char bytes[SECRET_MAX];
	ssize_t got;
	do
		got = pread(fd, bytes, sizeof bytes, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_system(err, "cannot read %s", place);
	struct view rest = {bytes, (size_t)got};
	struct view line = rest;
	view_next_line(&rest, &line);
	int result = 0;
	if (got == (ssize_t)sizeof bytes)
		result = no_secret(err, place, "it is too long for a secret");
	else if (line.len == 0 || memchr(line.data, '\0', line.len) != NULL)
		result =
		    err_set(err, ERR_DAEMON, ERR_LATER, "no secret in the first line of %s", place);
	else
		buf_add_view(out, line);
	explicit_bzero(bytes, sizeof bytes);
	return result;
}

int secret_read(const char *name, const char *setting, struct buf *out, struct err *err)
{
	char place[CONFIG_PATH_SIZE];
	secret_place(name, setting, place);
	if (place[0] == '\0')
		return no_secret(err, name,
		    "the service manager hands over no such credential, and no setting names a "
		    "file");
	if (secret_is_credential(view_of(place)))
		return no_secret(err, place, "the service manager hands over no credentials");
	const int fd = open(place, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* A sandbox withholds open(2) and not access(2). */
	if (fd < 0 && errno == EACCES && access(place, R_OK) == 0)
		return no_secret(err, place,
		    "this file has taken the place of the one that was there at the start, and the "
		    "sandbox does not reach it: restart dewlined");
	if (fd < 0)
		return err_system(err, "cannot open %s", place);
	const int result = secret_read_from(fd, place, out, err);
	close(fd);
	return result;
}
