/* What stands in gpg.conf and gpg-agent.conf of the GnuPG homes that we make. Internal. */
#ifndef DEWLINE_PGP_CONF_H
#define DEWLINE_PGP_CONF_H

#include "base/buf.h"
#include "base/err.h"

/* Preferences of the gateway's key, in the words of gpg. OCB is not among them (preferences.h). */
#define CONF_PREFERENCES "AES256 AES192 AES SHA512 SHA384 SHA256 ZLIB ZIP Uncompressed"

enum conf_kind {
	CONF_MAIN, /* the gateway's own key and its agent */
	CONF_MENDING, /* the same while its preferences are changed */
	CONF_SHARD, /* public certificates; signs with the main home's agent */
	CONF_SCRATCH, /* public certificates under examination; no agent */
};

/* Appends gpg.conf of this kind; `signer` is the fingerprint that a shard signs with, or "". */
void conf_add(struct buf *out, enum conf_kind kind, const char *signer);

/* Writes gpg.conf, and gpg-agent.conf where secret keys are, into `dir` unless they are so already.
 * Settings of GnuPG's under other names, which would count as well, are removed. */
int conf_write(const char *dir, enum conf_kind kind, const char *signer, struct err *err);

/* True when gpg.conf in `dir` is as conf_write would make it; other settings are removed. */
bool conf_is(const char *dir, enum conf_kind kind, const char *signer);

#endif
