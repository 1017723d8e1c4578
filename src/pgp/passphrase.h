/* The passphrase of the gateway's key: where it comes from, and how gpg gets it.
 *
 * gpg asks over a pipe (loopback pinentry) when it needs the key, and only for the gateway's own: a
 * hostile mail that is encrypted with a password, in any depth, gets no answer. The agent keeps no
 * passphrase (pgp/conf.h), so that each use of the key asks here, and a wrong one never goes
 * unnoticed. It never stands on a command line, in the environment, in a log or on disk. */
#ifndef DEWLINE_PGP_PASSPHRASE_H
#define DEWLINE_PGP_PASSPHRASE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	PASSPHRASE_BYTES = 20, /* of randomness in one that we make */
	PASSPHRASE_SIZE = 33, /* the same in base32, with NUL */
};

/* Appends the passphrase to `out`. -1: there is none, and err says where it was looked for. */
typedef int passphrase_fn(void *context, struct buf *out, struct err *err);

struct passphrase {
	passphrase_fn *find; /* called when gpg first asks, and again after a refusal */
	void *context;
	const char *place; /* where it is found, for people; NULL or "": nowhere with a name */
	struct buf text; /* once found */
	/* What the last run of gpg came to. */
	bool asked; /* it asked for the gateway's key */
	bool others; /* it asked for something else */
	char trouble[ERR_TEXT_SIZE]; /* why there was no answer, or "" */
	bool locked; /* a run failed for want of it; the caller sets it back */
};

/* One that `find` finds when it is needed. */
struct passphrase passphrase_from(passphrase_fn *find, void *context);

/* Finds it now, unless it was found before. */
int passphrase_get(struct passphrase *passphrase, struct err *err);

/* Wipes what was found. */
void passphrase_release(struct passphrase *passphrase);

/* A new random one. */
void passphrase_make(char out[static PASSPHRASE_SIZE]);

/* passphrase_fn as the configuration says: context is `const struct config *`. */
int passphrase_configured(void *context, struct buf *out, struct err *err);

#endif
