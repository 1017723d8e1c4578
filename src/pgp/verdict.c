#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "pgp/fault.h"
#include "pgp/listing.h"
#include "pgp/verdict.h"

/* VALIDSIG <fpr> <date> <time> <expiry> <version> <reserved> <algorithm> <hash> <class> <primary>
 * ERRSIG <key ID> <algorithm> <hash> <class> <time> <code> <fpr>
 * ERROR <where> <code> (GnuPG's doc/DETAILS). */
enum { VALIDSIG_PRIMARY = 9, ERRSIG_CODE = 5, ERROR_CODE = 1 };

static void hear_valid(struct verdict_report *report, struct view args)
{
	struct view field, key = {NULL, 0}, primary = {NULL, 0};
	for (int i = 0; view_next_field(&args, ' ', &field); i++) {
		if (i == 0)
			key = field;
		if (i == VALIDSIG_PRIMARY)
			primary = field;
	}
	if (report->valid_count == OPEN_SIGNATURES_MAX || primary.len == 0)
		return;
	const uint32_t at = report->valid_count;
	if (view_copy(key, report->valid[at].key, FINGERPRINT_SIZE) &&
	    view_copy(primary, report->valid[at].primary, FINGERPRINT_SIZE))
		report->valid_count++;
}

/* The field of these arguments that is an error code, where the machine is at fault; else 0. */
static gpgme_error_t hear_fault(struct view args, int place)
{
	struct view field;
	char digits[16];
	for (int i = 0; view_next_field(&args, ' ', &field); i++) {
		if (i != place || !view_copy(field, digits, sizeof digits))
			continue;
		const gpgme_error_t code = (gpgme_error_t)strtoul(digits, NULL, 10);
		return fault_is_of_machine(code) ? code : 0;
	}
	return 0;
}

static gpgme_error_t hear(void *context, const char *keyword, const char *args)
{
	static const char failed[] = "pkdecrypt_failed ";
	struct verdict_report *report = context;
	if (strcmp(keyword, "VALIDSIG") == 0)
		hear_valid(report, view_of(args));
	else if (strcmp(keyword, "PLAINTEXT") == 0)
		report->plaintexts++;
	else if (strcmp(keyword, "BEGIN_DECRYPTION") == 0)
		report->decryptions++;
	else if (strcmp(keyword, "ERRSIG") == 0 && report->verify_fault == 0)
		report->verify_fault = hear_fault(view_of(args), ERRSIG_CODE);
	else if (strcmp(keyword, "ERROR") == 0 && strncmp(args, failed, strlen(failed)) == 0)
		report->decrypt_fault = hear_fault(view_of(args), ERROR_CODE);
	return 0;
}

void verdict_listen(gpgme_ctx_t ctx, struct verdict_report *report)
{
	*report = (struct verdict_report){.valid_count = 0};
	gpgme_set_ctx_flag(ctx, "full-status", "1");
	gpgme_set_status_cb(ctx, hear, report);
}

static const char *primary_of(const struct verdict_report *report, const char *key)
{
	for (uint32_t i = 0; i < report->valid_count; i++) {
		if (strcmp(report->valid[i].key, key) == 0)
			return report->valid[i].primary;
	}
	return NULL;
}

static bool is_weak_digest(gpgme_hash_algo_t digest)
{
	return digest == GPGME_MD_MD5 || digest == GPGME_MD_SHA1 || digest == GPGME_MD_RMD160;
}

/* What gpg's word for it means, before the certificate itself is looked at. */
static enum signature_status first_status(const struct _gpgme_signature *signature)
{
	switch (gpgme_err_code(signature->status)) {
	case GPG_ERR_NO_ERROR:
		if (is_weak_digest(signature->hash_algo))
			return SIGNATURE_WEAK;
		return signature->wrong_key_usage ? SIGNATURE_BAD : SIGNATURE_GOOD;
	case GPG_ERR_KEY_EXPIRED:
		return is_weak_digest(signature->hash_algo) ? SIGNATURE_WEAK
							    : SIGNATURE_KEY_EXPIRED;
	case GPG_ERR_CERT_REVOKED:
		return SIGNATURE_KEY_REVOKED;
	case GPG_ERR_SIG_EXPIRED:
		return SIGNATURE_EXPIRED;
	case GPG_ERR_NO_PUBKEY:
		return SIGNATURE_UNKNOWN_KEY;
	case GPG_ERR_DIGEST_ALGO:
	case GPG_ERR_PUBKEY_ALGO:
		return SIGNATURE_WEAK;
	default:
		return SIGNATURE_BAD;
	}
}

static bool lived_at(const struct admission_key *key, int64_t time)
{
	return key->created <= time && (key->expires == 0 || time <= key->expires);
}

/* gpg says "expired" of any key that is so today. It counts that the signing key and the primary
 * key were live when the signature was made, and that neither was revoked since. */
static enum signature_status status_of_expired(
    const struct admission *certificate, const char *key_id, int64_t made)
{
	const struct admission_key *primary = &certificate->keys[0];
	for (size_t i = 0; i < certificate->key_count && i < ADMISSION_KEYS_MAX; i++) {
		const struct admission_key *key = &certificate->keys[i];
		if (strcmp(key->key_id, key_id) != 0)
			continue;
		if (key->revoked || primary->revoked)
			return SIGNATURE_KEY_REVOKED;
		return lived_at(key, made) && lived_at(primary, made) ? SIGNATURE_GOOD
								      : SIGNATURE_KEY_EXPIRED;
	}
	return SIGNATURE_KEY_EXPIRED;
}

/* Whose key it is, from the home's keyring, and what became of it. */
static int look_up(const char *dir, const struct _gpgme_signature *signature,
    struct signature_facts *facts, struct err *err)
{
	if (signature->fpr == NULL)
		return 0;
	gpgme_ctx_t ctx;
	if (engine_open(dir, &ctx, err) != 0)
		return -1;
	struct admission *certificate = malloc(sizeof *certificate);
	if (certificate == NULL)
		abort();
	const int found = listing_find(ctx, signature->fpr, certificate, err);
	gpgme_release(ctx);
	if (found == 1) {
		memcpy(facts->fingerprint, certificate->keys[0].fingerprint, FINGERPRINT_SIZE);
		if (facts->status == SIGNATURE_KEY_EXPIRED)
			facts->status =
			    status_of_expired(certificate, facts->key_id, facts->created);
	}
	free(certificate);
	return found < 0 ? -1 : 0;
}

static int judge_one(const struct _gpgme_signature *signature, const char *dir,
    const struct verdict_report *report, struct signature_facts *facts, uint32_t *runs,
    struct err *err)
{
	*facts = (struct signature_facts){
	    .status = first_status(signature),
	    .created = (int64_t)signature->timestamp,
	};
	const char *key = signature->fpr == NULL ? "" : signature->fpr;
	snprintf(facts->key_id, sizeof facts->key_id, "%s", engine_key_id(key));
	const char *primary = primary_of(report, key);
	facts->proven = primary != NULL;
	if (primary != NULL)
		snprintf(facts->fingerprint, sizeof facts->fingerprint, "%s", primary);
	if (facts->status == SIGNATURE_UNKNOWN_KEY)
		return 0;
	if (primary == NULL || facts->status == SIGNATURE_KEY_EXPIRED) {
		*runs += 2;
		if (look_up(dir, signature, facts, err) != 0)
			return -1;
	}
	/* Good without a name is not good. */
	if (facts->status == SIGNATURE_GOOD && (primary == NULL || facts->fingerprint[0] == '\0'))
		facts->status = SIGNATURE_BAD;
	return 0;
}

int verdict_judge(gpgme_ctx_t ctx, const char *dir, const struct verdict_report *report,
    struct opened *result, struct err *err)
{
	const gpgme_verify_result_t verified = gpgme_op_verify_result(ctx);
	result->signature_count = 0;
	if (report->verify_fault != 0)
		return engine_failed(err, report->verify_fault, "cannot check a signature");
	for (gpgme_signature_t signature = verified == NULL ? NULL : verified->signatures;
	     signature != NULL; signature = signature->next) {
		const uint32_t at = result->signature_count++;
		if (at >= OPEN_SIGNATURES_MAX)
			continue;
		if (judge_one(signature, dir, report, &result->signatures[at], &result->gpg_runs,
			err) != 0)
			return -1;
	}
	return 0;
}
