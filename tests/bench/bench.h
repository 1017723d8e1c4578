/* What the benches share: figures, samples, children, a directory that goes away.
 *
 * `make bench` prints one figure a line, `name value unit`, on standard output, and how it came
 * about on standard error in lines that begin with "#". Things that are compared are measured in
 * turns (ours, theirs, ours, theirs, ...), so that whatever else the machine does meets both, and
 * the medians are compared. A bench that cannot go on ends the program with a message. */
#ifndef DEWLINE_BENCH_BENCH_H
#define DEWLINE_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "pgp/home.h"

enum { BENCH_ROUNDS_MAX = 16, BENCH_PATH_SIZE = HOME_PATH_SIZE };

struct bench {
	char build[BENCH_PATH_SIZE]; /* where our programs are */
	char cache[BENCH_PATH_SIZE]; /* what is kept from one run to the next */
	char scratch[BENCH_PATH_SIZE]; /* gone at the end; short enough for an agent's socket */
};

struct samples {
	double values[BENCH_ROUNDS_MAX];
	size_t count;
};

void samples_add(struct samples *samples, double value);
double samples_median(const struct samples *samples);

/* Prints a figure; or the median of samples, with the least and the most as a note. */
void figure(const char *name, double value, const char *unit);
void figure_of(const char *name, const struct samples *samples, const char *unit);
/* Prints a figure and whether it meets its target. */
void figure_at_least(const char *name, double value, const char *unit, double target);
void figure_at_most(const char *name, double value, const char *unit, double target);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says that this figure is left out, and why. */
void skip(const char *name, const char *why);

/* Ends the program, with this message or that of err. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
void must(int result, const struct err *err);

/* Seconds that only grow, to the microsecond. */
double seconds_now(void);

/* Starts a program, found along PATH, that dies with us; its standard output goes to *out unless
 * that is NULL. */
pid_t child_start(char *const argv[], int *out);
/* Waits until it ends. False when it did not end with status 0. */
bool child_wait(pid_t pid);
/* Runs it to its end. */
bool child_run(char *const argv[]);
/* Where along PATH and in sbin it is. False when nowhere. */
bool program_find(const char *name, char path[static BENCH_PATH_SIZE]);

/* Our fake smarthost, which takes every message and throws it away. */
struct sink {
	pid_t pid;
	int out;
	int64_t port;
};
void sink_start(const struct bench *bench, struct sink *sink);
/* Ends it, and returns how many messages it accepted. */
unsigned long sink_stop(struct sink *sink);

/* The benches. */
void bench_seal(const struct bench *bench);
void bench_courier(const struct bench *bench);
void bench_whole(const struct bench *bench);

#endif
