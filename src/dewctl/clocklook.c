#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/moment.h"
#include "dewctl/clocklook.h"
#include "rules/witness.h"
#include "store/arrivals.h"

int clocklook_read(struct ctl *ctl, struct clock_reading *reading, struct pace_state *state,
    struct pace_verdict *verdict, struct err *err)
{
	clock_find_boot(reading->boot);
	clock_read(reading);
	if (store_pace_get(ctl->store, state, err) < 0)
		return -1;
	*verdict = pace_judge(&state->mark, reading);
	return 0;
}

/* -- whether it is believed -- */

static void say_off(const struct pace_verdict *verdict, const struct pace_state *state,
    const struct clock_reading *reading, struct buf *detail)
{
	const bool started = verdict->started || state->started;
	const bool ahead = verdict->pace == PACE_AHEAD;
	buf_printf(detail, "%s%s ", started ? "the machine was started anew, and its clock " : "the clock ",
	    !ahead ? "was put back by" : started ? "is further than expected by" : "jumped ahead by");
	moment_add_span(detail, verdict->off);
	if (state->since != 0) {
		buf_add_text(detail, " at ");
		moment_add(detail, state->since, 0);
	}
	if (ahead) {
		buf_add_text(detail, ": releases, reminders and expiry wait, and go by ");
		moment_add(detail, verdict->now, reading->now);
		buf_add_text(detail, " now");
	} else {
		buf_add_text(detail, ": releases and reminders are late if it is wrong, and good "
				     "signatures may look as if they came from the future");
	}
	buf_add_text(detail, "; if it is right: dewctl clock confirm; if it is wrong, set it right");
}

/* -- what signatures say -- */

struct hearing {
	int64_t *ahead;
	size_t count;
	char first[STORE_ADDRESS_SIZE]; /* whose date is the most ahead */
};

static int hear(void *context, const struct witness *witness, struct err *err)
{
	struct hearing *hearing = context;
	(void)err;
	if (hearing->count == 0)
		snprintf(hearing->first, sizeof hearing->first, "%s", witness->address);
	hearing->ahead =
	    reallocarray(hearing->ahead, hearing->count + 1, sizeof *hearing->ahead);
	if (hearing->ahead == NULL)
		abort();
	hearing->ahead[hearing->count++] = witness->ahead;
	return 0;
}

static void say_slow(const struct witness_verdict *verdict, int64_t now, struct buf *detail)
{
	buf_add_text(detail, "it is slow by about ");
	moment_add_span(detail, verdict->off);
	buf_printf(detail,
	    ": the newest mails of %zu of %zu signers are dated later than it says. It may well be ",
	    verdict->ahead, verdict->count);
	moment_add(detail, now + verdict->off, now);
	buf_add_text(detail, ": set it right; where no time service keeps it, then call dewctl clock "
			     "confirm");
}

static void say_fast(const struct witness_verdict *verdict, struct buf *detail)
{
	buf_printf(detail, "it may be fast, by up to ");
	moment_add_span(detail, verdict->off);
	buf_printf(detail,
	    ": the newest mails of all %zu signers seem to be older than that when they come. "
	    "Compare it with another clock",
	    verdict->count);
}

static enum finding say_witness(const struct hearing *hearing,
    const struct witness_verdict *verdict, int64_t now, struct buf *detail)
{
	switch (verdict->word) {
	case WITNESS_SLOW:
		say_slow(verdict, now, detail);
		return FINDING_BAD;
	case WITNESS_FAST:
		say_fast(verdict, detail);
		return FINDING_WARNING;
	case WITNESS_THEIRS:
	case WITNESS_EITHER:
		buf_printf(detail, "a mail of %s is dated ",
		    hearing->first[0] == '\0' ? "somebody" : hearing->first);
		moment_add_span(detail, verdict->off);
		buf_add_text(detail, verdict->word == WITNESS_THEIRS
					 ? " later than it came, others' are not: their clock is "
					   "wrong, tell them"
					 : " later than it came: their clock is wrong or this one, "
					   "compare it with another one");
		return FINDING_WARNING;
	default:
		return FINDING_OK;
	}
}

static enum finding look_at_dates(struct ctl *ctl, int64_t now, struct buf *detail)
{
	struct hearing hearing = {.count = 0};
	enum finding finding = FINDING_BAD;
	struct err err;
	if (store_witness_each(ctl->store, now - WITNESS_AGE_S, hear, &hearing, &err) < 0) {
		buf_printf(detail, "%s", err.text);
	} else {
		const struct witness_verdict verdict =
		    witness_judge(hearing.ahead, hearing.count, ctl->config.limits.clock_skew);
		finding = say_witness(&hearing, &verdict, now, detail);
	}
	free(hearing.ahead);
	return finding;
}

/* -- together -- */

static void say_well(const struct clock_reading *reading, struct buf *detail)
{
	moment_add(detail, reading->now, 0);
	buf_add_text(detail, reading->synchronised
				 ? ", and the kernel says that it is synchronised"
				 : ", steady; the kernel does not say that a time service keeps it");
}

static void say_waiting(struct ctl *ctl, struct buf *detail)
{
	int64_t count;
	struct err err;
	if (store_arrival_count_waiting(ctl->store, "", 0, &count, &err) == 0 && count > 0)
		buf_printf(detail, "; %" PRId64 " %s for the date of %s signature: dewctl inbox list",
		    count, count == 1 ? "mail waits" : "mails wait", count == 1 ? "its" : "their");
}

enum finding clocklook(struct ctl *ctl, struct buf *detail)
{
	struct clock_reading reading;
	struct pace_verdict verdict;
	struct pace_state state;
	struct err err;
	enum finding finding = FINDING_BAD;
	if (clocklook_read(ctl, &reading, &state, &verdict, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (verdict.pace != PACE_STEADY)
		say_off(&verdict, &state, &reading, detail);
	else
		finding = look_at_dates(ctl, reading.now, detail);
	if (finding == FINDING_OK)
		say_well(&reading, detail);
	say_waiting(ctl, detail);
	return finding;
}
