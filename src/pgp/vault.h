/* The vault: a worker that runs gpg for the gate, one process a core.
 *
 * Requests and answers in both directions stand side by side in vault.c. Every put_ writes the body
 * of a request for the gate; every take_ reads the answer's body into the caller's structure and
 * returns false when it is malformed (the pool then kills the worker). */
#ifndef DEWLINE_PGP_VAULT_H
#define DEWLINE_PGP_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "base/buf.h"
#include "pgp/open.h"
#include "pgp/seal.h"
#include "pgp/stranger.h"

enum vault_request {
	VAULT_OPEN = 1, /* pgp_open */
	VAULT_STASH, /* pgp_stash of several plaintexts */
	VAULT_UNSTASH, /* pgp_unstash of one */
	VAULT_SHARD, /* home_build_shard */
	VAULT_SEAL, /* unstash a message, then seal_batch */
	VAULT_NOTICE, /* sign the notice of an expired key (mail/notice.h) */
	VAULT_RENEW, /* certificate_read of what somebody sent, together with what is known */
	VAULT_STRANGER, /* stranger_open */
};

enum {
	VAULT_STASH_MAX = 16,
	VAULT_RENEW_MAX = 8, /* certificates of one mail that are judged */
	VAULT_RENEW_CONTENTS_MAX = 16,
	VAULT_RENEW_ASKED_MAX = 32,
	VAULT_DIGEST_SIZE = 16,
};

/* How the request fared as a whole; the details follow only for VAULT_OK. */
enum vault_status {
	VAULT_OK,
	VAULT_NO_SHARD, /* the shard's cache is not there, or was damaged: send VAULT_SHARD, then ask again */
	VAULT_LOCKED, /* the gateway's key cannot be used now, whatever was asked; text says why */
	VAULT_FAILED, /* text says why */
};

struct vault_reply {
	enum vault_status status;
	char text[ERR_TEXT_SIZE];
};

/* VAULT_OPEN. shard < 0: the main home. `signer`: the certificate in the shard that has the key which
 * signed; where gpg does not know that, the keyring is damaged, and the answer VAULT_NO_SHARD. "": any. */
void vault_put_open(struct buf *body, int64_t shard, int64_t generation, const char *signer,
    enum open_form form, struct view message, struct view signature);
/* result->plaintext is a copy that the caller releases. */
bool vault_take_open(struct view body, struct vault_reply *reply, struct opened *result);

/* VAULT_STASH: up to VAULT_STASH_MAX plaintexts, empty ones stay empty. */
void vault_put_stash(struct buf *body, const struct view *plaintexts, uint32_t count);
bool vault_take_stash(
    struct view body, struct vault_reply *reply, struct buf *stashes, uint32_t count);

/* VAULT_UNSTASH. */
void vault_put_unstash(struct buf *body, struct view stash);
bool vault_take_unstash(struct view body, struct vault_reply *reply, struct buf *plaintext);

/* VAULT_SHARD: call vault_put_shard, then vault_put_certificate `count` times. */
void vault_put_shard(struct buf *body, int64_t shard, int64_t generation, uint32_t count);
void vault_put_certificate(struct buf *body, struct view minimal);
bool vault_take_shard(struct view body, struct vault_reply *reply);

/* VAULT_SEAL: `stash` holds the plaintext, which gets the date of now and, unless it is "", the tag in
 * its Message-ID (mail/compose.h); recipients as for seal_batch. */
enum { VAULT_TAG_SIZE = 8 };
void vault_put_seal(struct buf *body, int64_t shard, int64_t generation, const char *tag,
    struct view stash, const struct seal_recipient *recipients, uint32_t count);
struct vault_sealed {
	struct buf data; /* the shared packet, a copy */
	int64_t sealed_at; /* the date inside, seconds since 1970 */
	uint32_t gpg_runs;
};
/* Fills pkesk and reason of the same recipients in the same order. */
bool vault_take_seal(struct view body, struct vault_reply *reply, struct seal_recipient *recipients,
    uint32_t count, struct vault_sealed *sealed);

/* VAULT_NOTICE: the moment of expiry is all that can be chosen. The vault writes the text itself,
 * and signs nothing else in the clear. The signature is armored; digest is GnuPG's name of it. */
void vault_put_notice(struct buf *body, int64_t expired);
bool vault_take_notice(struct view body, struct vault_reply *reply, struct buf *signature,
    char digest[static VAULT_DIGEST_SIZE]);

/* VAULT_RENEW: what somebody sent about keys, in several pieces, each armored or binary. `known` is a
 * row of minimal certificates of ours that it is merged with; `asked` names those that were looked
 * for, found or not, by fingerprint or key ID. */
struct renew_request {
	struct view contents[VAULT_RENEW_CONTENTS_MAX];
	uint32_t content_count;
	struct view known;
	char asked[VAULT_RENEW_ASKED_MAX][FINGERPRINT_SIZE];
	uint32_t asked_count;
};
struct renewal {
	struct certificate_verdict verdict; /* minimal points into `minimal`, before is empty */
	struct buf minimal; /* released by the caller */
};
struct renew_result {
	/* To be looked for first, and asked again with what is found: nothing else is filled then. */
	char wanted[VAULT_RENEW_ASKED_MAX][FINGERPRINT_SIZE];
	uint32_t wanted_count;
	char reasons[VAULT_RENEW_CONTENTS_MAX][CERTIFICATE_REASON_SIZE]; /* why a piece could not be
									  * looked at; "": it was */
	uint32_t content_count;
	struct renewal renewals[VAULT_RENEW_MAX];
	uint32_t count;
	uint32_t left_out; /* certificates that were too many */
};
void vault_put_renew(struct buf *body, const struct renew_request *request);
bool vault_take_renew(struct view body, struct vault_reply *reply, struct renew_result *result);
/* Also of a result that was never filled. */
void vault_release_renew(struct renew_result *result);

/* VAULT_STRANGER. */
void vault_put_stranger(struct buf *body, int64_t shard, enum open_form form, struct view message,
    struct view signature, struct view certificate);
/* result->minimal is a copy that the caller releases. */
bool vault_take_stranger(struct view body, struct vault_reply *reply, struct stranger *result);

/* Enters the vault's sandbox, which gpg and the agent inherit: the GnuPG homes, GnuPG's programs,
 * no network. */
int vault_confine(const struct config *config, struct err *err);
/* Lets this process and its children execute GnuPG's programs and nothing else; all other rights
 * stay (sandbox_enter_programs). What a gpg that was taken over has left in its home, such as the
 * name of an agent, is then not executed by somebody without a sandbox. */
int vault_confine_programs(const struct config *config, struct err *err);
/* The same, done just before this process first runs gpg, if ever: to look for GnuPG's programs
 * takes two runs of gpgconf. `config` outlives that; NULL: not any more. */
void vault_confine_programs_later(const struct config *config);
/* Does what was put off, once. Of this room. */
int vault_confine_awaited(struct err *err);

/* Worker side (worker_main_fn): settings is `const struct config *`; the home is STATE/gnupg. */
int vault_main(const void *settings, int fd);

#endif
