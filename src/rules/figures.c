#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rules/figures.h"

static void add_time(struct figures *figures, int64_t seconds)
{
	const size_t count = (size_t)figures->acknowledged;
	if (count == figures->time_room) {
		figures->time_room = figures->time_room * 2 + 64;
		figures->times =
		    reallocarray(figures->times, figures->time_room, sizeof *figures->times);
		if (figures->times == NULL)
			abort();
	}
	figures->times[count] = seconds;
	figures->acknowledged++;
}

void figures_add(struct figures *figures, const struct stat_row *row)
{
	figures->advisories += figures->advisories == 0 || row->advisory != figures->last;
	figures->last = row->advisory;
	figures->recipients++;
	figures->reached += row->reached;
	if (row->acknowledged_at != 0)
		add_time(figures, row->acknowledged_at - row->released_at);
	if (!row->reached || row->acknowledge_by == 0)
		return;
	figures->asked++;
	figures->in_time +=
	    row->acknowledged_at != 0 && row->acknowledged_at <= row->acknowledge_by;
}

static int compare(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

int64_t figures_median(struct figures *figures)
{
	const size_t count = (size_t)figures->acknowledged;
	if (count == 0)
		return -1;
	qsort(figures->times, count, sizeof *figures->times, compare);
	const int64_t upper = figures->times[count / 2];
	return count % 2 == 1 ? upper : (figures->times[count / 2 - 1] + upper) / 2;
}

void figures_release(struct figures *figures)
{
	free(figures->times);
	memset(figures, 0, sizeof *figures);
}

enum figures_kind figures_kind_of(const struct stat_row *row)
{
	if (row->exercise)
		return FIGURES_EXERCISE;
	return row->bulletin ? FIGURES_BULLETIN : FIGURES_ADVISORY;
}
