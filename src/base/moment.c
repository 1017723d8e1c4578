#include "config.h"

#include <time.h>

#include "base/moment.h"

enum {
	MINUTE_S = 60,
	HOUR_MIN = 60,
	DAY_MIN = 24 * HOUR_MIN,
	BY_MINUTES_MIN = 2 * DAY_MIN, /* from here on hours are exact enough */
	BY_HOURS_MIN = 14 * DAY_MIN, /* and from here on days */
};

static struct tm broken_down(int64_t seconds)
{
	const time_t when = (time_t)seconds;
	struct tm broken = {0};
	gmtime_r(&when, &broken);
	return broken;
}

void moment_add(struct buf *out, int64_t when, int64_t now)
{
	/* strftime would follow the locale. */
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	if (when == 0)
		return;
	const struct tm at = broken_down(when);
	buf_printf(out, "%s %d %s", days[(unsigned)at.tm_wday % 7], at.tm_mday,
	    months[(unsigned)at.tm_mon % 12]);
	if (now == 0 || at.tm_year != broken_down(now).tm_year)
		buf_printf(out, " %d", at.tm_year + 1900);
	buf_printf(out, " %02d:%02d UTC", at.tm_hour, at.tm_min);
}

static void add_count(struct buf *out, int64_t count, const char *what)
{
	buf_printf(out, "%lld %s%s", (long long)count, what, count == 1 ? "" : "s");
}

/* "1 hour 30 minutes": the second only when there are any. */
static void add_both(
    struct buf *out, int64_t many, const char *what, int64_t rest, const char *rest_what)
{
	add_count(out, many, what);
	if (rest == 0)
		return;
	buf_add_char(out, ' ');
	add_count(out, rest, rest_what);
}

void moment_add_span(struct buf *out, int64_t seconds)
{
	const int64_t minutes = ((seconds < 0 ? -seconds : seconds) + MINUTE_S / 2) / MINUTE_S;
	const int64_t hours = (minutes + HOUR_MIN / 2) / HOUR_MIN;
	if (minutes == 0)
		buf_add_text(out, "less than a minute");
	else if (minutes < HOUR_MIN)
		add_count(out, minutes, "minute");
	else if (minutes < BY_MINUTES_MIN)
		add_both(out, minutes / HOUR_MIN, "hour", minutes % HOUR_MIN, "minute");
	else if (minutes < BY_HOURS_MIN)
		add_both(out, hours / 24, "day", hours % 24, "hour");
	else
		add_count(out, (minutes + DAY_MIN / 2) / DAY_MIN, "day");
}

void moment_add_from(struct buf *out, int64_t when, int64_t now)
{
	if (when == 0)
		return;
	if (when >= now)
		buf_add_text(out, "in ");
	moment_add_span(out, when - now);
	buf_add_text(out, when >= now ? ", " : " ago, ");
	moment_add(out, when, now);
}
