#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pgp/agent.h"
#include "pgp/cleartext.h"
#include "pgp/engine.h"
#include "pgp/fault.h"
#include "pgp/feed.h"
#include "pgp/open.h"
#include "pgp/framing.h"
#include "pgp/verdict.h"

/* One opening on its way. */
struct opening {
	const struct home *home;
	char dir[HOME_PATH_SIZE]; /* the GnuPG home that it runs in */
	enum framing_data data; /* how it is encrypted, where it is */
	bool doubtful; /* gpg has to say once more what it said against it */
	struct opened *result;
};

static int unreadable(struct opened *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Unwelcome input is a result, and no byte of it goes further. Returns 0. */
static int unreadable(struct opened *result, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(result->reason, sizeof result->reason, format, args);
	va_end(args);
	result->readable = false;
	result->signature_count = 0;
	buf_release(&result->plaintext);
	return 0;
}

static int over_limit(struct opened *result)
{
	return unreadable(
	    result, "it opens to more than %zu bytes, the limit", result->plaintext.max);
}

/* Whether gpg asked for a password that is the message's own, as where one is encrypted with it inside the
 * encryption to our key: no word of the machine's is needed for that to fail. A key of ours without a
 * passphrase has no question either, and opens when asked to. */
static bool wants_its_own_password(const struct opening *opening, gpgme_error_t code)
{
	struct err ignored;
	if (opening->home->passphrase != NULL)
		return opening->home->passphrase->others;
	return (gpgme_err_code(code) == GPG_ERR_NO_PIN_ENTRY ||
		   gpgme_err_code(code) == GPG_ERR_CANCELED) &&
	       home_prove_key(opening->home, &ignored) == 0;
}

/* A failed run is the message's fault only when gpg, the agent and our key work otherwise. `code` is of
 * the whole run; of what it came from, gpg may have said more on its way (report). */
static int blame(struct opening *opening, gpgme_error_t code, const struct verdict_report *report,
    struct err *err)
{
	const gpgme_error_t fault = report->decrypt_fault != 0 ? report->decrypt_fault : code;
	const bool own = wants_its_own_password(opening, fault);
	if (!own && engine_is_locked(opening->home->passphrase, code, err))
		return -1;
	if (!own && fault_is_of_machine(fault))
		return engine_failed(err, fault, "a message cannot be opened now");
	opening->result->gpg_runs++;
	if (engine_probe(opening->dir, opening->home->gateway, err) != 0)
		return -1;
	char why[CERTIFICATE_REASON_SIZE];
	if (!framing_opens(opening->data, engine_version(), why, sizeof why))
		return unreadable(opening->result, "%s", why);
	switch (gpgme_err_code(code)) {
	case GPG_ERR_NO_SECKEY:
		return unreadable(opening->result, "it is not encrypted to the gateway's key");
	case GPG_ERR_DECRYPT_FAILED:
		return unreadable(opening->result,
		    "it is damaged, was changed on the way, or lacks integrity protection");
	default: {
		char text[128];
		gpgme_strerror_r(code, text, sizeof text);
		return unreadable(opening->result, "it is not a sound OpenPGP message (%s)", text);
	}
	}
}

/* gpg 2.2 opens OCB packets, which cannot be without it, but does not name their mode. */
static bool has_integrity(gpgme_decrypt_result_t decrypted, enum framing_data data)
{
	static const char unprotected[] = ".PGPCFB";
	if (decrypted == NULL || decrypted->legacy_cipher_nomdc || decrypted->symkey_algo == NULL)
		return false;
	const size_t len = strlen(decrypted->symkey_algo);
	return data == FRAMING_OCB || len < strlen(unprotected) ||
	       strcmp(decrypted->symkey_algo + len - strlen(unprotected), unprotected) != 0;
}

/* After a run that gpg calls a success: is it one message with one text? */
static int conclude(
    struct opening *opening, gpgme_ctx_t ctx, const struct verdict_report *report, struct err *err)
{
	struct opened *result = opening->result;
	if (result->encrypted && !has_integrity(gpgme_op_decrypt_result(ctx), opening->data))
		return unreadable(result, "it is encrypted without integrity protection");
	if (report->plaintexts != 1 || report->decryptions != (result->encrypted ? 1 : 0))
		return unreadable(result, "it holds more or less than one message");
	result->readable = true;
	if (verdict_judge(ctx, opening->dir, report, result, err) != 0)
		return -1;
	return result->encrypted || result->signature_count > 0
		   ? 0
		   : unreadable(result, "it holds no signature");
}

/* A gpg that was killed on its way, as where memory is short, looks like one that found nothing. */
static bool speaks_against(const struct opened *result)
{
	return !result->readable || result->signature_count == 0;
}

/* Runs gpg over packets that have the right shape. */
static int run_message(struct opening *opening, struct view packets, struct err *err)
{
	struct opened *result = opening->result;
	struct verdict_report report;
	struct engine_sink sink;
	gpgme_ctx_t ctx;
	if (engine_open(opening->dir, &ctx, err) != 0)
		return -1;
	engine_unlock(ctx, opening->home->passphrase);
	verdict_listen(ctx, &report);
	gpgme_data_t in = engine_source(packets);
	gpgme_data_t out = engine_sink(&sink, &result->plaintext);
	result->gpg_runs++;
	const gpgme_error_t code = result->encrypted ? feed_decrypt(ctx, GPGME_DECRYPT_VERIFY, in, out)
						     : feed_verify(ctx, in, NULL, out);
	gpgme_data_release(in);
	gpgme_data_release(out);
	int status;
	if (sink.over)
		status = over_limit(result);
	else if (code != 0)
		status = blame(opening, code, &report, err);
	else
		status = conclude(opening, ctx, &report, err);
	opening->doubtful = !sink.over && speaks_against(result);
	gpgme_release(ctx);
	return status;
}

static int open_message(struct opening *opening, struct view message, struct err *err)
{
	struct opened *result = opening->result;
	struct buf packets = BUF_EMPTY(message.len);
	const char *why;
	bool good = engine_packets(message, "PGP MESSAGE", &packets, &why);
	if (good && result->encrypted)
		framing_drop_passwords(&packets);
	if (good && result->encrypted)
		good = framing_is_encrypted(buf_view(&packets), &opening->data, &why);
	else if (good)
		good = framing_is_signed(buf_view(&packets), &why);
	const int status =
	    good ? run_message(opening, buf_view(&packets), err) : unreadable(result, "it %s", why);
	buf_release(&packets);
	return status;
}

static int run_detached(struct opening *opening, struct view text, struct view signatures,
    uint32_t count, struct err *err)
{
	struct opened *result = opening->result;
	struct verdict_report report;
	gpgme_ctx_t ctx;
	if (engine_open(opening->dir, &ctx, err) != 0)
		return -1;
	verdict_listen(ctx, &report);
	gpgme_data_t over = engine_source(text);
	gpgme_data_t in = engine_source(signatures);
	result->gpg_runs++;
	const gpgme_error_t code = feed_verify(ctx, in, over, NULL);
	gpgme_data_release(in);
	gpgme_data_release(over);
	int status;
	if (code != 0) {
		status = blame(opening, code, &report, err);
	} else {
		status = verdict_judge(ctx, opening->dir, &report, result, err);
		if (status == 0 && (result->signature_count != count || report.plaintexts != 0))
			status =
			    unreadable(result, "it has signatures that cannot be judged together");
		else
			result->readable = status == 0;
	}
	opening->doubtful = speaks_against(result);
	gpgme_release(ctx);
	return status;
}

/* `text` is what the signatures are over, and becomes the plaintext. */
static int open_detached(
    struct opening *opening, struct view text, struct view signatures, struct err *err)
{
	struct opened *result = opening->result;
	const char *why;
	uint32_t count;
	bool over_text;
	if (!framing_is_signatures(signatures, &count, &over_text, &why))
		return unreadable(result, "its signature %s", why);
	if (over_text && !framing_has_short_lines(text))
		return unreadable(result,
		    "it is signed as text and has a line of more than %d bytes",
		    FRAMING_TEXT_LINE_MAX);
	buf_add_view(&result->plaintext, text);
	if (result->plaintext.overflow)
		return over_limit(result);
	return run_detached(opening, buf_view(&result->plaintext), signatures, count, err);
}

static int open_with_signature(
    struct opening *opening, struct view message, struct view signature, struct err *err)
{
	struct buf packets = BUF_EMPTY(signature.len);
	const char *why;
	const int status = engine_packets(signature, "PGP SIGNATURE", &packets, &why)
			       ? open_detached(opening, message, buf_view(&packets), err)
			       : unreadable(opening->result, "its signature %s", why);
	buf_release(&packets);
	return status;
}

static int open_cleartext(struct opening *opening, struct view message, struct err *err)
{
	/* Each line may grow by a carriage return. */
	struct buf text = BUF_EMPTY(2 * message.len);
	struct buf packets = BUF_EMPTY(message.len);
	const char *why;
	const int status = cleartext_split(message, &text, &packets, &why)
			       ? open_detached(opening, buf_view(&text), buf_view(&packets), err)
			       : unreadable(opening->result, "it %s", why);
	buf_release(&text);
	buf_release(&packets);
	return status;
}

static int open_form(struct opening *opening, enum open_form form, struct view message,
    struct view signature, struct err *err)
{
	switch (form) {
	case OPEN_ENCRYPTED:
	case OPEN_SIGNED:
		return open_message(opening, message, err);
	case OPEN_DETACHED:
		return open_with_signature(opening, message, signature, err);
	case OPEN_CLEARTEXT:
		return open_cleartext(opening, message, err);
	}
	return -1;
}

/* From the beginning. What the first time has cost stays. */
static void forget(struct opening *opening)
{
	struct opened *result = opening->result;
	buf_release(&result->plaintext);
	*result = (struct opened){
	    .encrypted = result->encrypted,
	    .plaintext = BUF_EMPTY(result->plaintext.max),
	    .gpg_runs = result->gpg_runs,
	};
	opening->doubtful = false;
}

int pgp_open(const struct home *home, int64_t shard, int64_t generation, enum open_form form,
    struct view message, struct view signature, size_t plaintext_max, struct opened *result,
    struct err *err)
{
	*result = (struct opened){
	    .encrypted = form == OPEN_ENCRYPTED,
	    .plaintext = BUF_EMPTY(plaintext_max),
	};
	struct opening opening = {.home = home, .result = result};
	if (shard < 0) {
		snprintf(opening.dir, sizeof opening.dir, "%s", home->place);
	} else {
		home_shard_path(home, shard, generation, opening.dir);
		if (form == OPEN_ENCRYPTED && agent_join(home->place, opening.dir, err) != 0)
			return -1;
	}
	int status = open_form(&opening, form, message, signature, err);
	if (status == 0 && opening.doubtful) {
		forget(&opening);
		status = open_form(&opening, form, message, signature, err);
	}
	if (status != 0)
		buf_release(&result->plaintext);
	return status;
}
