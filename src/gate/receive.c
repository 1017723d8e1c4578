#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "gate/claim.h"
#include "gate/open.h"
#include "gate/receive.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum {
	RESCAN_MS = 30 * 1000,
	/* Of one transaction, between two rounds of the loop. */
	FILES_AT_ONCE = 64,
	BYTES_AT_ONCE = 16 * 1024 * 1024,
	NAME_SIZE = 256
};

static const char *const places[] = {"new", "cur"};
enum { PLACES = sizeof places / sizeof places[0] };

/* One file on its way: committed together with its neighbours, then removed. */
struct taken {
	char path[CONFIG_PATH_SIZE + NAME_SIZE + 8];
	int64_t arrival;
	int64_t sender; /* of claim.h */
	size_t size;
	bool fresh;
};

/* A walk through the drop. */
struct receiving {
	struct loop_timer *step; /* the next one; NULL while nobody walks */
	size_t place;
	bool again; /* something came since the walk began */
};

/* A link in the place of the directory is not followed: it could lead into the state, where a file
 * of somebody else's making would come to stand in the place of one of ours. */
static int move_into(const char *directory, const char *path, const char *name, struct err *err)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_system(err, "cannot open the directory %s", directory);
	const int result = renameat(AT_FDCWD, path, fd, name);
	const int saved = errno;
	close(fd);
	errno = saved;
	return result == 0 ? 0 : err_system(err, "cannot put %s aside", path);
}

/* What cannot be put aside stays where it is, and holds up nothing else. */
static int put_aside(
    struct gate *gate, const char *path, const char *name, const char *why, struct err *err)
{
	char directory[CONFIG_PATH_SIZE + 16];
	snprintf(directory, sizeof directory, "%s/refused", gate->config->drop);
	log_warning("%s is put aside in %s: %s", name, directory, why);
	if (file_make_dir(directory, 0700, err) != 0 ||
	    move_into(directory, path, name, err) != 0) {
		log_error("%s", err->text);
		return 0;
	}
	return store_audit_add(
	    gate->store, clock_now(), "gate", "arrival.aside", name, err, "%s", why);
}

/* A link, pipe or socket holds no mail, and following it might lead anywhere. */
static int remove_odd(struct gate *gate, const char *path, const char *name, struct err *err)
{
	log_warning("%s is removed from the drop: it is neither a file nor a directory", name);
	if (unlink(path) != 0 && errno != ENOENT) {
		log_error("cannot remove %s: %s", path, strerror(errno));
		return 0;
	}
	return store_audit_add(gate->store, clock_now(), "gate", "arrival.removed", name, err,
	    "neither a file nor a directory");
}

static int take_file(struct gate *gate, const char *place, const char *name, struct taken *taken,
    bool *took, struct err *err)
{
	struct buf raw = BUF_EMPTY((size_t)gate->config->limits.message);
	struct stat about;
	struct err why;
	int result = 0;
	*took = false;
	snprintf(taken->path, sizeof taken->path, "%s/%s/%s", gate->config->drop, place, name);
	if (lstat(taken->path, &about) != 0)
		return 0; /* somebody else was quicker */
	if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
		return remove_odd(gate, taken->path, name, err);
	if (!S_ISREG(about.st_mode))
		return put_aside(gate, taken->path, name, "not a regular file", err);
	if (file_read(taken->path, &raw, &why) != 0)
		result = put_aside(gate, taken->path, name, why.text, err);
	else if ((result = store_arrival_receive(gate->store, buf_view(&raw), clock_now(),
		      &taken->arrival, &taken->fresh, err)) == 0 &&
		 (result = claim_sender(gate, buf_view(&raw), &taken->sender, err)) == 0)
		*took = true;
	taken->size = raw.len;
	buf_release(&raw);
	return result;
}

static int commit(struct gate *gate, const struct taken *taken, size_t count, struct err *err)
{
	if (store_commit(gate->store, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (unlink(taken[i].path) != 0 && errno != ENOENT)
			return err_system(err, "cannot remove %s", taken[i].path);
		if (taken[i].fresh)
			open_add(gate, taken[i].sender, taken[i].arrival);
		else
			log_info(
			    "arrival %lld came again, byte for byte", (long long)taken[i].arrival);
	}
	return 0;
}

/* Takes some files in one transaction. *more: there may be others. */
static int take_some(struct gate *gate, const char *place, bool *more, struct err *err)
{
	char path[CONFIG_PATH_SIZE + 8];
	struct taken *taken = calloc(FILES_AT_ONCE, sizeof *taken);
	const struct dirent *entry;
	size_t count = 0;
	size_t bytes = 0;
	int result = 0;
	if (taken == NULL)
		abort();
	snprintf(path, sizeof path, "%s/%s", gate->config->drop, place);
	DIR *directory = opendir(path);
	if (directory == NULL || store_begin(gate->store, err) != 0) {
		free(taken);
		if (directory == NULL)
			return err_system(err, "cannot read the drop %s", path);
		closedir(directory);
		return -1;
	}
	*more = false;
	while (result == 0 && !*more && (entry = readdir(directory)) != NULL) {
		bool took = false;
		if (entry->d_name[0] != '.')
			result = take_file(gate, place, entry->d_name, &taken[count], &took, err);
		bytes += took ? taken[count].size : 0;
		count += took;
		*more = count == FILES_AT_ONCE || bytes >= BYTES_AT_ONCE;
	}
	closedir(directory);
	if (result == 0)
		result = commit(gate, taken, count, err);
	else
		store_rollback(gate->store);
	free(taken);
	return result;
}

/* One step of the walk: through `new`, then `cur`, and once more when something came meanwhile. */
static void step(void *context)
{
	struct gate *gate = context;
	struct receiving *walk = gate->receiving;
	struct err err;
	bool more = false;
	walk->step = NULL;
	if (take_some(gate, places[walk->place], &more, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (!more && ++walk->place == PLACES) {
		walk->place = 0;
		more = walk->again;
		walk->again = false;
		if (!more)
			return;
	}
	walk->step = loop_after(gate->loop, 0, step, gate);
}

static void scan(struct gate *gate)
{
	struct receiving *walk = gate->receiving;
	if (walk->step != NULL)
		walk->again = true;
	else
		walk->step = loop_after(gate->loop, 0, step, gate);
}

static void rescan(void *context)
{
	struct gate *gate = context;
	scan(gate);
	loop_after(gate->loop, RESCAN_MS, rescan, gate);
}

static void on_inotify(void *context, int fd)
{
	char events[16 * 1024];
	while (read(fd, events, sizeof events) > 0)
		continue; /* that something came is all we need to know: the walk finds what */
	scan(context);
}

int receive_start(struct gate *gate, struct err *err)
{
	char path[CONFIG_PATH_SIZE + 8];
	const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	gate->receiving = calloc(1, sizeof *gate->receiving);
	if (gate->receiving == NULL)
		abort();
	if (fd < 0)
		return err_system(err, "cannot watch the drop");
	for (size_t i = 0; i < PLACES; i++) {
		snprintf(path, sizeof path, "%s/%s", gate->config->drop, places[i]);
		/* Maildir: a file here is whole, whether it was renamed or linked from tmp. */
		if (inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
			return err_system(err, "cannot watch the drop %s", path);
	}
	loop_watch(gate->loop, fd, on_inotify, gate);
	rescan(gate);
	return 0;
}

void receive_stop(struct gate *gate)
{
	free(gate->receiving);
}
