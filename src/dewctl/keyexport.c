#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "dewctl/ctl.h"
#include "dewctl/keyexport.h"
#include "pgp/identity.h"

enum { HASH_SIZE = 8 * DIGEST_SHA1_SIZE / 5 + 1, PUBLIC_DIR = 0755, PUBLIC_FILE = 0644 };

static int write_public(
    const struct ctl *ctl, const char *path, struct view content, struct err *err)
{
	return file_write(path, content, PUBLIC_FILE, err) < 0 ? ctl_explain_owner(ctl, err) : 0;
}

/* Makes DIR/a, DIR/a/b, ... and leaves the whole path in `path`. */
static int make_dirs(const struct ctl *ctl, const char *dir, const char *const *names,
    char path[static CTL_PATH_SIZE], struct err *err)
{
	size_t len = (size_t)snprintf(path, CTL_PATH_SIZE, "%s", dir);
	for (; len < CTL_PATH_SIZE; names++) {
		if (file_make_dir(path, PUBLIC_DIR, err) < 0)
			return ctl_explain_owner(ctl, err);
		if (*names == NULL)
			return 0;
		len += (size_t)snprintf(path + len, CTL_PATH_SIZE - len, "/%s", *names);
	}
	return ctl_refuse(err, "%s is too long a path: name another directory", dir);
}

/* What OpenPGP programs look for at https://openpgpkey.DOMAIN/ (draft-koch-openpgp-webkey-service,
 * the advanced method): both names in lower case. */
static int write_address(
    const struct ctl *ctl, const char *dir, const char *of, struct view key, struct err *err)
{
	char address[CONFIG_TEXT_SIZE];
	char path[CTL_PATH_SIZE];
	char file[CTL_PATH_SIZE + HASH_SIZE];
	unsigned char digest[DIGEST_SHA1_SIZE];
	char hash[HASH_SIZE];
	snprintf(address, sizeof address, "%s", of);
	for (char *at = address; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	char *domain = strchr(address, '@'); /* there is one: the configuration is checked */
	*domain++ = '\0';
	digest_sha1(view_of(address), digest);
	text_zbase32(digest, sizeof digest, hash);
	const char *const names[] = {".well-known", "openpgpkey", domain, NULL};
	const char *const below[] = {".well-known", "openpgpkey", domain, "hu", NULL};
	if (make_dirs(ctl, dir, names, path, err) < 0)
		return -1;
	snprintf(file, sizeof file, "%s/policy", path);
	if (write_public(ctl, file, VIEW(""), err) < 0 || make_dirs(ctl, dir, below, path, err) < 0)
		return -1;
	snprintf(file, sizeof file, "%s/%s", path, hash);
	if (write_public(ctl, file, key, err) < 0)
		return -1;
	ctl_say("Written to %s: publish %s as https://openpgpkey.%s/", file, dir, domain);
	return 0;
}

/* For each address of the gateway that its key has a user ID for: programs take no other. */
static int write_directory(struct ctl *ctl, const char *dir, struct err *err)
{
	const char *const list = ctl->config.gateway.list;
	struct buf key = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	bool has = false;
	int status = home_export_key(&ctl->home, false, &key, err);
	if (status == 0)
		status = write_address(ctl, dir, ctl->config.gateway.address, buf_view(&key), err);
	if (status == 0 && strcmp(list, ctl->config.gateway.address) != 0)
		status = identity_has(&ctl->home, list, &has, err);
	if (status == 0 && has)
		status = write_address(ctl, dir, list, buf_view(&key), err);
	buf_release(&key);
	return status;
}

static int write_armored(struct ctl *ctl, const char *path, struct err *err)
{
	struct buf key = BUF_EMPTY(BUF_SMALL * 2);
	if (path != NULL && access(path, F_OK) == 0)
		return ctl_refuse(err, "%s exists: name a new file", path);
	int status = home_export_key(&ctl->home, true, &key, err);
	if (status == 0 && path == NULL)
		fputs(buf_text(&key), stdout);
	else if (status == 0)
		status = write_public(ctl, path, buf_view(&key), err);
	buf_release(&key);
	return status;
}

int keyexport_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *dir = ctl_value(call, "wkd");
	if (dir != NULL && call->count > 0)
		return ctl_refuse(err, "name a file, or --wkd and a directory, and not both");
	if (ctl_open_store(ctl, err) < 0 || ctl_open_home(ctl, err) < 0)
		return -1;
	return dir != NULL ? write_directory(ctl, dir, err)
			   : write_armored(ctl, call->arguments[0], err);
}
