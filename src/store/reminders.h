/* Reminders: what was sent because an answer was missing, each stage once (rules/remind.h). */
#ifndef DEWLINE_STORE_REMINDERS_H
#define DEWLINE_STORE_REMINDERS_H

#include "store/advisories.h"

/* Revisions whose answers are waited for, oldest first, without titles: released, with a deadline
 * that is not dealt with, the newest one of its advisory, and no notice of a withdrawal. */
int store_reminder_each_open(
    struct store *, int64_t now, revision_fn *, void *context, struct err *);

/* One contact in the audience of a revision, in the order of member and rank. */
struct reminder_state {
	int64_t contact;
	int64_t delivery;
	char member[STORE_ID_SIZE];
	char address[STORE_ADDRESS_SIZE];
	char state[STORE_ID_SIZE]; /* of the delivery */
	char reason[STORE_REASON_SIZE]; /* likewise */
	int64_t sent_at; /* when it was handed over, perhaps only perhaps; 0: it was not */
	bool answered;
	int64_t reminded; /* highest stage, 0: none */
	char uncounted[STORE_ID_SIZE]; /* why an answer of theirs does not count, by name, or "" */
	char unreached[STORE_REASON_SIZE]; /* why the last reminder could not go to them, or "" */
};
typedef int reminder_state_fn(void *context, const struct reminder_state *, struct err *err);
int store_reminder_each_state(
    struct store *, const struct revision *, reminder_state_fn *, void *context, struct err *);

/* *fresh is false where the contact was reminded at this stage before. */
int store_reminder_add(struct store *, int64_t revision, int64_t contact, int64_t stage,
    int64_t message, int64_t now, bool *fresh, struct err *);
/* The deadline is dealt with; message 0: there was nothing to tell. *fresh as above. */
int store_deadline_add(struct store *, int64_t revision, int64_t message, int64_t missing,
    int64_t now, bool *fresh, struct err *);

/* For people: every reminder and alarm of one advisory (0: of all), oldest first. */
struct reminder {
	char advisory[STORE_NUMBER_SIZE];
	int64_t revision; /* its number */
	char member[STORE_ID_SIZE]; /* "" for an alarm */
	char address[STORE_ADDRESS_SIZE];
	int64_t stage;
	int64_t recorded_at;
	char state[STORE_ID_SIZE]; /* of its delivery */
	char reason[STORE_REASON_SIZE];
	int64_t sent_at;
};
typedef int reminder_fn(void *context, const struct reminder *, struct err *err);
int store_reminder_each(
    struct store *, int64_t advisory, reminder_fn *, void *context, struct err *);

#endif
