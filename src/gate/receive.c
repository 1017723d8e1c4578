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
#include "gate/stuck.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum {
	RESCAN_MS = 30 * 1000,
	BLIND_RESCAN_MS = 3 * 1000, /* while there is no inotify */
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

/* A walk through the drop. A place is read from its beginning to its end, so that what cannot be
 * taken holds up nothing behind it. */
struct receiving {
	struct loop_timer *step; /* the next one; NULL while nobody walks */
	size_t place;
	DIR *directory; /* of that place; NULL: not opened yet */
	bool again; /* something came since the walk began */
	int inotify; /* -1: none to be had yet */
	int64_t stuck; /* what this walk could not take */
	char reason[ERR_TEXT_SIZE]; /* of the first of them */
};

/* It stays where it is for the next walk: the fault is ours, the machine's or an admin's to mend. */
static void leave(struct receiving *walk, const char *why)
{
	log_debug("left in the drop: %s", why);
	if (walk->stuck++ == 0)
		snprintf(walk->reason, sizeof walk->reason, "%s", why);
}

static void leave_for_errno(struct receiving *walk, const char *what, const char *path)
{
	struct err err;
	err_system(&err, "cannot %s %s", what, path);
	leave(walk, err.text);
}

static void place_path(const struct gate *gate, const char *place, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", gate->config->drop, place);
}

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

/* What a mail can never be. It stands in the inbox, and its file is for the admin to look at. */
static int put_aside(struct gate *gate, const char *path, const char *name, int64_t size,
    const char *why, struct err *err)
{
	char directory[CONFIG_PATH_SIZE + 16];
	char reason[STORE_REASON_SIZE];
	struct err left;
	place_path(gate, "refused", directory, sizeof directory);
	if (file_make_dir(directory, 0700, &left) != 0 ||
	    move_into(directory, path, name, &left) != 0) {
		leave(gate->receiving, left.text);
		return 0;
	}
	log_warning("%s is put aside in %s: %s", name, directory, why);
	snprintf(reason, sizeof reason, "%.100s, put aside in drop/refused as %.120s", why, name);
	if (store_arrival_aside(gate->store, name, size, reason, clock_now(), err) != 0)
		return -1;
	return store_audit_add(
	    gate->store, clock_now(), "gate", "arrival.aside", name, err, "%s", why);
}

/* A link, pipe or socket holds no mail, and following it might lead anywhere. */
static int remove_odd(struct gate *gate, const char *path, const char *name, struct err *err)
{
	if (unlink(path) != 0 && errno != ENOENT) {
		leave_for_errno(gate->receiving, "remove", path);
		return 0;
	}
	log_warning("%s is removed from the drop: it is neither a file nor a directory", name);
	return store_audit_add(gate->store, clock_now(), "gate", "arrival.removed", name, err,
	    "neither a file nor a directory");
}

/* A file that vanished is somebody else's; one that cannot be read now is read later. */
static int put_off(struct gate *gate, const struct taken *taken, const char *name, off_t size,
    const struct err *why, struct err *err)
{
	if (why->when == ERR_NEVER)
		return put_aside(gate, taken->path, name, size, "it is too large", err);
	if (access(taken->path, F_OK) == 0)
		leave(gate->receiving, why->text);
	return 0;
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
	if (lstat(taken->path, &about) != 0) {
		if (errno != ENOENT) /* else somebody else was quicker */
			leave_for_errno(gate->receiving, "look at", taken->path);
		return 0;
	}
	if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
		return remove_odd(gate, taken->path, name, err);
	if (!S_ISREG(about.st_mode))
		return put_aside(gate, taken->path, name, 0, "it is a directory", err);
	if (file_read(taken->path, &raw, &why) != 0)
		result = put_off(gate, taken, name, about.st_size, &why, err);
	else if ((result = store_arrival_receive(gate->store, buf_view(&raw), clock_now(),
		      &taken->arrival, &taken->fresh, err)) == 0 &&
		 (result = claim_sender(gate, buf_view(&raw), &taken->sender, err)) == 0)
		*took = true;
	taken->size = raw.len;
	buf_release(&raw);
	return result;
}

/* A file that cannot be removed is one arrival, however often it is found again. */
static int commit(struct gate *gate, const struct taken *taken, size_t count, struct err *err)
{
	if (store_commit(gate->store, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const bool removed = unlink(taken[i].path) == 0 || errno == ENOENT;
		if (!removed)
			leave_for_errno(gate->receiving, "remove", taken[i].path);
		if (taken[i].fresh)
			open_add(gate, taken[i].sender, taken[i].arrival);
		else if (removed)
			log_info(
			    "arrival %lld came again, byte for byte", (long long)taken[i].arrival);
	}
	return 0;
}

/* Takes some files of the open place in one transaction. *more: there may be others. */
static int take_some(struct gate *gate, const char *place, bool *more, struct err *err)
{
	struct taken *taken = calloc(FILES_AT_ONCE, sizeof *taken);
	const struct dirent *entry;
	size_t count = 0;
	size_t bytes = 0;
	int result = store_begin(gate->store, err);
	if (taken == NULL)
		abort();
	*more = false;
	while (result == 0 && !*more && (entry = readdir(gate->receiving->directory)) != NULL) {
		bool took = false;
		if (entry->d_name[0] != '.')
			result = take_file(gate, place, entry->d_name, &taken[count], &took, err);
		bytes += took ? taken[count].size : 0;
		count += took;
		*more = count == FILES_AT_ONCE || bytes >= BYTES_AT_ONCE;
	}
	if (result == 0)
		result = commit(gate, taken, count, err);
	else
		store_rollback(gate->store);
	free(taken);
	return result;
}

/* A place that is not there, or cannot be read, is no reason to leave the other one alone. */
static int walk_on(struct gate *gate, bool *more, struct err *err)
{
	struct receiving *walk = gate->receiving;
	char path[CONFIG_PATH_SIZE + 8];
	place_path(gate, places[walk->place], path, sizeof path);
	if (walk->directory == NULL)
		walk->directory = opendir(path);
	if (walk->directory == NULL) {
		leave_for_errno(walk, "read the drop", path);
		*more = false;
		return 0;
	}
	if (take_some(gate, places[walk->place], more, err) != 0)
		return -1;
	if (!*more) {
		closedir(walk->directory);
		walk->directory = NULL;
	}
	return 0;
}

static void begin(struct gate *gate)
{
	struct receiving *walk = gate->receiving;
	walk->place = 0;
	walk->again = false;
	walk->stuck = 0;
	walk->reason[0] = '\0';
}

/* One step of the walk: through `new`, then `cur`, and once more when something came meanwhile. */
static void step(void *context)
{
	struct gate *gate = context;
	struct receiving *walk = gate->receiving;
	struct err err;
	bool more = false;
	walk->step = NULL;
	if (walk_on(gate, &more, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (!more && ++walk->place == PLACES) {
		stuck_note(gate, walk->stuck, walk->reason);
		more = walk->again;
		begin(gate);
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

static void on_inotify(void *context, int fd)
{
	char events[16 * 1024];
	while (read(fd, events, sizeof events) > 0)
		continue; /* that something came is all we need to know: the walk finds what */
	scan(context);
}

/* A machine has few of them (fs.inotify.max_user_instances), and others may have all. */
static bool has_inotify(struct gate *gate)
{
	struct receiving *walk = gate->receiving;
	if (walk->inotify >= 0)
		return true;
	walk->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (walk->inotify < 0)
		return false;
	loop_watch(gate->loop, walk->inotify, on_inotify, gate);
	return true;
}

/* Maildir: a file here is whole, whether it was renamed or linked from tmp. What cannot be watched
 * is found by the next walk; asked again for what is watched, inotify changes nothing. */
static void watch(struct gate *gate)
{
	char path[CONFIG_PATH_SIZE + 8];
	for (size_t i = 0; i < PLACES; i++) {
		place_path(gate, places[i], path, sizeof path);
		if (inotify_add_watch(gate->receiving->inotify, path,
			IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
			log_debug("cannot watch the drop %s: %s", path, strerror(errno));
	}
}

static void rescan(void *context)
{
	struct gate *gate = context;
	const bool watches = has_inotify(gate);
	if (watches)
		watch(gate);
	else
		log_debug("cannot watch the drop: %s", strerror(errno));
	scan(gate);
	loop_after(gate->loop, watches ? RESCAN_MS : BLIND_RESCAN_MS, rescan, gate);
}

int receive_start(struct gate *gate, struct err *err)
{
	(void)err;
	gate->receiving = calloc(1, sizeof *gate->receiving);
	if (gate->receiving == NULL)
		abort();
	gate->receiving->inotify = -1;
	rescan(gate);
	return 0;
}

void receive_stop(struct gate *gate)
{
	if (gate->receiving != NULL && gate->receiving->directory != NULL)
		closedir(gate->receiving->directory);
	free(gate->receiving);
}
