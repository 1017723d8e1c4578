#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/moment.h"
#include "base/text.h"
#include "rules/agreement.h"
#include "rules/status.h"

enum { DAY = 86400 };

static const int64_t reminder_days[] = {7, 1}; /* before the required date, first to last */
enum { REMINDERS = sizeof reminder_days / sizeof reminder_days[0] };

static bool live(const struct agreement_row *row, int64_t now)
{
	return row->expires == 0 || row->expires > now;
}

static bool is_accepted(const struct agreement_row *row)
{
	return strcmp(row->answer, "accept") == 0;
}

/* Its place in the rows; count: none is in force. */
static size_t find_in_force(const struct agreement_standing *standing, int64_t now)
{
	size_t i = 0;
	while (i < standing->count && standing->rows[i].required_from > now)
		i++;
	return i;
}

int64_t agreement_in_force(const struct agreement_standing *standing, int64_t now)
{
	const size_t i = find_in_force(standing, now);
	return i == standing->count ? 0 : standing->rows[i].version;
}

int64_t agreement_signed_version(const struct agreement_standing *standing)
{
	for (size_t i = 0; i < standing->count; i++) {
		if (is_accepted(&standing->rows[i]))
			return standing->rows[i].version;
	}
	return 0;
}

static void explain(const struct agreement_standing *standing, size_t in_force, int64_t now,
    char reason[static STORE_REASON_SIZE])
{
	const struct agreement_row *row = &standing->rows[in_force];
	const long long version = row->version;
	const long long older = agreement_signed_version(standing);
	struct buf when = BUF_EMPTY(BUF_SMALL);
	if (!live(row, now)) {
		moment_add(&when, row->expires, 0);
		snprintf(reason, STORE_REASON_SIZE,
		    "agreement version %lld expired on %s, and no later one is signed", version,
		    buf_text(&when));
	} else if (strcmp(row->answer, "decline") == 0) {
		snprintf(reason, STORE_REASON_SIZE, "agreement version %lld was declined", version);
	} else if (older > 0 && older < version) {
		moment_add(&when, row->required_from, 0);
		snprintf(reason, STORE_REASON_SIZE,
		    "agreement version %lld is required since %s, and only version %lld is signed",
		    version, buf_text(&when), older);
	} else {
		snprintf(
		    reason, STORE_REASON_SIZE, "agreement version %lld is not signed", version);
	}
	buf_release(&when);
}

bool agreement_suffices(
    const struct agreement_standing *standing, int64_t now, char reason[static STORE_REASON_SIZE])
{
	const size_t in_force = find_in_force(standing, now);
	reason[0] = '\0';
	if (in_force == standing->count)
		return true;
	for (size_t i = 0; i <= in_force; i++) {
		if (is_accepted(&standing->rows[i]) && live(&standing->rows[i], now))
			return true;
	}
	explain(standing, in_force, now, reason);
	return false;
}

int64_t agreement_reminders_due(int64_t asked_at, int64_t required_from, int64_t now)
{
	int64_t due = 0;
	for (size_t i = 0; i < REMINDERS; i++) {
		const int64_t at = required_from - reminder_days[i] * DAY;
		due += at > asked_at && at <= now && now < required_from;
	}
	return due;
}

static const struct {
	const char *text;
	enum agreement_word word;
} words[] = {
    {"accept", AGREEMENT_ACCEPT},
    {"accepted", AGREEMENT_ACCEPT},
    {"agree", AGREEMENT_ACCEPT},
    {"agreed", AGREEMENT_ACCEPT},
    {"decline", AGREEMENT_DECLINE},
    {"declined", AGREEMENT_DECLINE},
    {"leave", AGREEMENT_LEAVE},
};

enum agreement_word agreement_read(const struct reply *reply)
{
	struct view rest = buf_view(&reply->comment);
	struct view line;
	if (!view_next_line(&rest, &line))
		return AGREEMENT_SILENT;
	line = status_bare(line);
	if (view_starts_nocase(line, "i") && text_blank(view_part(line, 1, line.len)) > 0)
		line = text_trim(view_part(line, 1, line.len));
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (view_is_nocase(line, words[i].text))
			return words[i].word;
	}
	return AGREEMENT_SILENT;
}

const char *agreement_word_name(enum agreement_word word)
{
	static const char *const names[] = {
	    [AGREEMENT_SILENT] = "",
	    [AGREEMENT_ACCEPT] = "accept",
	    [AGREEMENT_DECLINE] = "decline",
	    [AGREEMENT_LEAVE] = "leave",
	};
	return names[word];
}
