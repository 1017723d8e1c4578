#include "config.h"

#include <string.h>

#include "rules/remind.h"

static int64_t time_of(const struct remind_window *window, int64_t stage)
{
	return stage == REMIND_DEADLINE
		   ? window->acknowledge_by
		   : window->released_at +
			 (window->acknowledge_by - window->released_at) * stage / REMIND_DEADLINE;
}

/* Stage number i; behind the configured ones comes the deadline. */
static int64_t stage_at(const struct remind_window *window, size_t i)
{
	return i < window->stage_count ? window->stages[i] : REMIND_DEADLINE;
}

int64_t remind_stage(const struct remind_window *window, int64_t now)
{
	int64_t latest = 0;
	for (size_t i = 0; i <= window->stage_count; i++) {
		if (time_of(window, stage_at(window, i)) <= now)
			latest = stage_at(window, i);
	}
	return latest;
}

int64_t remind_next(const struct remind_window *window, int64_t now)
{
	for (size_t i = 0; i <= window->stage_count; i++) {
		const int64_t at = time_of(window, stage_at(window, i));
		if (at > now)
			return at;
	}
	return 0;
}

/* Who is asked before the deadline when one answer is enough: the first by rank whom it reached. */
static const struct remind_contact *first_reached(
    const struct remind_contact *contacts, size_t count)
{
	const struct remind_contact *bounced = NULL;
	for (size_t i = 0; i < count; i++) {
		if (contacts[i].sent_at != 0 && !contacts[i].bounced)
			return &contacts[i];
		if (contacts[i].sent_at != 0 && bounced == NULL)
			bounced = &contacts[i];
	}
	return bounced;
}

/* Sets who of one member is missing; true when anybody is. */
static bool judge_answers(enum remind_rule rule, struct remind_contact *contacts, size_t count)
{
	bool answered = false;
	bool missing = false;
	for (size_t i = 0; i < count; i++)
		answered = answered || contacts[i].answered;
	for (size_t i = 0; i < count; i++) {
		contacts[i].missing = rule == REMIND_MEMBER ? !answered : !contacts[i].answered;
		missing = missing || contacts[i].missing;
	}
	return missing;
}

static bool is_asked(enum remind_rule rule, int64_t stage, const struct remind_contact *first,
    const struct remind_contact *contact)
{
	if (stage == REMIND_DEADLINE)
		return true;
	return contact->missing && (rule == REMIND_CONTACT || contact == first);
}

size_t remind_judge(const struct remind_window *window, enum remind_rule rule, int64_t now,
    struct remind_contact *contacts, size_t count)
{
	const int64_t stage = remind_stage(window, now);
	size_t missing = 0;
	size_t end;
	for (size_t from = 0; from < count; from = end) {
		for (end = from;
		     end < count && strcmp(contacts[end].member, contacts[from].member) == 0; end++)
			contacts[end].due = 0;
		if (!judge_answers(rule, &contacts[from], end - from))
			continue;
		missing++;
		const struct remind_contact *first = first_reached(&contacts[from], end - from);
		for (size_t i = from; i < end; i++) {
			struct remind_contact *contact = &contacts[i];
			if (stage > contact->reminded && contact->sent_at != 0 &&
			    contact->sent_at <= time_of(window, stage) &&
			    is_asked(rule, stage, first, contact))
				contact->due = stage;
		}
	}
	return missing;
}
