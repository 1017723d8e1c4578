/* Counting who was reached and who answered, and how soon. */
#ifndef DEWLINE_RULES_FIGURES_H
#define DEWLINE_RULES_FIGURES_H

#include <stddef.h>

#include "store/stats.h"

/* Begin with {0}. A recipient counts once for each revision. */
struct figures {
	int64_t advisories;
	int64_t recipients;
	int64_t reached;
	int64_t asked; /* reached, and asked to answer by a deadline */
	int64_t in_time; /* of those, answered by it */
	int64_t acknowledged; /* in time or not, asked for or not */
	int64_t *times; /* seconds from release to each first acknowledgment */
	size_t time_room;
	int64_t last; /* the advisory of the row before */
};

/* Rows come by advisory. */
void figures_add(struct figures *figures, const struct stat_row *row);

/* The median of the times in seconds, of an even number the mean of the middle two; -1: nobody has
 * answered. Sorts them. */
int64_t figures_median(struct figures *figures);

void figures_release(struct figures *figures);

/* Drills, bulletins and what happened in earnest are never counted together: a drill is a drill,
 * whatever else it is. */
enum figures_kind { FIGURES_ADVISORY, FIGURES_EXERCISE, FIGURES_BULLETIN, FIGURES_KINDS };
enum figures_kind figures_kind_of(const struct stat_row *row);

#endif
