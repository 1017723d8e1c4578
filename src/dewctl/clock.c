/* dewctl clock ... */
#include "config.h"

#include "base/moment.h"
#include "base/text.h"
#include "dewctl/clocklook.h"
#include "dewctl/verbs.h"

static const struct report_column columns[] = {
    {"now", "The clock", REPORT_TIME},
    {"believed", "Believed", REPORT_FLAG},
    {"goes_by", "What waits goes by", REPORT_TIME},
    {"ahead", "Ahead of what is expected (s)", REPORT_NUMBER},
    {"since", "Since", REPORT_TIME},
    {"synchronised", "Synchronised", REPORT_FLAG},
};

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct clock_reading reading;
	struct pace_verdict verdict;
	struct pace_state state;
	(void)call;
	if (ctl_open_store(ctl, err) < 0 ||
	    clocklook_read(ctl, &reading, &state, &verdict, err) < 0)
		return -1;
	struct report *report = report_record(columns, sizeof columns / sizeof columns[0]);
	report_add_time(report, reading.now);
	report_add_flag(report, verdict.pace == PACE_STEADY);
	report_add_time(report, verdict.now);
	report_add_number(report, verdict.off);
	report_add_time(report, verdict.pace == PACE_STEADY ? 0 : state.since);
	report_add_flag(report, reading.synchronised);
	return ctl_print(ctl, report, err);
}

/* From now on time goes on from here. */
static int confirm(struct ctl *ctl, struct clock_reading *reading, struct err *err)
{
	struct pace_verdict verdict;
	struct pace_state state;
	struct buf by = BUF_EMPTY(BUF_SMALL);
	char when[TEXT_TIME_SIZE];
	if (clocklook_read(ctl, reading, &state, &verdict, err) < 0)
		return -1;
	const struct pace_verdict believed = {.pace = PACE_STEADY};
	state = (struct pace_state){.since = 0};
	pace_renew(&state.mark, reading, &believed);
	moment_add_span(&by, verdict.off);
	text_format_time(reading->now, when);
	const int status = store_pace_set(ctl->store, &state, err) < 0 ||
				   store_witness_forget(ctl->store, err) < 0
			       ? -1
			       : ctl_audit(ctl, "clock.confirm", "clock", err,
				     "%s is right; it was %s by %s", when,
				     verdict.off < 0 ? "put back" : "ahead", buf_text(&by));
	buf_release(&by);
	return status;
}

static int run_confirm(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct clock_reading reading;
	struct buf now = BUF_EMPTY(BUF_SMALL);
	(void)call;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, confirm(ctl, &reading, err), err) < 0)
		return -1;
	moment_add(&now, reading.now, 0);
	ctl_say("The clock is right: it is %s. What waits for its hour goes by it.", buf_text(&now));
	buf_release(&now);
	ctl_warn_idle(ctl);
	return 0;
}

const struct ctl_verb clock_verbs[] = {
    {"show", "", 0, 0, true, NULL, "Says whether the clock is believed",
	"A clock is believed that went on at the pace of the machine's running time, that the\n"
	"kernel calls synchronised, or that an admin has confirmed.\n",
	run_show},
    {"confirm", "", 0, 0, false, NULL, "Says that the clock is right",
	"Compare it with another clock before. What waits for an hour (held advisories,\n"
	"reminders, deadlines, expiry) goes by it at once.\n",
	run_confirm},
    {0},
};
