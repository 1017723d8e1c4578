/* Traced copies: each delivery of the message has a text of its own, and is sealed alone. The
 * message itself holds none then, so that nothing unmarked can leave. */
#ifndef DEWLINE_STORE_COPIES_H
#define DEWLINE_STORE_COPIES_H

#include "store/store.h"

enum { STORE_MARK_SIZE = 16 };

struct traced_copy {
	int64_t delivery;
	int64_t message;
	int64_t number; /* 1, 2, ... of one message */
	unsigned char mark[STORE_MARK_SIZE]; /* what its layout was drawn from */
	int64_t contact; /* of the delivery; filled where read */
	char address[STORE_ADDRESS_SIZE];
	struct view stash; /* its text; empty where read */
};
typedef int traced_copy_fn(void *context, const struct traced_copy *, struct err *err);

int store_copy_add(struct store *, const struct traced_copy *, struct err *);
/* By number. */
int store_copy_each(struct store *, int64_t message, traced_copy_fn *, void *context, struct err *);
int store_copy_count(struct store *, int64_t message, int64_t *count, struct err *);
/* Appends the stashed text of a delivery; an error where it has no copy. */
int store_copy_stash(struct store *, int64_t delivery, struct buf *out, struct err *);

#endif
