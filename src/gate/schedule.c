#include "config.h"

#include "gate/ask.h"
#include "gate/bounce.h"
#include "gate/inform.h"
#include "gate/keep.h"
#include "gate/keylife.h"
#include "gate/mailbox.h"
#include "gate/open.h"
#include "gate/pace.h"
#include "gate/release.h"
#include "gate/remind.h"
#include "gate/restored.h"
#include "gate/schedule.h"
#include "gate/stuck.h"
#include "gate/tell.h"
#include "gate/unsent.h"
#include "gate/warn.h"

enum { SCHEDULE_MS = 30 * 1000, SCHEDULE_SOON_MS = 100 };

/* A check does at most one thing that waits for a worker at a time, and calls schedule_soon when
 * that has ended, so that a long list neither blocks the loop nor floods the vaults. */
typedef void check_fn(struct gate *gate, int64_t now);

static check_fn *const checks[] = {
    pace_check,
    open_check_waits,
    inform_receipts,
    ask_check_lapses,
    ask_check,
    release_check,
    keylife_check,
    remind_check,
    bounce_check,
    tell_check,
    restored_check,
    mailbox_check,
    stuck_check,
    warn_check,
    unsent_check,
    keep_check,
    NULL,
};

static void run(void *context)
{
	struct gate *gate = context;
	gate->schedule = loop_after(gate->loop, SCHEDULE_MS, run, gate);
	for (check_fn *const *check = checks; *check != NULL && !gate->failed; check++)
		(*check)(gate, gate_now(gate));
}

void schedule_soon(struct gate *gate)
{
	loop_timer_cancel(gate->loop, gate->schedule);
	gate->schedule = loop_after(gate->loop, SCHEDULE_SOON_MS, run, gate);
}

void schedule_start(struct gate *gate)
{
	gate->schedule = loop_after(gate->loop, 0, run, gate);
}
