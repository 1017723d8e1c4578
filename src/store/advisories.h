/* Advisories, their revisions, and acknowledgments. */
#ifndef DEWLINE_STORE_ADVISORIES_H
#define DEWLINE_STORE_ADVISORIES_H

#include "store/messages.h"
#include "store/store.h"

enum { ADVISORY_TOKEN_SIZE = 17 }; /* 80 bits in base32, with NUL */

struct advisory {
	int64_t id;
	char number[STORE_NUMBER_SIZE]; /* "DEW-2026-0007" */
	char state[STORE_ID_SIZE];
	bool bulletin; /* a note for which nobody is asked to answer */
	char tlp[STORE_ID_SIZE];
	char severity[STORE_ID_SIZE]; /* "" when not stated */
	bool exercise;
	int64_t publisher;
	int64_t created_at;
	int64_t revisions; /* the number of the newest, 0: none is out yet */
	int64_t next_revision; /* that of the next one; 0: the advisory is not recorded yet, so 1 */
};
typedef int advisory_fn(void *context, const struct advisory *, struct err *err);

struct revision {
	int64_t id;
	int64_t advisory;
	int64_t number; /* 1, 2, ... */
	char kind[STORE_ID_SIZE]; /* new, update, withdraw */
	char tlp[STORE_ID_SIZE];
	char audience[1024]; /* as the publisher wrote it */
	char token[ADVISORY_TOKEN_SIZE];
	int64_t acknowledge_by; /* 0: no deadline */
	int64_t released_at;
	int64_t publisher; /* who signed it; 0: an admin withdrew it */
	int64_t arrival; /* 0 likewise */
	int64_t message;
	int64_t reported; /* receipts already made: 0 none, 1 sealed, 2 complete */
	bool own_left_out; /* the publisher's own certificate, which was attached */
	struct view title; /* stash; empty when the caller did not ask for it */
};
typedef int revision_fn(void *context, const struct revision *, struct err *err);

/* The next number of a year, such as "DEW-2026-0007", and in a later epoch (epoch.h) "DEW-2026-BKT0007":
 * never given twice. */
int store_advisory_next_number(
    struct store *, const char *prefix, int year, char out[static STORE_NUMBER_SIZE], struct err *);
/* state `held` when the caller says so, otherwise `released`. */
int store_advisory_add(struct store *, struct advisory *, struct err *);
int store_advisory_get(
    struct store *, const char *number, struct advisory *, bool *found, struct err *);
int store_advisory_by_id(struct store *, int64_t id, struct advisory *, bool *found, struct err *);
/* Drills and what happened in earnest are kept apart. */
enum advisory_choice { ADVISORY_ANY, ADVISORY_EARNEST, ADVISORY_EXERCISE };
/* The newest `most` of those chosen, newest first. */
int store_advisory_each_of(struct store *, enum advisory_choice choice, int64_t most, advisory_fn *,
    void *context, struct err *);
/* The newest `most`, newest first. */
int store_advisory_each(struct store *, int64_t most, advisory_fn *, void *context, struct err *);
int store_advisory_move(struct store *, int64_t id, const char *event, struct err *);
/* A new revision of a complete or delivering advisory takes it back to `released`, and gives it its
 * label. One that is withdrawn takes only the notice of that (kind "withdraw"), and stays
 * withdrawn. number 0 is replaced by the next. */
int store_revision_add(struct store *, struct revision *, struct err *);
/* With titles (stashed), by number. */
int store_revision_each(
    struct store *, int64_t advisory, revision_fn *, void *context, struct err *);
int store_revision_by_token(
    struct store *, const char *token, struct revision *, bool *found, struct err *);
int store_revision_by_message(
    struct store *, int64_t message, struct revision *, bool *found, struct err *);
/* Revisions whose receipts are not all made, with titles, oldest first. */
int store_revision_each_unreported(struct store *, revision_fn *, void *context, struct err *);
int store_revision_set_reported(struct store *, int64_t revision, int64_t reported, struct err *);
/* The delivery of a revision to a contact. */
int store_delivery_of_contact(
    struct store *, int64_t message, int64_t contact, struct delivery *, bool *found, struct err *);
/* Contacts to whom any revision of the advisory was sent or is under way, or may have been sent:
 * each once, by id. */
int store_advisory_reached(struct store *, int64_t advisory,
    int (*fn)(void *context, int64_t contact, struct err *err), void *context, struct err *);

/* An admin's wish to withdraw, which the gate carries out: recorded by dewctl. */
int store_withdrawal_ask(struct store *, int64_t advisory, int64_t now, bool *fresh, struct err *);
int store_withdrawal_next(struct store *, int64_t *advisory, bool *found, struct err *);
int store_withdrawal_done(struct store *, int64_t advisory, struct err *);

struct acknowledgment {
	int64_t id;
	int64_t revision;
	int64_t contact;
	int64_t arrival; /* the raw reply: the evidence */
	char status[STORE_ID_SIZE]; /* received, affected, not affected, acting, unreadable */
	int64_t signed_at;
	int64_t received_at;
	char fingerprint[FINGERPRINT_SIZE];
	char clear[STORE_ID_SIZE]; /* what of it travelled in the open: text, subject, or "" */
	struct view comment; /* stash, may be empty */
};
typedef int acknowledgment_fn(void *context, const struct acknowledgment *, struct err *err);

int store_acknowledgment_add(struct store *, struct acknowledgment *, struct err *);
/* Of one revision, by contact and signing time; comments included. */
int store_acknowledgment_each(
    struct store *, int64_t revision, acknowledgment_fn *, void *context, struct err *);

#endif
