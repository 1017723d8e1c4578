/* The gateway's GnuPG homes.
 *
 *     DIR/                 the main home: the gateway's own key, its agent, and nothing else
 *     DIR/shard-N-G/       public certificates of shard N with the content that the number G stands
 *                          for: a cache that can be rebuilt from the store at will; uses the main
 *                          home's agent
 *
 * We write gpg.conf and gpg-agent.conf of every home anew; nothing outside DIR is ever read. */
#ifndef DEWLINE_PGP_HOME_H
#define DEWLINE_PGP_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pgp/certificate.h"
#include "pgp/passphrase.h"

enum { HOME_PATH_SIZE = 4096 };

struct home {
	char path[HOME_PATH_SIZE]; /* the main home */
	char place[HOME_PATH_SIZE]; /* where gpg and its agent run (pgp/place.h), or the same */
	char gateway[FINGERPRINT_SIZE]; /* primary fingerprint of the gateway's own key, or "" */
	struct passphrase
	    *passphrase; /* of that key: the caller's, set after home_open; NULL: none */
};

/* Makes the main home (mode 0700) with its configuration, where it is missing, and finds the
 * gateway's key in it. Refuses a path too long for an agent's socket (sun_path, 108 bytes), saying
 * how long it may be. home->passphrase is NULL then. */
int home_open(const char *path, struct home *home, struct err *err);

/* The same, with gpg and its agent in a place of their own in it, which place_make has made: what
 * somebody who took over a gpg may have left there as configuration is written anew. */
int home_open_at(const char *path, const char *place, struct home *home, struct err *err);

/* "name <address>", as a user ID of the gateway's key. An error says why none can be made of them.
 */
enum { HOME_USER_ID_SIZE = 200 };
int home_user_id(
    const char *name, const char *address, char out[static HOME_USER_ID_SIZE], struct err *err);

/* Makes the gateway's key, ed25519 to certify and sign and cv25519 to encrypt, without expiry, for
 * `name <address>`, protected by home->passphrase where there is one, and sets home->gateway. An
 * error where there is one already. */
int home_make_key(struct home *home, const char *name, const char *address, struct err *err);

/* Makes sure that the gateway's key can be used: signs, encrypts to itself, opens that. An error
 * says why not: above all, which passphrase is missing or wrong. */
int home_prove_key(const struct home *home, struct err *err);

/* Says of a home without a key whether that is lost, or gpg only does not find it. Returns -1. */
int home_refuse_keyless(const struct home *home, struct err *err);

/* The gateway's own certificate, armored (for officials) or binary minimal (for Autocrypt). */
int home_export_key(const struct home *home, bool armored, struct buf *out, struct err *err);

/* True when the cache of this shard and generation is ready. */
bool home_has_shard(const struct home *home, int64_t shard, int64_t generation);

/* Builds the cache of a shard from minimal binary certificates, atomically, and removes those of other
 * contents of the same shard. */
int home_build_shard(const struct home *home, int64_t shard, int64_t generation,
    const struct view *certificates, size_t count, struct err *err);

/* Removes one cache: it is damaged, and is to be built again. */
void home_forget_shard(const struct home *home, int64_t shard, int64_t generation);

/* The same where gpg does not give those of these certificates any more that it held when it was built:
 * after a failure that may be due to that. `names` is NULL-terminated. One gpg run. */
void home_check_shard(
    const struct home *home, int64_t shard, int64_t generation, const char *const *names);

/* Removes the caches of all shards, to be built again: the gateway's own certificate, which is in
 * each, has changed. */
void home_forget_shards(const struct home *home);

/* Path of a shard's home. */
void home_shard_path(
    const struct home *home, int64_t shard, int64_t generation, char out[static HOME_PATH_SIZE]);

/* Ends the agent of the home's place, and waits until it is gone; of any place, by its directory.
 */
void home_stop_agent(const struct home *home);
void home_end_agent(const char *place);

#endif
