#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "dewlined/state.h"
#include "pgp/place.h"
#include "pgp/scratch.h"

enum { AGENT_PATIENCE_MS = 5000, AGENT_LOOK_US = 10000 };

extern char **environ;

static int refuse(struct err *err, const char *state, const char *why)
{
	return err_set(err, ERR_DAEMON, ERR_NEVER, "the state directory %s %s", state, why);
}

int state_look(const char *state, struct err *err)
{
	struct stat about;
	if (stat(state, &about) != 0) {
		err_system(err, "the state directory %s (make it with `dewctl init`)", state);
		err->when = ERR_NEVER;
		return -1;
	}
	if (!S_ISDIR(about.st_mode))
		return refuse(err, state, "is no directory");
	if (about.st_uid != geteuid())
		return refuse(err, state,
		    "belongs to another user: run dewlined as its owner, or name that user in the "
		    "setting user");
	if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return refuse(err, state, "is open to others: chmod 700 it");
	return 0;
}

int state_take(const char *state, struct err *err)
{
	char holder[LOCK_HOLDER_SIZE];
	if (state_look(state, err) != 0)
		return -1;
	const int taken = lock_take(state, err);
	if (taken < 0)
		return err_prefix(err, "the state directory must be on a local file system");
	if (taken == 0)
		return 0;
	lock_holder(state, holder);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "the state directory %s is in use by %s: one dewlined alone may run on it", state,
	    holder);
}

int state_take_drop(const char *drop, struct err *err)
{
	char holder[LOCK_HOLDER_SIZE];
	struct err why;
	const int taken = lock_take(drop, &why);
	if (taken < 0)
		log_warning("%s: see to it that no other gateway uses this drop", why.text);
	if (taken <= 0)
		return 0;
	lock_holder(drop, holder);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "the drop %s is in use by %s: two gateways would take each other's mail. Give each a "
	    "drop of its own",
	    drop, holder);
}

int state_find_store(const char *state, struct err *err)
{
	char path[PATH_MAX];
	struct stat about;
	if (snprintf(path, sizeof path, "%s/store.db.restored", state) >= (int)sizeof path)
		return refuse(err, state, "has too long a path");
	if (stat(path, &about) == 0)
		return refuse(err, state,
		    "holds a restore that was ended on the way: run dewctl restore with the same "
		    "backup again");
	snprintf(path, sizeof path, "%s/store.db", state);
	if (stat(path, &about) != 0 && errno == ENOENT)
		return refuse(err, state, "holds no gateway yet: run `dewctl init`");
	if (access(path, R_OK | W_OK) == 0)
		return 0;
	err_system(err, "cannot open %s (chown it to the owner of %s)", path, state);
	err->when = ERR_NEVER;
	return -1;
}

bool state_is_missing(const char *state, struct err *err)
{
	char path[PATH_MAX];
	struct stat about;
	if (snprintf(path, sizeof path, "%s/gnupg", state) >= (int)sizeof path)
		return false;
	if (stat(path, &about) == 0 || errno != ENOENT)
		return false;
	const bool is_there = stat(state, &about) == 0;
	err_set(err, ERR_DAEMON, ERR_NEVER, "%s %s yet: run dewctl init", state,
	    is_there ? "holds no gateway" : "does not exist");
	return true;
}

/* Waits for a child, and kills it when it takes too long. */
static void wait_for(pid_t pid)
{
	const int64_t until = clock_monotonic_ms() + AGENT_PATIENCE_MS;
	pid_t ended;
	while ((ended = waitpid(pid, NULL, WNOHANG)) == 0 && clock_monotonic_ms() < until)
		usleep(AGENT_LOOK_US);
	if (ended != 0)
		return;
	log_warning("gpgconf takes too long to end the gpg-agent");
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Without a shell, and without GPGME: it would bring its own signal handling into this process. */
static void run_gpgconf(char *home)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	char *const argv[] = {(char *)(uintptr_t) "gpgconf", (char *)(uintptr_t) "--homedir", home,
	    (char *)(uintptr_t) "--kill", (char *)(uintptr_t) "gpg-agent", NULL};
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	const int failed = posix_spawnp(&pid, argv[0], &files, &attributes, argv, environ);
	if (failed == 0) {
		wait_for(pid);
	} else {
		errno = failed;
		struct err err;
		err_system(&err, "cannot run gpgconf to end the gpg-agent");
		log_warning("%s", err.text);
	}
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
}

void state_stop_agent(const char *state, const char *place)
{
	char home[PATH_MAX], socket[PATH_MAX + 16];
	if (snprintf(home, sizeof home, "%s/gnupg/%s", state, place) >= (int)sizeof home ||
	    access(home, F_OK) != 0)
		return;
	snprintf(socket, sizeof socket, "%s/S.gpg-agent", home);
	const int fd = place_connect(socket);
	/* The sockets may be elsewhere, which gpgconf knows. */
	if (fd >= 0)
		place_end_agent(fd);
	else
		run_gpgconf(home);
}

void state_unlock_gnupg(const char *state)
{
	char home[PATH_MAX];
	scratch_remove_left(state);
	if (snprintf(home, sizeof home, "%s/gnupg", state) >= (int)sizeof home)
		return;
	place_unlock_all(home);
	scratch_remove_left(home);
}
