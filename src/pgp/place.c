#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#include "pgp/conf.h"
#include "pgp/place.h"

enum { PATIENCE_MS = 5000, LINE_SIZE = 1024 };

void place_path(const char *home, const char *name, char out[static PATH_MAX])
{
	snprintf(
	    out, PATH_MAX, "%.*s/%.*s", PATH_MAX - PLACE_NAME_MAX - 2, home, PLACE_NAME_MAX, name);
}

/* One that is there is right: nobody else writes here. */
static int link_to(const char *place, const char *name, struct err *err)
{
	char path[PATH_MAX + 64], target[64];
	snprintf(path, sizeof path, "%s/%s", place, name);
	snprintf(target, sizeof target, "../%s", name);
	return symlink(target, path) == 0 || errno == EEXIST
		   ? 0
		   : err_system(err, "cannot make %s", path);
}

int place_make(const char *home, const char *name, struct err *err)
{
	char place[PATH_MAX], secrets[PATH_MAX + 32];
	place_path(home, name, place);
	/* An agent would make the directory in the place of a link to none. */
	snprintf(secrets, sizeof secrets, "%s/private-keys-v1.d", home);
	if (file_make_dir(home, 0700, err) != 0 || file_make_dir(secrets, 0700, err) != 0 ||
	    file_make_dir(place, 0700, err) != 0)
		return -1;
	return link_to(place, "private-keys-v1.d", err) == 0 &&
		       link_to(place, "pubring.kbx", err) == 0 &&
		       conf_write(home, CONF_MAIN, "", err) == 0 &&
		       conf_write(place, CONF_MAIN, "", err) == 0
		   ? 0
		   : -1;
}

static bool is_lock(const char *name)
{
	static const char end[] = ".lock", draft[] = ".#lk";
	const size_t len = strlen(name);
	return strncmp(name, draft, strlen(draft)) == 0 ||
	       (len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0);
}

static void clean(const char *dir, bool is_left_over(const char *name))
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;
	if (entries == NULL)
		return;
	while ((entry = readdir(entries)) != NULL) {
		if (is_left_over(entry->d_name))
			unlinkat(dirfd(entries), entry->d_name, 0);
	}
	closedir(entries);
}

void place_unlock(const char *dir)
{
	clean(dir, is_lock);
}

static bool is_place_of_dewctl(const char *name)
{
	return name[0] == 'c' && name[1] >= '0' && name[1] <= '9';
}

void place_unlock_all(const char *home)
{
	DIR *entries = opendir(home);
	const struct dirent *entry;
	if (entries == NULL)
		return;
	while ((entry = readdir(entries)) != NULL) {
		char path[PATH_MAX];
		/* With "." it is among them; what is no directory cannot be opened as one. */
		if (strcmp(entry->d_name, "..") != 0 && !is_place_of_dewctl(entry->d_name) &&
		    snprintf(path, sizeof path, "%s/%s", home, entry->d_name) < PATH_MAX) {
			place_unlock(path);
			clean(path, file_is_draft);
		}
	}
	closedir(entries);
}

/* Waits for something to read. False: not in time. */
static bool wait_to_read(int fd, int64_t until)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	int64_t left;
	while ((left = until - clock_monotonic_ms()) > 0) {
		const int ready = poll(&waiting, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Appends a line with its end. False: it did not come in time, or is none. */
static bool read_line(int fd, int64_t until, struct buf *line)
{
	char letter = '\0';
	while (letter != '\n' && !line->overflow) {
		if (!wait_to_read(fd, until) || recv(fd, &letter, 1, MSG_DONTWAIT) != 1)
			return false;
		buf_add_char(line, letter);
	}
	return letter == '\n';
}

static bool greets(int fd)
{
	struct buf line = BUF_EMPTY(LINE_SIZE);
	const bool greeted = read_line(fd, clock_monotonic_ms() + PATIENCE_MS, &line) &&
			     view_find(buf_view(&line), VIEW("OK")) == 0;
	buf_release(&line);
	return greeted;
}

int place_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
	    (int)sizeof address.sun_path)
		return -1;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && greets(fd))
		return fd;
	close(fd);
	return -1;
}

/* The agent's process, as a descriptor that can be read when it has ended. -1: unknown. */
static int process_of(int fd, int64_t until)
{
	static const char question[] = "GETINFO pid\n";
	struct buf answer = BUF_EMPTY(LINE_SIZE);
	int pid = 0;
	const bool known = send(fd, question, strlen(question), MSG_NOSIGNAL) > 0 &&
			   read_line(fd, until, &answer) &&
			   sscanf(buf_text(&answer), "D %d", &pid) == 1 && pid > 0;
	buf_release(&answer);
	return known ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

void place_end_agent(int fd)
{
	static const char command[] = "KILLAGENT\n";
	const int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	const int process = process_of(fd, until);
	const ssize_t sent = send(fd, command, strlen(command), MSG_NOSIGNAL);
	(void)sent; /* one that is gone has ended */
	/* It closes the connection before it ends. */
	char answer[LINE_SIZE];
	while (wait_to_read(fd, until) && recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
		;
	close(fd);
	if (process < 0)
		return;
	wait_to_read(process, until);
	close(process);
}
