/* Reports by contacts and the publishers' replies; materials to hand out; labels of messages that
 * are no advisories. */
#ifndef DEWLINE_STORE_INFORM_H
#define DEWLINE_STORE_INFORM_H

#include "store/store.h"

struct member_report {
	int64_t id;
	char number[STORE_NUMBER_SIZE]; /* "REP-2026-0001" */
	int64_t contact;
	char tlp[STORE_ID_SIZE];
	int64_t advisory; /* 0: about none */
	int64_t received_at;
	int64_t arrival; /* the raw mail: the record */
	int64_t message; /* to the publishers */
	int64_t receipt; /* the message that tells the contact, 0: not made yet */
	int64_t replies; /* how many went back */
	struct view title; /* stash; empty where the caller gets one report */
};
typedef int member_report_fn(void *context, const struct member_report *, struct err *err);

int store_report_add(struct store *, struct member_report *, struct err *);
int store_report_get(
    struct store *, const char *number, struct member_report *, bool *found, struct err *);
/* The newest `most`, newest first, with titles. */
int store_report_each(
    struct store *, int64_t most, member_report_fn *, void *context, struct err *);
/* The one report, with its title. */
int store_report_open(
    struct store *, const char *number, member_report_fn *, void *context, struct err *);
/* The oldest whose contact has no receipt yet. */
int store_report_unanswered(struct store *, struct member_report *, bool *found, struct err *);
int store_report_set_receipt(struct store *, int64_t report, int64_t message, struct err *);

struct report_reply {
	int64_t message; /* to the contact */
	int64_t report;
	int64_t publisher;
	int64_t arrival;
	int64_t sent_at;
};
typedef int report_reply_fn(void *context, const struct report_reply *, struct err *err);
int store_report_reply_add(struct store *, const struct report_reply *, struct err *);
int store_report_reply_each(
    struct store *, int64_t report, report_reply_fn *, void *context, struct err *);

struct material {
	int64_t id;
	char name[STORE_ID_SIZE]; /* lower-case letters, digits, hyphens */
	char audience[STORE_NAME_SIZE]; /* a group, a member or "all" */
	char tlp[STORE_ID_SIZE];
	int64_t size; /* bytes of the file */
	int64_t added_at;
	struct view title; /* stashes; views, empty where the caller does not get them */
	struct view file; /* the file's name */
	struct view content;
};
typedef int material_fn(void *context, const struct material *, struct err *err);

/* *added is false where the name is taken. */
int store_material_add(struct store *, struct material *, bool *added, struct err *);
/* With title and file name, by name. */
int store_material_each(struct store *, material_fn *, void *context, struct err *);
/* title, file and content may be NULL; else they are appended to. */
int store_material_get(struct store *, const char *name, struct material *, struct buf *title,
    struct buf *file, struct buf *content, bool *found, struct err *);
int store_material_remove(struct store *, const char *name, bool *found, struct err *);

/* A message other than an advisory that only those may have who are of an active member and cleared
 * for this label: looked at again before it is sealed and sent. */
int store_label_add(struct store *, int64_t message, const char *tlp, struct err *);
int store_label_get(
    struct store *, int64_t message, char tlp[static STORE_ID_SIZE], bool *found, struct err *);

#endif
