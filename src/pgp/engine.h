/* The one place where GPGME is set up: contexts, data, failures. Internal to this room.
 *
 * Each context is for one GnuPG home, offline, without armor and without any prompt to people. */
#ifndef DEWLINE_PGP_ENGINE_H
#define DEWLINE_PGP_ENGINE_H

#include <stdbool.h>

#include <gpgme.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/passphrase.h"

/* GPGME is there, and what was to be confined before gpg runs is so: comes before all else here. */
int engine_ready(struct err *err);

/* A context whose gpg runs in the home `dir`; released with gpgme_release, which takes NULL. */
int engine_open(const char *dir, gpgme_ctx_t *ctx, struct err *err);

/* Lets gpg in this context ask for the passphrase of the gateway's key, which outlives it. NULL:
 * the key has none, and a question is a failure. */
void engine_unlock(gpgme_ctx_t ctx, struct passphrase *passphrase);

/* The same where gpg names no key in its question: one that is being made, or given a user ID. Not
 * for a run on what somebody sent, whose password it would ask for the same way. */
void engine_unlock_new(gpgme_ctx_t ctx, struct passphrase *passphrase);

/* True when a run in a context that was unlocked failed for want of the right passphrase, and not
 * because of what it ran on; then err says so (ERR_NEVER: until somebody mends it). The passphrase
 * is forgotten, to be looked for anew.
 */
bool engine_is_locked(struct passphrase *passphrase, gpgme_error_t code, struct err *err);

/* Data that gpg reads: `content` must outlive it. Aborts when memory runs out, like all small
 * allocations; released with gpgme_data_release, which takes NULL. */
gpgme_data_t engine_source(struct view content);

/* Data that gpg writes, appended to out. At the buffer's maximum the run fails and `over` is set:
 * the only clean way to stop a bomb. The sink must stay where it is until its data is released. */
struct engine_sink {
	struct buf *out;
	bool over;
	struct gpgme_data_cbs functions;
};
gpgme_data_t engine_sink(struct engine_sink *sink, struct buf *out);

/* Fills err with what GPGME says; concerns the daemon, try again later. Returns -1 always. */
int engine_failed(struct err *err, gpgme_error_t code, const char *what);

/* Whether GnuPG can be run at all: -1 and why not. *outdated: what it needs is there, and is
 * another file than the one that our sandbox reaches. */
int engine_check(bool *outdated, struct err *err);

/* Runs a GnuPG tool and appends what it prints to `out`, at most out->max bytes. argv[0] is the
 * whole path. -1 when it could not be run or fails. */
int engine_run(char *const argv[], struct buf *out, struct err *err);

/* The packets of a message: without armor of `kind` when it has one, else as they are. False: *why
 * says what is wrong, in words that continue "it ...". */
bool engine_packets(struct view message, const char *kind, struct buf *out, const char **why);

/* Whether gpg and its agent work in the home `dir`: finds the secret key `gateway`, where that is
 * not "". */
int engine_probe(const char *dir, const char *gateway, struct err *err);

/* Which GnuPG this is, such as "2.2.40". "" when there is none. */
const char *engine_version(void);

/* Whether gpg may write OCB packets (tag 20) by itself: 2.3 and newer. */
bool engine_writes_ocb(void);

/* The fingerprint's last digits, which are the key ID (RFC 9580 section 5.5.4; version 4 keys).
 * "" when it is too short for one. */
const char *engine_key_id(const char *fingerprint);

/* True when no character of `fingerprint` is other than a digit or A-F, and there are 40. */
bool engine_is_fingerprint(const char *fingerprint);

#endif
