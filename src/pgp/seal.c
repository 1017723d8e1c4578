#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "pgp/additional.h"
#include "pgp/admission.h"
#include "pgp/agent.h"
#include "pgp/distribute.h"
#include "pgp/engine.h"
#include "pgp/feed.h"
#include "pgp/listing.h"
#include "pgp/seal.h"

enum {
	/* Every failed run takes one recipient out at least, and the first takes out all whose
	 * certificate is known to be unusable: more rounds than this mean that something else is
	 * wrong. */
	ROUNDS_MAX = 32,
	/* Of one recipient: RSA with 8192 bits needs 1039, and additional decryption subkeys as
	 * much each. */
	SESSION_KEYS_SIZE = 32 * 1024,
	SEALED_OVERHEAD = 64 * 1024,
};

/* One batch on its way. */
struct batch {
	const struct home *home;
	int64_t shard;
	int64_t generation;
	char dir[HOME_PATH_SIZE];
	struct seal_recipient *recipients;
	size_t count;
	bool examined; /* all certificates were looked at, after a first refusal */
	uint32_t gpg_runs;
};

static bool is_in(const struct seal_recipient *recipient)
{
	return recipient->reason[0] == '\0';
}

static size_t count_in(const struct batch *batch)
{
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++)
		count += is_in(&batch->recipients[i]) ? 1 : 0;
	return count;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_duplicates(const struct batch *batch, struct err *err)
{
	const char **names = calloc(batch->count, sizeof *names);
	if (names == NULL)
		abort();
	for (size_t i = 0; i < batch->count; i++)
		names[i] = batch->recipients[i].fingerprint;
	qsort(names, batch->count, sizeof *names, compare_text);
	int result = 0;
	for (size_t i = 1; i < batch->count && result == 0; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			result = err_set(err, ERR_DAEMON, ERR_NEVER,
			    "the batch names the certificate %s twice", names[i]);
	}
	free(names);
	return result;
}

/* Nothing but fingerprints and key IDs may reach gpg's command line: a name of any other form could
 * be looked up, or be an option. */
static int check(const struct batch *batch, struct err *err)
{
	if (batch->home->gateway[0] == '\0')
		return err_set(err, ERR_DAEMON, ERR_NEVER, "the gateway has no key yet");
	if (batch->count < 1 || batch->count > SEAL_BATCH_MAX)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "a batch has 1 to %d recipients, not %zu", SEAL_BATCH_MAX, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		const struct seal_recipient *recipient = &batch->recipients[i];
		if (!engine_is_fingerprint(recipient->fingerprint))
			return err_set(err, ERR_DAEMON, ERR_NEVER, "\"%.64s\" is no fingerprint",
			    recipient->fingerprint);
		if (strspn(recipient->key_id, "0123456789ABCDEF") != KEY_ID_SIZE - 1)
			return err_set(err, ERR_DAEMON, ERR_NEVER, "\"%.16s\" is no key ID",
			    recipient->key_id);
		if (strcmp(recipient->fingerprint, batch->home->gateway) == 0)
			return err_set(err, ERR_DAEMON, ERR_NEVER,
			    "the gateway is a recipient of its own advisory");
	}
	return check_duplicates(batch, err);
}

static void leave_out(struct seal_recipient *recipient, const char *reason)
{
	snprintf(recipient->reason, sizeof recipient->reason, "%s", reason);
	buf_release(&recipient->pkesk);
}

static struct seal_recipient *find(const struct batch *batch, const char *fingerprint)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (strcmp(batch->recipients[i].fingerprint, fingerprint) == 0)
			return &batch->recipients[i];
	}
	return NULL;
}

/* One certificate of the shard, judged anew: it may have expired since it was taken. */
static int examine(void *context, const struct admission *certificate, struct err *err)
{
	(void)err;
	struct certificate_facts facts;
	char reason[CERTIFICATE_REASON_SIZE];
	admission_judge(certificate, clock_now(), &facts, reason);
	struct seal_recipient *recipient = find(context, facts.fingerprint);
	if (recipient == NULL || !is_in(recipient))
		return 0;
	if (reason[0] == '\0' && strcmp(facts.encryption_key_id, recipient->key_id) != 0)
		snprintf(reason, sizeof reason,
		    "gpg would encrypt for its subkey %s, but %s was recorded: take the "
		    "certificate in anew",
		    facts.encryption_key_id, recipient->key_id);
	if (reason[0] != '\0')
		leave_out(recipient, reason);
	return 0;
}

static int examine_all(struct batch *batch, struct err *err)
{
	gpgme_ctx_t ctx;
	const char **names = calloc(batch->count + 1, sizeof *names);
	if (names == NULL)
		abort();
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++) {
		if (is_in(&batch->recipients[i]))
			names[count++] = batch->recipients[i].fingerprint;
	}
	int result = engine_open(batch->dir, &ctx, err);
	if (result == 0) {
		batch->gpg_runs += 2;
		result = listing_read_surely(ctx, names, examine, batch, err);
		gpgme_release(ctx);
	}
	free(names);
	return result;
}

static const char *reason_of(gpgme_error_t code)
{
	switch (gpgme_err_code(code)) {
	case GPG_ERR_NO_PUBKEY:
		return "its certificate is missing in the keyring, for gpg did not take it: ask for it anew";
	case GPG_ERR_CERT_REVOKED:
		return "its certificate was revoked";
	case GPG_ERR_CERT_EXPIRED:
	case GPG_ERR_KEY_EXPIRED:
		return "its certificate has expired";
	case GPG_ERR_SUBKEYS_EXP_OR_REV:
		return "its encryption subkeys have expired or were revoked";
	case GPG_ERR_WRONG_KEY_USAGE:
		return "its certificate has no key for encryption";
	default:
		return "gpg cannot encrypt for its certificate";
	}
}

/* Whether gpg misses one that the keyring held when it was built: what a recipient lacks then is a whole
 * keyring, and no certificate. */
static bool is_damaged(const struct batch *batch, gpgme_invalid_key_t invalid)
{
	for (; invalid != NULL; invalid = invalid->next) {
		if (gpgme_err_code(invalid->reason) == GPG_ERR_NO_PUBKEY && invalid->fpr != NULL &&
		    additional_was_held(batch->dir, invalid->fpr))
			return true;
	}
	return false;
}

/* Takes those out that gpg named; with the first refusal it is found out about the others too, and
 * why. gpg naming nobody of ours means that we do not understand it: the batch fails. */
static int take_out(struct batch *batch, gpgme_invalid_key_t invalid, struct err *err)
{
	if (!home_has_shard(batch->home, batch->shard, batch->generation))
		return err_set(
		    err, ERR_DAEMON, ERR_NOW, "the shard's keyring was replaced meanwhile");
	if (is_damaged(batch, invalid)) {
		home_forget_shard(batch->home, batch->shard, batch->generation);
		return err_set(err, ERR_DAEMON, ERR_NOW, "the shard's keyring is damaged");
	}
	if (!batch->examined && examine_all(batch, err) != 0)
		return -1;
	batch->examined = true;
	for (; invalid != NULL; invalid = invalid->next) {
		struct seal_recipient *recipient =
		    invalid->fpr == NULL ? NULL : find(batch, invalid->fpr);
		if (invalid->fpr != NULL && strcmp(invalid->fpr, batch->home->gateway) == 0)
			return err_set(err, ERR_DAEMON, ERR_LATER,
			    "the gateway's own key cannot be encrypted for: %s",
			    reason_of(invalid->reason));
		if (recipient == NULL)
			return err_set(err, ERR_DAEMON, ERR_LATER,
			    "gpg refuses a recipient that the batch does not name: %.64s",
			    invalid->fpr == NULL ? "(nameless)" : invalid->fpr);
		if (is_in(recipient))
			leave_out(recipient, reason_of(invalid->reason));
	}
	return 0;
}

static void add_names(const struct batch *batch, struct buf *names)
{
	/* Behind "--" GPGME takes every line for a name. */
	buf_add_text(names, "--\n");
	for (size_t i = 0; i < batch->count; i++) {
		if (is_in(&batch->recipients[i]))
			buf_printf(names, "%s\n", batch->recipients[i].fingerprint);
	}
	/* When all recipients ask for it, newer GnuPG writes a data packet that many programs
	 * cannot read. The gateway's own key does not ask; its session key is dropped again. */
	buf_printf(names, "%s\n", batch->home->gateway);
}

/* Exactly one signature, by the gateway's key. */
static int check_signer(const struct batch *batch, gpgme_ctx_t ctx, struct err *err)
{
	const gpgme_sign_result_t signed_by = gpgme_op_sign_result(ctx);
	if (signed_by == NULL || signed_by->invalid_signers != NULL ||
	    signed_by->signatures == NULL || signed_by->signatures->next != NULL ||
	    signed_by->signatures->fpr == NULL ||
	    strcmp(signed_by->signatures->fpr, batch->home->gateway) != 0)
		return err_set(err, ERR_DAEMON, ERR_LATER,
		    "the message was not signed with the gateway's key");
	return 0;
}

/* After a run that failed for no name: it may have been for the keyring. */
static void look_at_keyring(const struct batch *batch)
{
	const char **names = calloc(batch->count + 1, sizeof *names);
	if (names == NULL)
		abort();
	for (size_t i = 0; i < batch->count; i++)
		names[i] = batch->recipients[i].fingerprint;
	home_check_shard(batch->home, batch->shard, batch->generation, names);
	free(names);
}

/* One run. 1: sealed. 0: recipients were taken out, try again. */
static int run(struct batch *batch, gpgme_ctx_t ctx, struct view plaintext, struct buf *sealed,
    struct err *err)
{
	struct buf names = BUF_EMPTY((SEAL_BATCH_MAX + 2) * FINGERPRINT_SIZE);
	add_names(batch, &names);
	struct engine_sink sink;
	gpgme_data_t from = engine_source(plaintext);
	gpgme_data_t to = engine_sink(&sink, sealed);
	batch->gpg_runs++;
	const gpgme_error_t code = feed_encrypt_sign(ctx, buf_text(&names), from, to);
	gpgme_data_release(from);
	gpgme_data_release(to);
	buf_release(&names);
	const gpgme_encrypt_result_t result = gpgme_op_encrypt_result(ctx);
	const gpgme_invalid_key_t invalid = result == NULL ? NULL : result->invalid_recipients;
	if (invalid != NULL) {
		buf_clear(sealed);
		return take_out(batch, invalid, err);
	}
	if (sink.over)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "the sealed message is too large");
	if (engine_is_locked(batch->home->passphrase, code, err))
		return -1;
	if (code != 0) {
		look_at_keyring(batch);
		return engine_failed(err, code, "cannot seal");
	}
	return check_signer(batch, ctx, err) == 0 ? 1 : -1;
}

static int run_until_sealed(
    struct batch *batch, struct view plaintext, struct buf *sealed, struct err *err)
{
	gpgme_ctx_t ctx;
	if (engine_open(batch->dir, &ctx, err) != 0)
		return -1;
	engine_unlock(ctx, batch->home->passphrase);
	int got = 0;
	for (int round = 0; got == 0 && count_in(batch) > 0; round++) {
		if (round == ROUNDS_MAX)
			got = err_set(err, ERR_DAEMON, ERR_LATER,
			    "gpg refused a recipient in each of %d runs for one batch", ROUNDS_MAX);
		else
			got = run(batch, ctx, plaintext, sealed, err);
	}
	gpgme_release(ctx);
	return got < 0 ? -1 : 0;
}

static int hand_out(
    const struct batch *batch, struct view sealed, struct buf *data, struct err *err)
{
	struct buf additional = BUF_EMPTY(SIZE_MAX);
	int result = additional_read(batch->dir, &additional, err);
	if (result == 0)
		result = distribute(batch->home->gateway, buf_view(&additional), sealed,
		    batch->recipients, batch->count, data, err);
	buf_release(&additional);
	return result;
}

int seal_batch(const struct home *home, int64_t shard, int64_t generation, struct view plaintext,
    struct seal_recipient *recipients, size_t count, struct buf *data, uint32_t *gpg_runs,
    struct err *err)
{
	struct batch batch = {
	    .home = home,
	    .shard = shard,
	    .generation = generation,
	    .recipients = recipients,
	    .count = count,
	};
	*data = BUF_EMPTY(0);
	*gpg_runs = 0;
	for (size_t i = 0; i < count; i++) {
		recipients[i].pkesk = BUF_EMPTY(SESSION_KEYS_SIZE);
		recipients[i].reason[0] = '\0';
	}
	if (check(&batch, err) != 0)
		return -1;
	home_shard_path(home, shard, generation, batch.dir);
	if (agent_join(home->place, batch.dir, err) != 0)
		return -1;
	struct buf sealed = BUF_EMPTY(
	    plaintext.len + plaintext.len / 8 + SEALED_OVERHEAD + count * SESSION_KEYS_SIZE);
	int result = run_until_sealed(&batch, plaintext, &sealed, err);
	if (result == 0 && count_in(&batch) > 0)
		result = hand_out(&batch, buf_view(&sealed), data, err);
	for (size_t i = 0; i < count && result != 0; i++)
		buf_release(&recipients[i].pkesk);
	buf_release(&sealed);
	*gpg_runs = batch.gpg_runs;
	return result;
}
