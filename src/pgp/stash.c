#include "config.h"

#include "pgp/engine.h"
#include "pgp/feed.h"
#include "pgp/open.h"
#include "pgp/packet.h"
#include "pgp/framing.h"
#include "pgp/verdict.h"

/* Any failure of gpg on bytes that came from outside. The caller knows what the bytes were. */
static int refused(struct err *err, gpgme_error_t code, const char *what)
{
	engine_failed(err, code, what);
	if (gpgme_err_code(code) == GPG_ERR_DECRYPT_FAILED ||
	    gpgme_err_code(code) == GPG_ERR_BAD_DATA || gpgme_err_code(code) == GPG_ERR_NO_DATA) {
		err->whom = ERR_MESSAGE;
		err->when = ERR_NEVER;
	}
	return -1;
}

static int decrypt_once(const struct home *home, struct view packets, gpgme_decrypt_flags_t flags,
    struct buf *out, const char *what, struct err *err)
{
	gpgme_ctx_t ctx;
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	engine_unlock(ctx, home->passphrase);
	struct verdict_report report;
	verdict_listen(ctx, &report);
	struct engine_sink sink;
	gpgme_data_t from = engine_source(packets);
	gpgme_data_t to = engine_sink(&sink, out);
	const gpgme_error_t code = feed_decrypt(ctx, flags, from, to);
	gpgme_data_release(from);
	gpgme_data_release(to);
	gpgme_release(ctx);
	if (code == 0 && !sink.over)
		return 0;
	buf_clear(out);
	if (sink.over)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s: it opens to more than %zu bytes",
		    what, out->max);
	return engine_is_locked(home->passphrase, code, err)
		   ? -1
		   : refused(err, report.decrypt_fault != 0 ? report.decrypt_fault : code, what);
}

/* A gpg that was killed on its way looks like one that was given what is damaged: what it has against it
 * it has to say twice. */
static int decrypt(const struct home *home, struct view packets, gpgme_decrypt_flags_t flags,
    struct buf *out, const char *what, struct err *err)
{
	int result = decrypt_once(home, packets, flags, out, what, err);
	if (result != 0 && err->whom == ERR_MESSAGE)
		result = decrypt_once(home, packets, flags, out, what, err);
	if (result != 0)
		buf_release(out);
	return result;
}

int pgp_unwrap(const struct home *home, struct view message, struct buf *out, struct err *err)
{
	static const char what[] = "cannot take the encryption off";
	struct buf packets = BUF_EMPTY(message.len);
	enum framing_data data;
	const char *why;
	int result;
	const bool armored = engine_packets(message, "PGP MESSAGE", &packets, &why);
	framing_drop_passwords(&packets);
	if (armored && framing_is_encrypted(buf_view(&packets), &data, &why))
		result = decrypt(home, buf_view(&packets), GPGME_DECRYPT_UNWRAP, out, what, err);
	else
		result = err_set(err, ERR_MESSAGE, ERR_NEVER, "%s: it %s", what, why);
	buf_release(&packets);
	return result;
}

int pgp_stash(const struct home *home, struct view plaintext, struct buf *out, struct err *err)
{
	static const char what[] = "cannot encrypt for the store";
	gpgme_ctx_t ctx;
	if (home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "%s: the gateway has no key yet", what);
	if (engine_open(home->place, &ctx, err) != 0)
		return -1;
	struct engine_sink sink;
	gpgme_data_t from = engine_source(plaintext);
	gpgme_data_t to = engine_sink(&sink, out);
	const gpgme_error_t code = feed_encrypt(ctx, home->gateway, from, to);
	gpgme_data_release(from);
	gpgme_data_release(to);
	gpgme_release(ctx);
	if (code == 0 && !sink.over)
		return 0;
	buf_release(out);
	if (sink.over)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "%s: more than %zu bytes", what, out->max);
	return engine_failed(err, code, what);
}

int pgp_unstash(const struct home *home, struct view stash, struct buf *out, struct err *err)
{
	static const char what[] = "cannot open what the store keeps";
	enum framing_data data;
	const char *why;
	if (!framing_is_encrypted(stash, &data, &why))
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s: it %s", what, why);
	return decrypt(home, stash, 0, out, what, err);
}
