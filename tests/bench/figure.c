#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

void samples_add(struct samples *samples, double value)
{
	if (samples->count == BENCH_ROUNDS_MAX)
		abort();
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;
	return (left > right) - (left < right);
}

static struct samples sorted(const struct samples *samples)
{
	struct samples copy = *samples;
	if (copy.count == 0)
		abort();
	qsort(copy.values, copy.count, sizeof copy.values[0], compare);
	return copy;
}

double samples_median(const struct samples *samples)
{
	const struct samples copy = sorted(samples);
	const size_t middle = copy.count / 2;
	return copy.count % 2 == 1 ? copy.values[middle]
				   : (copy.values[middle - 1] + copy.values[middle]) / 2;
}

void figure(const char *name, double value, const char *unit)
{
	printf("%s %.3f %s\n", name, value, unit);
	fflush(stdout);
}

void figure_of(const char *name, const struct samples *samples, const char *unit)
{
	const struct samples copy = sorted(samples);
	note("%s: median of %zu, from %.3f to %.3f %s", name, copy.count, copy.values[0],
	    copy.values[copy.count - 1], unit);
	figure(name, samples_median(samples), unit);
}

void figure_at_least(const char *name, double value, const char *unit, double target)
{
	note("%s: the target is at least %.3f: %s", name, target,
	    value >= target ? "met" : "MISSED");
	figure(name, value, unit);
}

void figure_at_most(const char *name, double value, const char *unit, double target)
{
	note(
	    "%s: the target is at most %.3f: %s", name, target, value <= target ? "met" : "MISSED");
	figure(name, value, unit);
}

static void __attribute__((format(printf, 2, 0)))
say(const char *before, const char *format, va_list args)
{
	fputs(before, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void note(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("# ", format, args);
	va_end(args);
}

void skip(const char *name, const char *why)
{
	note("skipped: %s: %s", name, why);
}

_Noreturn void give_up(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("bench: ", format, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

void must(int result, const struct err *err)
{
	if (result != 0)
		give_up("%s", err->text);
}

double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
