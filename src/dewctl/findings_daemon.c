#include "config.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "dewctl/findings_looks.h"
#include "worker/pulse.h"

enum {
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 86400,
	MS = 1000,
	LOSS_WARNING_S = DAY_S,
	HANGS_S = 90, /* the gate says every 20 seconds that it goes round */
	ENDS_BAD = 3, /* in an hour: it does not live */
};

/* -- what dewlined has left of itself -- */

static bool read_pulse(const struct ctl *ctl, struct pulse *pulse, struct buf *trouble)
{
	char path[CTL_PATH_SIZE];
	struct err err;
	bool found = false;
	ctl_state_path(ctl, "pulse", path);
	if (pulse_read(path, pulse, &found, &err) < 0 && trouble != NULL)
		buf_printf(trouble, " (%s)", err.text);
	return found;
}

/* "running since", "ended at": what an admin wants to know first. */
static void say_span(struct buf *detail, int64_t seconds)
{
	if (seconds < 2 * MINUTE_S)
		buf_printf(detail, "%" PRId64 " s", seconds);
	else if (seconds < 2 * HOUR_S)
		buf_printf(detail, "%" PRId64 " min", seconds / MINUTE_S);
	else if (seconds < 2 * DAY_S)
		buf_printf(detail, "%" PRId64 " h", seconds / HOUR_S);
	else
		buf_printf(detail, "%" PRId64 " days", seconds / DAY_S);
}

/* "3 times", "128 times or more". */
static void say_times(struct buf *detail, int64_t count)
{
	if (count == 1)
		buf_add_text(detail, "once");
	else
		buf_printf(detail, "%" PRId64 " times%s", count, count < PULSE_KEPT ? "" : " or more");
}

/* How often it ended in the last hour. Once or twice is one step better than again and again. */
static enum finding say_ends(const struct pulse *pulse, enum pulse_kind kind, int64_t now,
    enum finding again_and_again, struct buf *detail)
{
	const int64_t ends = pulse_count(pulse, kind, now - HOUR_S);
	char when[TEXT_TIME_SIZE];
	if (ends == 0)
		return FINDING_OK;
	text_format_time(pulse_last_at(pulse, kind), when);
	buf_add_text(detail, "; it ended by itself ");
	say_times(detail, ends);
	buf_printf(detail, " in the last hour, last at %s: %s", when, pulse->logs[kind].last);
	return ends >= ENDS_BAD ? again_and_again : (enum finding)(again_and_again - 1);
}

/* Also where it was stopped on purpose or is not started yet: until it is, nobody is reached. */
enum finding look_at_daemon(struct ctl *ctl, struct buf *detail)
{
	struct pulse pulse;
	char when[TEXT_TIME_SIZE];
	const bool runs = ctl_daemon_runs(ctl);
	const bool found = read_pulse(ctl, &pulse, NULL);
	if (runs) {
		buf_printf(detail, "dewlined is running");
		if (found) {
			text_format_time(pulse.started, when);
			buf_printf(detail, ", since %s, process %" PRId64, when, pulse.pid);
		}
		return found ? say_ends(&pulse, PULSE_DAEMON_END, ctl->now, FINDING_WARNING, detail)
			     : FINDING_OK;
	}
	buf_printf(
	    detail, "dewlined is not running: nothing is taken in or sent until it is started");
	if (!found)
		return FINDING_BAD;
	text_format_time(pulse.seen, when);
	if (pulse.stage != PULSE_ENDED)
		buf_printf(detail, "; it was killed, or the machine stopped; last seen %s", when);
	else if (pulse_last_at(&pulse, PULSE_DAEMON_END) >= pulse.started)
		buf_printf(detail, "; it ended at %s: %s", when, pulse.logs[PULSE_DAEMON_END].last);
	else
		buf_printf(detail, "; it was asked to end at %s", when);
	return FINDING_BAD;
}

static enum finding judge_stage(
    const struct pulse *pulse, int64_t now, int64_t now_ms, struct buf *detail)
{
	const int64_t quiet = pulse->seen_ms <= now_ms ? (now_ms - pulse->seen_ms) / MS
						       : now - pulse->seen;
	char since[TEXT_TIME_SIZE];
	text_format_time(pulse->since, since);
	switch ((enum pulse_stage)pulse->stage) {
	case PULSE_RUNS:
		buf_printf(detail, "running since %s", since);
		if (quiet < HANGS_S)
			return FINDING_OK;
		buf_add_text(detail, ", but it hangs: no sign of life for ");
		say_span(detail, quiet);
		buf_add_text(detail, "; a service manager with a watchdog ends it after 5 min, "
				     "otherwise restart dewlined");
		return FINDING_BAD;
	case PULSE_STARTS:
		buf_add_text(detail, "it starts, for ");
		say_span(detail, quiet);
		buf_add_text(detail, ": nothing is taken in or sent yet");
		return quiet < HANGS_S ? FINDING_WARNING : FINDING_BAD;
	case PULSE_WAITS:
		buf_add_text(detail,
		    "it is down, and will be started anew: nothing is taken in or sent");
		return FINDING_BAD;
	case PULSE_ENDED:
		break;
	}
	buf_add_text(detail, "it ends");
	return FINDING_WARNING;
}

enum finding findings_judge_gate(
    const struct pulse *pulse, int64_t now, int64_t now_ms, struct buf *detail)
{
	const enum finding stage = judge_stage(pulse, now, now_ms, detail);
	const enum finding ends = say_ends(pulse, PULSE_GATE_END, now, FINDING_BAD, detail);
	return stage > ends ? stage : ends;
}

enum finding look_at_gate(struct ctl *ctl, struct buf *detail)
{
	struct pulse pulse;
	struct buf trouble = BUF_EMPTY(BUF_SMALL);
	enum finding result = FINDING_BAD;
	if (!ctl_daemon_runs(ctl))
		result = FINDING_NONE;
	else if (read_pulse(ctl, &pulse, &trouble))
		result = findings_judge_gate(&pulse, ctl->now, clock_monotonic_ms(), detail);
	else
		buf_printf(detail,
		    "dewlined has left no word of it in %s/pulse%s: the disk was full when it "
		    "started, or dewlined is another version than dewctl; make room, and restart it",
		    ctl->config.state, buf_text(&trouble));
	buf_release(&trouble);
	return result;
}

/* Whatever the gate logs as an error, it may be of a kind that no other row tells of. */
enum finding look_at_errors(struct ctl *ctl, struct buf *detail)
{
	struct pulse pulse;
	char when[TEXT_TIME_SIZE];
	if (!read_pulse(ctl, &pulse, NULL))
		return FINDING_NONE;
	const int64_t count = pulse_count(&pulse, PULSE_ERROR, ctl->now - HOUR_S);
	if (count == 0) {
		buf_add_text(detail, "the gate logged none in the last hour");
		return FINDING_OK;
	}
	text_format_time(pulse_last_at(&pulse, PULSE_ERROR), when);
	buf_add_text(detail, "the gate logged an error ");
	say_times(detail, count);
	buf_printf(detail, " in the last hour, last at %s: %s", when, pulse.logs[PULSE_ERROR].last);
	return FINDING_WARNING;
}

/* -- the workers -- */

static int read_number(struct ctl *ctl, const char *name, int64_t *number, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	*number = 0;
	const int status = store_value_get(ctl->store, name, &value, &found, err);
	if (status == 0 && found)
		text_number(buf_view(&value), 0, INT64_MAX, number);
	buf_release(&value);
	return status;
}

/* True when the daemon cannot start what it needs, and why. */
static bool has_trouble(struct ctl *ctl, struct buf *detail)
{
	struct buf trouble = BUF_EMPTY(BUF_SMALL);
	struct err err;
	bool found;
	const bool has = store_value_get(ctl->store, "trouble", &trouble, &found, &err) == 0 &&
			 found && trouble.len > 0 && ctl_daemon_runs(ctl);
	if (has)
		buf_printf(detail, "%s; it is tried again and again", buf_text(&trouble));
	buf_release(&trouble);
	return has;
}

static void say_last_loss(const struct ctl *ctl, struct buf *detail)
{
	struct pulse pulse;
	if (!read_pulse(ctl, &pulse, NULL) || pulse.logs[PULSE_WORKER_END].total == 0)
		return;
	buf_printf(detail, ", %" PRId64 " of them in the last hour; %s",
	    pulse_count(&pulse, PULSE_WORKER_END, ctl->now - HOUR_S),
	    pulse.logs[PULSE_WORKER_END].last);
}

/* Processes that ended before they had answered: an attack, a fault, or a machine without memory.
 */
enum finding look_at_processes(struct ctl *ctl, struct buf *detail)
{
	char when[TEXT_TIME_SIZE];
	int64_t readers;
	int64_t vaults;
	int64_t couriers;
	int64_t at;
	struct err err;
	if (has_trouble(ctl, detail))
		return FINDING_BAD;
	if (read_number(ctl, "lost-readers", &readers, &err) < 0 ||
	    read_number(ctl, "lost-vaults", &vaults, &err) < 0 ||
	    read_number(ctl, "lost-couriers", &couriers, &err) < 0 ||
	    read_number(ctl, "lost-at", &at, &err) < 0) {
		buf_printf(detail, "%s", err.text);
		return FINDING_BAD;
	}
	if (at == 0) {
		buf_printf(detail, "none was lost");
		return FINDING_OK;
	}
	text_format_time(at, when);
	buf_printf(detail,
	    "%" PRId64 " readers, %" PRId64 " vaults and %" PRId64
	    " couriers were lost so far, the last by %s",
	    readers, vaults, couriers, when);
	say_last_loss(ctl, detail);
	return ctl->now - at < LOSS_WARNING_S ? FINDING_WARNING : FINDING_OK;
}
