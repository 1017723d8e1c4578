/* How far the log went, kept beside the store: a store that is behind its mark, or whose log has
 * another entry there, was put back to what it had been, or is another one. */
#ifndef DEWLINE_STORE_MARK_H
#define DEWLINE_STORE_MARK_H

#include "base/digest.h"
#include "store/store.h"

struct mark {
	int64_t epoch;
	int64_t sequence; /* of the log's newest entry, 0: there is none */
	char hash[DIGEST_HEX_SIZE]; /* of that entry */
};

/* Opens a mark, made with mode 0600 where there is none, to be read and written; -1 with err. */
int mark_open(const char *path, struct err *err);
/* *found is false where the file holds none that is whole. */
int mark_read(int fd, struct mark *, bool *found, struct err *err);
/* In place: the file may be all that a sandbox allows. It is not synced, for it may be behind the store,
 * and must never be ahead of it: only what is committed may be written. */
int mark_write(int fd, const struct mark *, struct err *err);

/* The mark of a store as it is now. */
int store_mark(struct store *, struct mark *, struct err *err);
/* Whether the log holds the entry that a mark tells of. */
int store_holds_mark(struct store *, const struct mark *, bool *holds, struct err *err);

#endif
