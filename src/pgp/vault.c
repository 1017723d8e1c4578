#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "config/secret.h"
#include "worker/frame.h"
#include "worker/pool.h"

#include "mail/compose.h"
#include "mail/notice.h"

#include "pgp/engine.h"
#include "pgp/place.h"
#include "pgp/preferences.h"
#include "pgp/renew.h"
#include "pgp/sign.h"
#include "pgp/vault.h"

/* Requests and answers: what one side puts, the other takes, in this order. */

static void put_reply(struct buf *body, enum vault_status status, const char *text)
{
	put_u8(body, (uint8_t)status);
	put_text(body, text);
}

/* False when malformed; the details follow when it is true and the status VAULT_OK. */
static bool take_reply(struct taker *taker, struct vault_reply *reply)
{
	const uint8_t status = take_u8(taker);
	take_text(taker, reply->text, sizeof reply->text);
	reply->status = VAULT_FAILED;
	if (taker->bad || status > VAULT_FAILED)
		return false;
	reply->status = (enum vault_status)status;
	return true;
}

static void take_copy(struct taker *taker, size_t most, struct buf *out)
{
	const struct view view = take_view(taker, most);
	*out = BUF_EMPTY(view.len);
	if (view.len > 0)
		buf_add_view(out, view);
}

void vault_put_open(struct buf *body, int64_t shard, int64_t generation, const char *signer,
    enum open_form form, struct view message, struct view signature)
{
	put_i64(body, shard);
	put_i64(body, generation);
	put_text(body, signer);
	put_u8(body, (uint8_t)form);
	put_view(body, message);
	put_view(body, signature);
}

static uint32_t listed(const struct opened *opened)
{
	return opened->signature_count < OPEN_SIGNATURES_MAX ? opened->signature_count
							     : OPEN_SIGNATURES_MAX;
}

static void put_opened(struct buf *body, const struct opened *opened)
{
	put_u8(body, opened->readable);
	put_u8(body, opened->encrypted);
	put_text(body, opened->reason);
	put_u32(body, opened->signature_count);
	for (uint32_t i = 0; i < listed(opened); i++) {
		put_u8(body, (uint8_t)opened->signatures[i].status);
		put_u8(body, opened->signatures[i].proven);
		put_text(body, opened->signatures[i].fingerprint);
		put_text(body, opened->signatures[i].key_id);
		put_i64(body, opened->signatures[i].created);
	}
	put_u32(body, opened->gpg_runs);
	put_view(body, buf_view(&opened->plaintext));
}

static void take_signature(struct taker *taker, struct signature_facts *facts)
{
	const uint8_t status = take_u8(taker);
	if (status > SIGNATURE_BAD)
		taker->bad = true;
	facts->status = status > SIGNATURE_BAD ? SIGNATURE_BAD : (enum signature_status)status;
	facts->proven = take_u8(taker) != 0;
	take_text(taker, facts->fingerprint, sizeof facts->fingerprint);
	take_text(taker, facts->key_id, sizeof facts->key_id);
	facts->created = take_i64(taker);
}

static void take_opened(struct taker *taker, struct opened *result)
{
	result->readable = take_u8(taker) != 0;
	result->encrypted = take_u8(taker) != 0;
	take_text(taker, result->reason, sizeof result->reason);
	result->signature_count = take_u32(taker);
	for (uint32_t i = 0; i < listed(result); i++)
		take_signature(taker, &result->signatures[i]);
	result->gpg_runs = take_u32(taker);
	take_copy(taker, FRAME_BODY_MAX, &result->plaintext);
}

bool vault_take_open(struct view body, struct vault_reply *reply, struct opened *result)
{
	struct taker taker = take_from(body);
	*result = (struct opened){.readable = false};
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK)
		take_opened(&taker, result);
	if (take_end(&taker) && (result->readable || result->plaintext.len == 0))
		return true;
	buf_release(&result->plaintext);
	*result = (struct opened){.readable = false};
	return false;
}

void vault_put_stranger(struct buf *body, int64_t shard, enum open_form form, struct view message,
    struct view signature, struct view certificate)
{
	vault_put_open(body, shard, 0, "", form, message, signature);
	put_view(body, certificate);
}

bool vault_take_stranger(struct view body, struct vault_reply *reply, struct stranger *result)
{
	struct taker taker = take_from(body);
	*result = (struct stranger){.minimal = BUF_EMPTY(0)};
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK) {
		take_text(&taker, result->reason, sizeof result->reason);
		take_text(&taker, result->fingerprint, sizeof result->fingerprint);
		take_copy(&taker, CERTIFICATE_MINIMAL_MAX, &result->minimal);
	}
	if (take_end(&taker))
		return true;
	buf_release(&result->minimal);
	return false;
}

void vault_put_stash(struct buf *body, const struct view *plaintexts, uint32_t count)
{
	put_u32(body, count);
	for (uint32_t i = 0; i < count; i++)
		put_view(body, plaintexts[i]);
}

bool vault_take_stash(
    struct view body, struct vault_reply *reply, struct buf *stashes, uint32_t count)
{
	struct taker taker = take_from(body);
	for (uint32_t i = 0; i < count; i++)
		stashes[i] = BUF_EMPTY(0);
	if (!take_reply(&taker, reply))
		return false;
	for (uint32_t i = 0; reply->status == VAULT_OK && i < count; i++)
		take_copy(&taker, FRAME_BODY_MAX, &stashes[i]);
	if (take_end(&taker))
		return true;
	for (uint32_t i = 0; i < count; i++)
		buf_release(&stashes[i]);
	return false;
}

void vault_put_unstash(struct buf *body, struct view stash)
{
	put_view(body, stash);
}

bool vault_take_unstash(struct view body, struct vault_reply *reply, struct buf *plaintext)
{
	struct taker taker = take_from(body);
	*plaintext = BUF_EMPTY(0);
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK)
		take_copy(&taker, FRAME_BODY_MAX, plaintext);
	if (take_end(&taker))
		return true;
	buf_release(plaintext);
	return false;
}

void vault_put_shard(struct buf *body, int64_t shard, int64_t generation, uint32_t count)
{
	put_i64(body, shard);
	put_i64(body, generation);
	put_u32(body, count);
}

void vault_put_certificate(struct buf *body, struct view minimal)
{
	put_view(body, minimal);
}

bool vault_take_shard(struct view body, struct vault_reply *reply)
{
	struct taker taker = take_from(body);
	return take_reply(&taker, reply) && take_end(&taker);
}

void vault_put_seal(struct buf *body, int64_t shard, int64_t generation, const char *tag,
    struct view stash, const struct seal_recipient *recipients, uint32_t count)
{
	put_i64(body, shard);
	put_i64(body, generation);
	put_text(body, tag);
	put_view(body, stash);
	put_u32(body, count);
	for (uint32_t i = 0; i < count; i++) {
		put_text(body, recipients[i].fingerprint);
		put_text(body, recipients[i].key_id);
	}
}

/* Every recipient has a session key or a reason, never both and never neither. */
static void take_sealed(struct taker *taker, struct seal_recipient *recipient, bool any_data)
{
	take_copy(taker, BUF_SMALL, &recipient->pkesk);
	take_text(taker, recipient->reason, sizeof recipient->reason);
	if ((recipient->pkesk.len > 0) == (recipient->reason[0] != '\0'))
		taker->bad = true;
	if (recipient->pkesk.len > 0 && !any_data)
		taker->bad = true;
}

bool vault_take_seal(struct view body, struct vault_reply *reply, struct seal_recipient *recipients,
    uint32_t count, struct vault_sealed *sealed)
{
	struct taker taker = take_from(body);
	*sealed = (struct vault_sealed){.data = BUF_EMPTY(0)};
	for (uint32_t i = 0; i < count; i++) {
		recipients[i].pkesk = BUF_EMPTY(0);
		recipients[i].reason[0] = '\0';
	}
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK) {
		sealed->gpg_runs = take_u32(&taker);
		sealed->sealed_at = take_i64(&taker);
		taker.bad = taker.bad || sealed->sealed_at <= 0;
		take_copy(&taker, FRAME_BODY_MAX, &sealed->data);
		for (uint32_t i = 0; i < count; i++)
			take_sealed(&taker, &recipients[i], sealed->data.len > 0);
	}
	if (take_end(&taker))
		return true;
	for (uint32_t i = 0; i < count; i++)
		buf_release(&recipients[i].pkesk);
	buf_release(&sealed->data);
	return false;
}

void vault_put_notice(struct buf *body, int64_t expired)
{
	put_i64(body, expired);
}

bool vault_take_notice(struct view body, struct vault_reply *reply, struct buf *signature,
    char digest[static VAULT_DIGEST_SIZE])
{
	struct taker taker = take_from(body);
	*signature = BUF_EMPTY(0);
	digest[0] = '\0';
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK) {
		take_text(&taker, digest, VAULT_DIGEST_SIZE);
		take_copy(&taker, BUF_SMALL, signature);
	}
	if (take_end(&taker) && (reply->status != VAULT_OK || signature->len > 0))
		return true;
	buf_release(signature);
	return false;
}

void vault_put_renew(struct buf *body, const struct renew_request *request)
{
	renew_put(body, request);
}

void vault_release_renew(struct renew_result *result)
{
	for (uint32_t i = 0; i < result->count; i++)
		buf_release(&result->renewals[i].minimal);
	result->count = 0;
}

bool vault_take_renew(struct view body, struct vault_reply *reply, struct renew_result *result)
{
	struct taker taker = take_from(body);
	*result = (struct renew_result){.count = 0};
	if (!take_reply(&taker, reply))
		return false;
	if (reply->status == VAULT_OK)
		renew_take(&taker, result);
	if (take_end(&taker))
		return true;
	vault_release_renew(result);
	*result = (struct renew_result){.count = 0};
	return false;
}

/* The worker's side. */

struct vault {
	const struct config *config;
	struct home home; /* opened with the first request, and again until its key can be used */
	struct passphrase passphrase;
	char place[CONFIG_PATH_SIZE]; /* of the passphrase */
	bool ready;
	bool unfit; /* what was asked failed, and the key or its home is not as it has to be */
};

/* What a request comes to: 0 when *answer holds the details, -1 with err filled. *missing is set
 * when the reason is that the shard's cache is not there. */
typedef int answer_fn(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err);

static int malformed(struct err *err)
{
	return err_set(err, ERR_PEER, ERR_NEVER, "a request to the vault is malformed");
}

/* Opening looks for signers in a shard: should its cache vanish meanwhile, known signers would seem
 * unknown. So it is looked for before and after. */
/* A signature by somebody whose key is not known, and none by whom there should be one. */
static bool misses_signer(const struct opened *opened, const char *signer)
{
	bool unknown = false;
	for (uint32_t i = 0; i < listed(opened); i++) {
		if (strcmp(opened->signatures[i].fingerprint, signer) == 0)
			return false;
		unknown = unknown || opened->signatures[i].status == SIGNATURE_UNKNOWN_KEY;
	}
	return unknown && signer[0] != '\0';
}

static int answer_open(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	const int64_t shard = take_i64(request);
	const int64_t generation = take_i64(request);
	char signer[FINGERPRINT_SIZE];
	take_text(request, signer, sizeof signer);
	const uint8_t form = take_u8(request);
	const struct view message = take_view(request, FRAME_BODY_MAX);
	const struct view signature = take_view(request, FRAME_BODY_MAX);
	if (!take_end(request) || form > OPEN_SIGNED)
		return malformed(err);
	*missing = shard >= 0 && !home_has_shard(&vault->home, shard, generation);
	if (*missing)
		return -1;
	struct opened opened;
	int result = pgp_open(&vault->home, shard, generation, (enum open_form)form, message,
	    signature, (size_t)vault->config->limits.plaintext, &opened, err);
	/* Without the gateway's own certificate gpg signs and opens nothing there. */
	const char *const names[] = {signer, NULL};
	if (shard >= 0 && (result != 0 || misses_signer(&opened, signer)))
		home_check_shard(&vault->home, shard, generation, names);
	*missing = shard >= 0 && !home_has_shard(&vault->home, shard, generation);
	if (result == 0 && !*missing)
		put_opened(answer, &opened);
	buf_release(&opened.plaintext);
	return *missing ? -1 : result;
}

static int answer_stranger(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	const int64_t shard = take_i64(request);
	const int64_t generation = take_i64(request);
	char signer[FINGERPRINT_SIZE];
	take_text(request, signer, sizeof signer);
	const uint8_t form = take_u8(request);
	const struct view message = take_view(request, FRAME_BODY_MAX);
	const struct view signature = take_view(request, FRAME_BODY_MAX);
	const struct view certificate = take_view(request, FRAME_BODY_MAX);
	struct stranger stranger;
	(void)missing;
	if (!take_end(request) || form > OPEN_SIGNED || shard < 0 || generation != 0 ||
	    signer[0] != '\0')
		return malformed(err);
	const int result = stranger_open(&vault->home, shard, (enum open_form)form, message,
	    signature, certificate, (size_t)vault->config->limits.plaintext, &stranger, err);
	if (result == 0) {
		put_text(answer, stranger.reason);
		put_text(answer, stranger.fingerprint);
		put_view(answer, buf_view(&stranger.minimal));
	}
	buf_release(&stranger.minimal);
	return result;
}

static int answer_stash(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	(void)missing;
	struct view plaintexts[VAULT_STASH_MAX];
	const uint32_t count = take_count(request, VAULT_STASH_MAX);
	for (uint32_t i = 0; i < count; i++)
		plaintexts[i] = take_view(request, FRAME_BODY_MAX);
	if (!take_end(request))
		return malformed(err);
	int result = 0;
	for (uint32_t i = 0; i < count && result == 0; i++) {
		struct buf stash = BUF_EMPTY(FRAME_BODY_MAX);
		if (plaintexts[i].len > 0)
			result = pgp_stash(&vault->home, plaintexts[i], &stash, err);
		put_view(answer, buf_view(&stash));
		buf_release(&stash);
	}
	return result;
}

static int answer_unstash(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	(void)missing;
	const struct view stash = take_view(request, FRAME_BODY_MAX);
	if (!take_end(request))
		return malformed(err);
	struct buf plaintext = BUF_EMPTY(FRAME_BODY_MAX);
	const int result = pgp_unstash(&vault->home, stash, &plaintext, err);
	if (result == 0)
		put_view(answer, buf_view(&plaintext));
	buf_release(&plaintext);
	return result;
}

static int answer_shard(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	(void)missing;
	(void)answer;
	const int64_t shard = take_i64(request);
	const int64_t generation = take_i64(request);
	/* A certificate takes four bytes at least, for its length. */
	const uint32_t count = take_count(request, (uint32_t)(request->rest.len / 4));
	struct view *certificates = calloc(count + (size_t)1, sizeof *certificates);
	if (certificates == NULL)
		abort();
	for (uint32_t i = 0; i < count; i++)
		certificates[i] = take_view(request, CERTIFICATE_MINIMAL_MAX);
	const int result =
	    !take_end(request) || shard < 0
		? malformed(err)
		: home_build_shard(&vault->home, shard, generation, certificates, count, err);
	free(certificates);
	return result;
}

static void put_sealed(struct buf *answer, const struct seal_recipient *recipients, uint32_t count,
    const struct vault_sealed *sealed)
{
	put_u32(answer, sealed->gpg_runs);
	put_i64(answer, sealed->sealed_at);
	put_view(answer, buf_view(&sealed->data));
	for (uint32_t i = 0; i < count; i++) {
		put_view(answer, buf_view(&recipients[i].pkesk));
		put_text(answer, recipients[i].reason);
	}
}

/* A key that asks for OCB packets is our fault and no recipient's. */
static void blame_preferences(struct vault *vault, struct err *err)
{
	struct err ignored;
	bool asks;
	if (preferences_look(&vault->home, &asks, &ignored) != 0 || !asks)
		return;
	vault->unfit = true;
	err_prefix(err, "the gateway's own key asks for OCB packets, which many programs cannot "
			"read (stop dewlined, call dewctl key preferences)");
}

static int seal(struct vault *vault, int64_t shard, int64_t generation, const char *tag,
    struct view stash, struct seal_recipient *recipients, uint32_t count, struct buf *answer, struct err *err)
{
	struct buf plaintext = BUF_EMPTY(FRAME_BODY_MAX);
	int result = pgp_unstash(&vault->home, stash, &plaintext, err);
	if (result == 0) {
		struct vault_sealed sealed = {.sealed_at = clock_now()};
		compose_set_date(&plaintext, sealed.sealed_at);
		compose_set_tag(&plaintext, tag);
		result = seal_batch(&vault->home, shard, generation, buf_view(&plaintext),
		    recipients, count, &sealed.data, &sealed.gpg_runs, err);
		sealed.gpg_runs++; /* the one that opened the stash */
		if (result == 0)
			put_sealed(answer, recipients, count, &sealed);
		else
			blame_preferences(vault, err);
		buf_release(&sealed.data);
		for (uint32_t i = 0; i < count; i++)
			buf_release(&recipients[i].pkesk);
	}
	buf_release(&plaintext);
	return result;
}

static int answer_seal(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	const int64_t shard = take_i64(request);
	const int64_t generation = take_i64(request);
	char tag[VAULT_TAG_SIZE] = "";
	take_text(request, tag, sizeof tag);
	const struct view stash = take_view(request, FRAME_BODY_MAX);
	const uint32_t count = take_count(request, SEAL_BATCH_MAX);
	struct seal_recipient *recipients = calloc(count + (size_t)1, sizeof *recipients);
	if (recipients == NULL)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		take_text(request, recipients[i].fingerprint, sizeof recipients[i].fingerprint);
		take_text(request, recipients[i].key_id, sizeof recipients[i].key_id);
	}
	int result;
	if (!take_end(request) || shard < 0) {
		result = malformed(err);
	} else if (!home_has_shard(&vault->home, shard, generation)) {
		*missing = true;
		result = -1;
	} else {
		result =
		    seal(vault, shard, generation, tag, stash, recipients, count, answer, err);
		*missing = result != 0 && !home_has_shard(&vault->home, shard, generation);
	}
	free(recipients);
	return result;
}

static int answer_notice(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	(void)missing;
	const int64_t expired = take_i64(request);
	if (!take_end(request) || expired <= 0)
		return malformed(err);
	struct buf entity = BUF_EMPTY(BUF_SMALL), signature = BUF_EMPTY(BUF_SMALL);
	char digest[VAULT_DIGEST_SIZE];
	notice_entity(&entity, vault->config, expired);
	const int result =
	    sign_detached(&vault->home, buf_view(&entity), &signature, digest, sizeof digest, err);
	if (result == 0) {
		put_text(answer, digest);
		put_view(answer, buf_view(&signature));
	}
	buf_release(&entity);
	buf_release(&signature);
	return result;
}

static int answer_renew(
    struct vault *vault, struct taker *request, struct buf *answer, bool *missing, struct err *err)
{
	(void)missing;
	struct renew_request *asked = calloc(1, sizeof *asked);
	if (asked == NULL)
		abort();
	renew_take_request(request, asked);
	const int result =
	    take_end(request) ? renew_answer(&vault->home, asked, answer, err) : malformed(err);
	free(asked);
	return result;
}

static answer_fn *const answers[] = {
    [VAULT_OPEN] = answer_open,
    [VAULT_STASH] = answer_stash,
    [VAULT_UNSTASH] = answer_unstash,
    [VAULT_SHARD] = answer_shard,
    [VAULT_SEAL] = answer_seal,
    [VAULT_NOTICE] = answer_notice,
    [VAULT_RENEW] = answer_renew,
    [VAULT_STRANGER] = answer_stranger,
};

/* To gpg a key is missing also when no agent can be started, or one serves that cannot reach it. */
static void begin_anew(const struct home *home)
{
	home_end_agent(home->place);
	place_unlock(home->place);
}

static int open_home(struct vault *vault, struct err *err)
{
	if (vault->ready)
		return 0;
	char path[HOME_PATH_SIZE];
	if (snprintf(path, sizeof path, "%s/gnupg", vault->config->state) >= (int)sizeof path)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the state directory's path is too long");
	if (home_open_at(path, PLACE_RUN, &vault->home, err) != 0)
		return -1;
	vault->home.passphrase = &vault->passphrase;
	/* Without the key every message would seem to be for somebody else. */
	if (home_prove_key(&vault->home, err) != 0) {
		if (vault->home.gateway[0] == '\0')
			begin_anew(&vault->home);
		return -1;
	}
	vault->ready = true;
	return 0;
}

static void put_answer(
    struct buf *answer, enum vault_status status, const char *why, const struct buf *details)
{
	if (status == VAULT_NO_SHARD) {
		put_reply(answer, VAULT_NO_SHARD, "the shard's keyring is not there");
	} else if (status != VAULT_OK) {
		put_reply(answer, status, why);
	} else {
		put_reply(answer, VAULT_OK, "");
		buf_add_view(answer, buf_view(details));
	}
	if (answer->overflow || details->overflow) {
		buf_clear(answer);
		put_reply(answer, VAULT_FAILED, "the answer is too large");
	}
}

static enum vault_status status_of(const struct vault *vault, int result, bool missing)
{
	if (missing)
		return VAULT_NO_SHARD;
	if (result == 0)
		return VAULT_OK;
	return vault->passphrase.locked || vault->unfit ? VAULT_LOCKED : VAULT_FAILED;
}

/* A malformed request ends the vault; whatever else goes wrong is an answer. */
static int serve(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	if (type >= sizeof answers / sizeof *answers || answers[type] == NULL)
		return err_set(err, ERR_PEER, ERR_NEVER, "unknown request %u to the vault", type);
	struct vault *vault = context;
	struct buf details = BUF_EMPTY(FRAME_BODY_MAX), answer = BUF_EMPTY(FRAME_BODY_MAX);
	struct taker request = take_from(body);
	bool missing = false;
	bool outdated;
	*err = (struct err){.text = ""};
	vault->passphrase.locked = false;
	int result = open_home(vault, err);
	vault->unfit = result != 0; /* of the home, and of nobody who is sealed for */
	if (result == 0)
		result = answers[type](vault, &request, &details, &missing, err);
	if (result == 0 || missing || err->whom != ERR_PEER) {
		put_answer(&answer, status_of(vault, result, missing), err->text, &details);
		result = pool_reply(service, POOL_ANSWER, buf_view(&answer), err);
		/* The next vault says why, and until it can work nothing is asked of it. */
		if (result == 0)
			result = engine_check(&outdated, err);
	}
	buf_release(&details);
	buf_release(&answer);
	return result;
}

int vault_main(const void *settings, int fd)
{
	struct vault vault = {
	    .config = settings,
	    .passphrase = passphrase_from(passphrase_configured, (void *)(uintptr_t)settings),
	};
	struct err err;
	secret_place(SECRET_GATEWAY, vault.config->gateway.passphrase_file, vault.place);
	vault.passphrase.place = vault.place;
	/* gpg that ends early must not end us while we write to it. */
	signal(SIGPIPE, SIG_IGN);
	/* At once, as long as its file is within reach; a key without one needs none. */
	if (passphrase_get(&vault.passphrase, &err) != 0)
		log_debug("%s", err.text);
	int status = EXIT_FAILURE;
	bool outdated = false;
	if (vault_confine(settings, &err) != 0)
		log_error("%s", err.text);
	else if (engine_check(&outdated, &err) == 0)
		status = pool_serve(fd, serve, &vault);
	else if (!outdated)
		status = pool_cannot_serve(fd, &err);
	if (outdated) {
		log_error("%s", err.text);
		status = WORKER_STATUS_OUTDATED;
	}
	passphrase_release(&vault.passphrase);
	return status;
}
