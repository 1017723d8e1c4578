#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgp/listing.h"

static enum admission_algorithm algorithm_of(const struct _gpgme_subkey *key)
{
	switch (key->pubkey_algo) {
	case GPGME_PK_RSA:
	case GPGME_PK_RSA_E:
	case GPGME_PK_RSA_S:
	case GPGME_PK_ELG_E:
	case GPGME_PK_ELG:
	case GPGME_PK_DSA:
		return ADMISSION_MODULAR;
	case GPGME_PK_ECC:
	case GPGME_PK_ECDSA:
	case GPGME_PK_ECDH:
	case GPGME_PK_EDDSA:
		return key->curve != NULL ? ADMISSION_CURVE : ADMISSION_UNKNOWN;
	default:
		return ADMISSION_UNKNOWN;
	}
}

static void read_key(struct _gpgme_subkey *from, struct admission_key *to)
{
	*to = (struct admission_key){
	    .algorithm = algorithm_of(from),
	    .bits = from->length,
	    .may_encrypt = from->can_encrypt,
	    .may_sign = from->can_sign,
	    .has_use =
		from->can_encrypt || from->can_sign || from->can_certify || from->can_authenticate,
	    .revoked = from->revoked,
	    .invalid = from->invalid,
	    .created = from->timestamp,
	    .expires = from->expires,
	};
	snprintf(to->fingerprint, sizeof to->fingerprint, "%s", from->fpr == NULL ? "" : from->fpr);
	snprintf(to->key_id, sizeof to->key_id, "%s", engine_key_id(to->fingerprint));
	char *name = gpgme_pubkey_algo_string(from);
	snprintf(to->name, sizeof to->name, "%s", name == NULL ? "unknown" : name);
	gpgme_free(name);
}

static void read_certificate(gpgme_key_t from, struct admission *to)
{
	*to = (struct admission){.key_count = 0};
	for (gpgme_subkey_t key = from->subkeys; key != NULL; key = key->next) {
		if (to->key_count < ADMISSION_KEYS_MAX)
			read_key(key, &to->keys[to->key_count]);
		to->key_count++;
	}
	for (gpgme_user_id_t id = from->uids; id != NULL; id = id->next) {
		if (id->revoked || id->invalid || to->has_user_id)
			continue;
		to->has_user_id = true;
		snprintf(to->user_id, sizeof to->user_id, "%s", id->uid == NULL ? "" : id->uid);
	}
	if (!to->has_user_id && from->uids != NULL && from->uids->uid != NULL)
		snprintf(to->user_id, sizeof to->user_id, "%s", from->uids->uid);
	/* The date of a primary key that has expired or was revoked says so in every subkey. */
	if (to->key_count > 0 && from->revoked)
		to->keys[0].revoked = true;
}

int listing_read(
    gpgme_ctx_t ctx, const char **patterns, listing_fn *fn, void *context, struct err *err)
{
	gpgme_error_t code = gpgme_op_keylist_ext_start(ctx, patterns, 0, 0);
	if (code != 0)
		return engine_failed(err, code, "cannot list certificates");
	struct admission *certificate = malloc(sizeof *certificate);
	if (certificate == NULL)
		abort();
	int result = 0;
	gpgme_key_t key = NULL;
	while (result == 0 && (code = gpgme_op_keylist_next(ctx, &key)) == 0) {
		read_certificate(key, certificate);
		gpgme_key_unref(key);
		result = fn(context, certificate, err);
	}
	gpgme_op_keylist_end(ctx);
	free(certificate);
	if (result == 0 && gpgme_err_code(code) != GPG_ERR_EOF)
		return engine_failed(err, code, "cannot list certificates");
	return result;
}

/* What one run listed, in words, and who is to be told of each. */
struct heard {
	struct buf keys;
	listing_fn *fn;
	void *context;
};

static int hear(void *context, const struct admission *certificate, struct err *err)
{
	struct heard *heard = context;
	buf_printf(&heard->keys, "%zu %d\n", certificate->key_count, certificate->has_user_id);
	for (size_t i = 0; i < certificate->key_count && i < ADMISSION_KEYS_MAX; i++) {
		const struct admission_key *key = &certificate->keys[i];
		buf_printf(&heard->keys, "%s %d%d%d%d%d %lld\n", key->fingerprint, key->may_encrypt,
		    key->may_sign, key->has_use, key->revoked, key->invalid,
		    (long long)key->expires);
	}
	return heard->fn == NULL ? 0 : heard->fn(heard->context, certificate, err);
}

int listing_read_surely(
    gpgme_ctx_t ctx, const char **patterns, listing_fn *fn, void *context, struct err *err)
{
	struct heard first = {.keys = BUF_EMPTY(SIZE_MAX)};
	struct heard second = {.keys = BUF_EMPTY(SIZE_MAX), .fn = fn, .context = context};
	int result = listing_read(ctx, patterns, hear, &first, err);
	if (result == 0)
		result = listing_read(ctx, patterns, hear, &second, err);
	if (result == 0 && !view_equals(buf_view(&first.keys), buf_view(&second.keys)))
		result = err_set(err, ERR_DAEMON, ERR_LATER,
		    "gpg listed other certificates the second time: it was ended on its way");
	buf_release(&first.keys);
	buf_release(&second.keys);
	return result;
}

struct found {
	struct admission *out;
	unsigned count;
};

static int take_found(void *context, const struct admission *certificate, struct err *err)
{
	(void)err;
	struct found *found = context;
	if (found->count++ == 0)
		*found->out = *certificate;
	return 0;
}

int listing_find(gpgme_ctx_t ctx, const char *key, struct admission *out, struct err *err)
{
	const char *patterns[] = {key, NULL};
	struct found found = {.out = out};
	if (listing_read_surely(ctx, patterns, take_found, &found, err) != 0)
		return -1;
	/* Two certificates with one key, or with colliding key IDs, are nobody's for certain. */
	return found.count == 1 ? 1 : 0;
}
