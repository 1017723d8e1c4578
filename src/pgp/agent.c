#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gpgme.h>

#include "base/file.h"

#include "pgp/agent.h"
#include "pgp/engine.h"
#include "pgp/place.h"

static const char socket_name[] = "S.gpg-agent";

static int gpgconf(
    const char *home, const char *verb, const char *what, struct buf *out, struct err *err)
{
	if (engine_ready(err) != 0)
		return -1;
	const char *program = gpgme_get_dirinfo("gpgconf-name");
	if (program == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "gpgconf is missing: install GnuPG");
	char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--homedir",
	    (char *)(uintptr_t)home, (char *)(uintptr_t)verb, (char *)(uintptr_t)what, NULL};
	return engine_run(argv, out, err);
}

/* GnuPG puts its sockets below the user's runtime directory where there is one. It comes and goes
 * with logins, so it is looked at each time. */
static bool has_runtime_dir(void)
{
	static const char *const bases[] = {"/run/gnupg", "/run", "/var/run/gnupg", "/var/run"};
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		char path[64];
		struct stat about;
		snprintf(path, sizeof path, "%s/user/%lu", bases[i], (unsigned long)getuid());
		if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
			return true;
	}
	return false;
}

static int socket_path(const char *home, char out[static PATH_MAX], struct err *err)
{
	if (!has_runtime_dir()) {
		if (snprintf(out, PATH_MAX, "%s/%s", home, socket_name) < PATH_MAX)
			return 0;
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the path of a GnuPG home is too long");
	}
	struct buf printed = BUF_EMPTY(PATH_MAX);
	int result = gpgconf(home, "--list-dirs", "agent-socket", &printed, err);
	if (result == 0 && !view_copy(view_trim(buf_view(&printed)), out, PATH_MAX))
		result = err_set(err, ERR_DAEMON, ERR_LATER, "gpgconf printed an odd socket path");
	buf_release(&printed);
	return result;
}

static bool answers(const char *path)
{
	const int fd = place_connect(path);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int agent_ensure(const char *main_home, struct err *err)
{
	char path[PATH_MAX];
	if (socket_path(main_home, path, err) != 0)
		return -1;
	if (answers(path))
		return 0;
	struct buf printed = BUF_EMPTY(BUF_SMALL);
	const int result = gpgconf(main_home, "--launch", "gpg-agent", &printed, err);
	buf_release(&printed);
	if (result != 0)
		return err_prefix(err, "cannot start gpg-agent");
	if (!answers(path))
		return err_set(err, ERR_DAEMON, ERR_LATER, "gpg-agent does not answer at %s", path);
	return 0;
}

static bool is_so(const char *path, struct view content)
{
	struct buf found = BUF_EMPTY(PATH_MAX);
	struct err ignored;
	const bool same =
	    file_read(path, &found, &ignored) == 0 && view_equals(buf_view(&found), content);
	buf_release(&found);
	return same;
}

int agent_redirect(const char *main_home, const char *shard, const char *dir, struct err *err)
{
	char target[PATH_MAX], place[PATH_MAX];
	if (socket_path(main_home, target, err) != 0 || socket_path(shard, place, err) != 0)
		return -1;
	/* In the shard itself, and not below the runtime directory: that part may not have its
	 * final name yet. */
	const size_t len = strlen(shard);
	if (strncmp(place, shard, len) == 0 && place[len] == '/' &&
	    snprintf(place, sizeof place, "%s/%s", dir, socket_name) >= PATH_MAX)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the path of a GnuPG home is too long");
	struct buf text = BUF_EMPTY(PATH_MAX + 32);
	buf_printf(&text, "%%Assuan%%\nsocket=%s\n", target);
	const int result =
	    is_so(place, buf_view(&text)) ? 0 : file_write(place, buf_view(&text), 0600, err);
	buf_release(&text);
	return result;
}

int agent_join(const char *main_home, const char *shard, struct err *err)
{
	return agent_ensure(main_home, err) == 0 &&
		       agent_redirect(main_home, shard, shard, err) == 0
		   ? 0
		   : -1;
}

bool agent_is_there(const char *home)
{
	char path[PATH_MAX];
	struct err ignored;
	return socket_path(home, path, &ignored) == 0 && answers(path);
}

void agent_stop(const char *home)
{
	char path[PATH_MAX];
	struct err ignored;
	const int fd = socket_path(home, path, &ignored) == 0 ? place_connect(path) : -1;
	if (fd >= 0)
		place_end_agent(fd);
}
