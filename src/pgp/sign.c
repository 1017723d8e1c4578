#include "config.h"

#include <stdio.h>

#include "pgp/engine.h"
#include "pgp/feed.h"
#include "pgp/sign.h"

static int take_digest(gpgme_ctx_t ctx, char *digest, size_t size, struct err *err)
{
	const gpgme_sign_result_t result = gpgme_op_sign_result(ctx);
	const char *name = result == NULL || result->signatures == NULL
			       ? NULL
			       : gpgme_hash_algo_name(result->signatures->hash_algo);
	if (name == NULL)
		return err_set(err, ERR_DAEMON, ERR_LATER, "gpg made no signature");
	snprintf(digest, size, "%s", name);
	return 0;
}

int sign_detached(const struct home *home, struct view bytes, struct buf *signature, char *digest,
    size_t digest_size, struct err *err)
{
	gpgme_ctx_t ctx;
	struct engine_sink sink;
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	engine_unlock(ctx, home->passphrase);
	gpgme_set_armor(ctx, 1);
	gpgme_data_t in = engine_source(bytes);
	gpgme_data_t out = engine_sink(&sink, signature);
	const gpgme_error_t code = feed_sign(ctx, in, out);
	gpgme_data_release(in);
	gpgme_data_release(out);
	int result;
	if (engine_is_locked(home->passphrase, code, err))
		result = -1;
	else
		result = code != 0 ? engine_failed(err, code, "cannot sign a notice")
				   : take_digest(ctx, digest, digest_size, err);
	gpgme_release(ctx);
	return result;
}
