/* What dewlined leaves of itself for whoever looks from outside: the file STATE/pulse.
 *
 * It tells of the gate that runs, of the ends of gates and workers, and of the errors that the gate
 * logged, also when the store can tell nothing because the disk is full: the file has its room from
 * the first start on, is written over in place, and needs no running gate to be read. It is not
 * synced: what it tells is of use as long as the machine runs. One process writes it, the holder of
 * the state's lock. */
#ifndef DEWLINE_WORKER_PULSE_H
#define DEWLINE_WORKER_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { PULSE_KEPT = 128, PULSE_TEXT_SIZE = 320 };

enum pulse_stage {
	PULSE_ENDED, /* dewlined has ended in good order, or never began */
	PULSE_STARTS, /* the gate was started, and is not ready yet */
	PULSE_RUNS, /* the gate has said that it is ready */
	PULSE_WAITS, /* the gate has ended, and is started anew after a pause */
};

/* What happens again and again. */
enum pulse_kind {
	PULSE_GATE_END, /* of a gate, that was not asked for */
	PULSE_DAEMON_END, /* of dewlined itself: killed, or it could not start */
	PULSE_WORKER_END, /* of a reader, vault or courier */
	PULSE_ERROR, /* a line of the gate's log at level error */
	PULSE_KINDS
};

struct pulse_log {
	int64_t at[PULSE_KEPT]; /* a ring of times in seconds since 1970 */
	int64_t total; /* since the file was made */
	char last[PULSE_TEXT_SIZE]; /* what is known of the newest */
};

struct pulse {
	int64_t stage; /* enum pulse_stage */
	int64_t pid; /* of dewlined */
	int64_t started; /* dewlined; this and the next two in seconds since 1970 */
	int64_t since; /* the stage */
	int64_t seen; /* the gate's last sign of life, or the last change of the stage */
	int64_t seen_ms; /* the same in milliseconds of CLOCK_MONOTONIC */
	struct pulse_log logs[PULSE_KINDS];
};

/* How many of a kind happened from `since` on, PULSE_KEPT for that many or more. */
int64_t pulse_count(const struct pulse *pulse, enum pulse_kind kind, int64_t since);
/* When the newest of a kind happened, 0: never. */
int64_t pulse_last_at(const struct pulse *pulse, enum pulse_kind kind);

/* Reads it. *found is false where there is none, or none that is whole. */
int pulse_read(const char *path, struct pulse *out, bool *found, struct err *err);

/* The writer's side. What cannot be written now is written with the next change: no failure of it
 * holds anything up. NULL is harmless in all of them. */
struct pulse_file;
/* Opens it, or makes it, and takes over what the former dewlined left. One that did not end in good
 * order counts as such an end. Never NULL. */
struct pulse_file *pulse_open(const char *path);
void pulse_free(struct pulse_file *file);
void pulse_stage(struct pulse_file *file, enum pulse_stage stage);
/* A sign of life: the gate goes round. */
void pulse_seen(struct pulse_file *file);
/* Something happened; control characters in the text are replaced. */
void pulse_note(struct pulse_file *file, enum pulse_kind kind, const char *text);

#endif
