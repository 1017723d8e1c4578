/* Reminders: who is due for which at a moment. Pure.
 *
 * A stage is a part of the time to answer, in percent; the last one, 100, is the deadline itself.
 * Of several stages that have come only the latest counts: after an outage nobody gets them all. */
#ifndef DEWLINE_RULES_REMIND_H
#define DEWLINE_RULES_REMIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REMIND_DEADLINE = 100 };

enum remind_rule {
	REMIND_MEMBER, /* any contact of a member answers for it */
	REMIND_CONTACT, /* every contact that was sent the advisory has to answer */
};

struct remind_window {
	int64_t released_at;
	int64_t acknowledge_by; /* more than 0 */
	const int64_t *stages; /* percent, 1 to 99, rising */
	size_t stage_count;
};

/* One contact in the audience. */
struct remind_contact {
	const char *member; /* id */
	int64_t sent_at; /* when the advisory went to them, 0: it did not */
	bool bounced; /* it came back */
	bool answered;
	int64_t reminded; /* the highest stage that they were reminded at, 0: none */
	/* What comes out. */
	int64_t due; /* the stage to remind at now, 0: nothing */
	bool missing; /* their answer is missing by the rule in force */
};

/* The latest stage whose time has come, 0: none yet. */
int64_t remind_stage(const struct remind_window *window, int64_t now);
/* When the next stage comes, 0: none after `now`. */
int64_t remind_next(const struct remind_window *window, int64_t now);

/* Fills `due` and `missing` of contacts that stand in the order of member and rank. Before the
 * deadline, by REMIND_MEMBER the first by rank who got the advisory is reminded, by REMIND_CONTACT
 * everyone who got it and has not answered; at the deadline all of a member with an answer missing
 * who got it. Nobody is reminded twice at a stage, at a lower one than before, or at one whose time
 * came before they had the advisory. A member nobody of whom got it is missing, and nobody is due.
 * Returns how many members have an answer missing. */
size_t remind_judge(const struct remind_window *window, enum remind_rule rule, int64_t now,
    struct remind_contact *contacts, size_t count);

#endif
