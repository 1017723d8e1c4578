/* The store whose place a backup takes: what of it can be read goes on, so that nothing which was taken
 * back since the backup comes back, and no number is given out again. It gives nobody any right. */
#ifndef DEWLINE_STORE_FORMER_H
#define DEWLINE_STORE_FORMER_H

#include "base/digest.h"
#include "store/store.h"

struct former {
	bool readable; /* sound, and not of a newer version than ours */
	char why[STORE_REASON_SIZE]; /* not */
	int64_t epoch;
	int64_t sequence; /* of the last entry in its log */
	char gateway[STORE_NAME_SIZE]; /* the fingerprint of its key */
	char backup[DIGEST_HEX_SIZE]; /* which it was put back to, and nothing came after that; or "" */
};

/* Keeps with the present epoch of a store the SHA-256 of the backup that it was put back to. */
int former_set_backup(struct store *, const char *tag, const char *digest, struct err *);

/* Looks at a store without changing it, but for what is in its write-ahead log already. Not being
 * readable is an answer. */
void former_look(const char *path, struct former *out);

/* Between former_attach and former_detach, both outside a transaction, and inside one: takes from it the
 * highest numbers, and whoever was removed or suspended, has left, or whose certificate was retired or
 * changed by its owner. `findings` gets a line on each, and on what it has besides, which is lost. */
int former_attach(struct store *, const char *path, struct err *);
int former_take(struct store *, int64_t now, const char *actor, struct buf *findings, struct err *);
void former_detach(struct store *);

#endif
