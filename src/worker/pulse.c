#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/pulse.h"

enum { READ_TRIES = 20, READ_PAUSE_US = 1000, MODE = 0600 };

/* "dewpulse" and the version of what follows. */
static const int64_t magic = 0x6577707574736501;

/* The whole file. Front and back are equal in one that was not written just while it was read. */
struct block {
	int64_t magic;
	int64_t front;
	struct pulse pulse;
	int64_t back;
};

struct pulse_file {
	int fd; /* -1: there is none */
	bool complained;
	struct block block;
};

/* -- reading -- */

int64_t pulse_count(const struct pulse *pulse, enum pulse_kind kind, int64_t since)
{
	int64_t count = 0;
	for (size_t i = 0; i < PULSE_KEPT; i++)
		count += pulse->logs[kind].at[i] != 0 && pulse->logs[kind].at[i] >= since;
	return count;
}

int64_t pulse_last_at(const struct pulse *pulse, enum pulse_kind kind)
{
	const struct pulse_log *log = &pulse->logs[kind];
	return log->total > 0 ? log->at[(log->total - 1) % PULSE_KEPT] : 0;
}

/* Whatever its bytes are: texts end, counts are counts. */
static bool is_whole(struct block *block)
{
	for (size_t i = 0; i < PULSE_KINDS; i++) {
		struct pulse_log *log = &block->pulse.logs[i];
		log->last[PULSE_TEXT_SIZE - 1] = '\0';
		if (log->total < 0)
			return false;
	}
	return block->magic == magic && block->front == block->back;
}

static bool read_block(int fd, struct block *block)
{
	for (int i = 0; i < READ_TRIES; i++) {
		if (pread(fd, block, sizeof *block, 0) == (ssize_t)sizeof *block && is_whole(block))
			return true;
		usleep(READ_PAUSE_US);
	}
	return false;
}

int pulse_read(const char *path, struct pulse *out, bool *found, struct err *err)
{
	struct block block;
	*found = false;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_system(err, "cannot open %s", path);
	*found = read_block(fd, &block);
	if (*found)
		*out = block.pulse;
	close(fd);
	return 0;
}

/* -- writing -- */

static void write_block(struct pulse_file *file)
{
	struct block *block = &file->block;
	struct err err;
	block->front = ++block->back;
	if (file->fd < 0 ||
	    pwrite(file->fd, block, sizeof *block, 0) == (ssize_t)sizeof *block ||
	    file->complained)
		return;
	err_system(&err, "cannot keep for dewctl check how it goes here");
	log_warning("%s", err.text);
	file->complained = true;
}

struct pulse_file *pulse_open(const char *path)
{
	struct pulse_file *file = calloc(1, sizeof *file);
	struct err err;
	if (file == NULL)
		abort();
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, MODE);
	if (file->fd < 0) {
		err_system(&err, "cannot open %s, where dewctl check looks", path);
		log_warning("%s", err.text);
	} else if (!read_block(file->fd, &file->block)) {
		file->block = (struct block){.magic = 0};
	}
	file->block.magic = magic;
	if (file->block.pulse.stage != PULSE_ENDED)
		pulse_note(file, PULSE_DAEMON_END,
		    "without a word: it was killed, or the machine stopped");
	file->block.pulse.pid = getpid();
	file->block.pulse.started = clock_now();
	pulse_stage(file, PULSE_STARTS);
	return file;
}

void pulse_free(struct pulse_file *file)
{
	if (file == NULL)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

void pulse_seen(struct pulse_file *file)
{
	if (file == NULL)
		return;
	file->block.pulse.seen = clock_now();
	file->block.pulse.seen_ms = clock_monotonic_ms();
	write_block(file);
}

void pulse_stage(struct pulse_file *file, enum pulse_stage stage)
{
	if (file == NULL)
		return;
	file->block.pulse.stage = (int64_t)stage;
	file->block.pulse.since = clock_now();
	pulse_seen(file);
}

void pulse_note(struct pulse_file *file, enum pulse_kind kind, const char *text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	if (file == NULL)
		return;
	struct pulse_log *log = &file->block.pulse.logs[kind];
	text_add_shown(&shown, view_of(text));
	struct view fits = view_part(buf_view(&shown), 0, PULSE_TEXT_SIZE - 1);
	while (!text_is_utf8(fits))
		fits.len--;
	log->at[log->total++ % PULSE_KEPT] = clock_now();
	view_copy(fits, log->last, sizeof log->last);
	buf_release(&shown);
	write_block(file);
}
