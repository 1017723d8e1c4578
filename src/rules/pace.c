#include "config.h"

#include <string.h>

#include "rules/pace.h"

static bool is_new_start(const struct pace_mark *mark, const struct clock_reading *reading)
{
	const bool named = mark->boot[0] != '\0' && reading->boot[0] != '\0';
	return reading->running < mark->running ||
	       (named && strcmp(mark->boot, reading->boot) != 0);
}

struct pace_verdict pace_judge(const struct pace_mark *mark, const struct clock_reading *reading)
{
	struct pace_verdict verdict = {.pace = PACE_STEADY, .now = reading->now};
	if (mark->now == 0)
		return verdict;
	verdict.started = is_new_start(mark, reading);
	const int64_t passed =
	    verdict.started ? reading->running : reading->running - mark->running;
	const int64_t most = verdict.started ? PACE_START_S : PACE_STEP_S;
	verdict.off = reading->now - (mark->now + passed);
	verdict.stepped = verdict.off > most || verdict.off < -PACE_STEP_S;
	if (!verdict.stepped || reading->synchronised)
		return verdict;
	verdict.stepped = false;
	verdict.pace = verdict.off > 0 ? PACE_AHEAD : PACE_BEHIND;
	if (verdict.pace == PACE_AHEAD)
		verdict.now = mark->now + passed;
	return verdict;
}

void pace_renew(
    struct pace_mark *mark, const struct clock_reading *reading, const struct pace_verdict *verdict)
{
	/* Where it is not believed, the mark goes on at its pace. */
	mark->now =
	    verdict->pace == PACE_STEADY ? reading->now : reading->now - verdict->off;
	mark->running = reading->running;
	memcpy(mark->boot, reading->boot, sizeof mark->boot);
}
