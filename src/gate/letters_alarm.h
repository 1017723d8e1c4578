/* The texts that go out because something did not happen: reminders, alarms, bounces. As letters.h:
 * pure, UTF-8, LF, our own lines at most 76 wide. They say the advisory's number and never what it
 * is about. */
#ifndef DEWLINE_GATE_LETTERS_ALARM_H
#define DEWLINE_GATE_LETTERS_ALARM_H

#include "base/buf.h"
#include "rules/uncounted.h"
#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/bounces.h"
#include "store/reminders.h"
#include "store/epoch.h"

struct letter_reminder {
	const char *programme;
	const char *gateway;
	const struct advisory *advisory;
	const struct revision *revision;
	bool deadline; /* it has passed: the member's other contacts are told too */
	bool everyone; /* every contact has to answer, not one of the member */
	enum uncounted uncounted; /* why an answer that came does not count */
	bool colleague; /* ... that of another contact of the member */
	struct epoch lost; /* the epoch in whose restore answers may have been lost, number 1: none */
	int64_t now;
};
/* "[DEW-2026-0007 r1] Reminder: please answer [TOKEN]". */
void letter_reminder_subject(struct buf *out, const struct letter_reminder *letter);
/* With the token, so that a signed reply to it is the acknowledgment. */
void letter_reminder_text(struct buf *out, const struct letter_reminder *letter);

struct letter_alarm {
	const struct advisory *advisory;
	const struct revision *revision;
	size_t missing; /* members with an answer missing */
	size_t members; /* in the audience */
	struct view names; /* lines about them, from letter_add_missing */
	struct epoch lost; /* as above */
	int64_t now;
};
void letter_alarm_subject(struct buf *out, const struct letter_alarm *letter);
void letter_alarm_text(struct buf *out, const struct letter_alarm *letter);
/* Heads the lines about one member. */
void letter_add_member(struct buf *out, const char *id, const char *name);
/* One contact of it: what the advisory came to, and the reminders. */
void letter_add_missing(struct buf *out, const struct reminder_state *contact);

/* One line or more about a mail that came back, or that somebody wrote to its return path, and the
 * letter around them; `what` is the advisory's number and revision, or how the log calls the
 * message. With `lines` also how that mail begins, where that says more. */
void letter_add_bounce(
    struct buf *out, const struct bounce *bounce, const char *member, bool lines);
void letter_bounces(struct buf *out, const char *what, struct view failures, struct view replies);

/* To the admins: some lines about a mail that ended its workers, and the letter around them; `count` may
 * be more than there are lines about. `known`: one of them seems to be from somebody known. */
void letter_add_fatal(struct buf *out, const struct arrival *arrival);
void letter_fatal(struct buf *out, int64_t count, bool known, struct view lines);

#endif
