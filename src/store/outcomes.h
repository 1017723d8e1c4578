/* How it went lately with those who are to get mail. */
#ifndef DEWLINE_STORE_OUTCOMES_H
#define DEWLINE_STORE_OUTCOMES_H

#include "store/messages.h"

/* A mail that came back is followed by one that went through only when that one has not come back
 * for so long. */
enum { OUTCOME_QUIET_S = 3600 };

struct outcome {
	struct delivery delivery; /* failed at the smarthost, or bounced */
	char is[STORE_ID_SIZE]; /* "contact", "publisher", "admin" */
	int64_t bounced_at; /* 0: it failed */
};
typedef int outcome_fn(void *context, const struct outcome *, struct err *err);

/* Everybody who is there still, under the same address, and whose last mail failed or came back, none
 * having gone through since: acknowledged, or taken by the smarthost; after one that came back, only
 * one that was taken later and is quiet since OUTCOME_QUIET_S. By address. */
int store_outcome_each_unwell(
    struct store *, int64_t now, outcome_fn *, void *context, struct err *);

/* The last word of the smarthost, about whatever mail it was. */
struct smarthost_word {
	int64_t at; /* 0: it has said none yet */
	int64_t code; /* SMTP reply code, 0: none came */
	bool taken; /* the mail */
	char text[STORE_REASON_SIZE]; /* with the code, and the step of the dialogue where it refused */
};
int store_smarthost_word_get(struct store *, struct smarthost_word *, struct err *);
int store_smarthost_word_set(struct store *, const struct smarthost_word *, struct err *);

#endif
