#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/lock.h"

/* Who only looks (lock_is_held) has it for that moment, and is no reason to be refused. */
enum { TRIES = 20, PAUSE_US = 10 * 1000 };

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int lock_open(const char *directory, int *lock, struct err *err)
{
	const int fd = open_directory(directory);
	*lock = -1;
	if (fd < 0)
		return err_system(err, "cannot open the directory %s", directory);
	int result = flock(fd, LOCK_EX | LOCK_NB);
	for (int i = 1; i < TRIES && result != 0 && errno == EWOULDBLOCK; i++) {
		usleep(PAUSE_US);
		result = flock(fd, LOCK_EX | LOCK_NB);
	}
	if (result == 0) {
		*lock = fd;
		return 0;
	}
	const int saved = errno;
	close(fd);
	errno = saved;
	return saved == EWOULDBLOCK
		   ? 1
		   : err_system(err, "cannot lock the directory %s", directory);
}

int lock_take(const char *directory, struct err *err)
{
	int lock; /* stays open */
	return lock_open(directory, &lock, err);
}

bool lock_is_held(const char *directory)
{
	const int fd = open_directory(directory);
	if (fd < 0)
		return false;
	const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd); /* and with it our lock, if we got one */
	return held;
}

/* From a line of /proc/locks, proc_locks(5). 0: that is another lock. */
static int pid_in_line(const char *line, const struct stat *about)
{
	unsigned parent, child;
	unsigned long long inode;
	int pid;
	if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &pid, &parent, &child, &inode) != 4)
		return 0;
	return pid > 0 && parent == major(about->st_dev) && child == minor(about->st_dev) &&
		       inode == about->st_ino
		   ? pid
		   : 0;
}

static void read_name(int pid, char out[static LOCK_HOLDER_SIZE])
{
	char path[32];
	char name[32] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *file = fopen(path, "re");
	if (file != NULL && fgets(name, sizeof name, file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
	snprintf(out, LOCK_HOLDER_SIZE, "process %d%s%s%s", pid, name[0] == '\0' ? "" : " (", name,
	    name[0] == '\0' ? "" : ")");
}

void lock_holder(const char *directory, char out[static LOCK_HOLDER_SIZE])
{
	char line[LINE_MAX];
	struct stat about;
	int pid = 0;
	snprintf(out, LOCK_HOLDER_SIZE, "another process");
	FILE *locks = stat(directory, &about) == 0 ? fopen("/proc/locks", "re") : NULL;
	if (locks == NULL)
		return;
	while (pid == 0 && fgets(line, sizeof line, locks) != NULL)
		pid = pid_in_line(line, &about);
	fclose(locks);
	if (pid != 0)
		read_name(pid, out);
}
