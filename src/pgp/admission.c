#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "pgp/admission.h"
#include "pgp/explain.h"

enum { DATE_SIZE = sizeof "2026-11-25" };

static size_t listed(const struct admission *in)
{
	return in->key_count < ADMISSION_KEYS_MAX ? in->key_count : ADMISSION_KEYS_MAX;
}

static void date_of(int64_t seconds, char out[static DATE_SIZE])
{
	char time[TEXT_TIME_SIZE];
	text_format_time(seconds, time);
	snprintf(out, DATE_SIZE, "%.10s", time);
}

static bool has_expired(const struct admission_key *key, int64_t now)
{
	return key->expires != 0 && key->expires < now;
}

static bool is_live(const struct admission_key *key, int64_t now)
{
	return !key->revoked && !key->invalid && !has_expired(key, now) && key->created <= now;
}

static bool is_sound(const struct admission_key *key)
{
	switch (key->algorithm) {
	case ADMISSION_MODULAR:
		return key->bits >= ADMISSION_BITS_MIN;
	case ADMISSION_CURVE:
		return key->bits >= ADMISSION_CURVE_BITS_MIN;
	case ADMISSION_UNKNOWN:
		break;
	}
	return false;
}

const struct admission_key *admission_encryption_key(const struct admission *in, int64_t now)
{
	const struct admission_key *newest = NULL;
	for (size_t i = 1; i < listed(in); i++) {
		const struct admission_key *key = &in->keys[i];
		/* Of two made in the same second gpg takes the one that stands first. */
		if (key->may_encrypt && is_live(key, now) &&
		    (newest == NULL || key->created > newest->created))
			newest = key;
	}
	if (newest == NULL && listed(in) > 0 && in->keys[0].may_encrypt &&
	    is_live(&in->keys[0], now))
		newest = &in->keys[0];
	return newest;
}

/* Of the subkeys that could have been it, the one to talk about: the newest. */
static const struct admission_key *newest_for_encryption(const struct admission *in)
{
	const struct admission_key *newest = NULL;
	for (size_t i = 0; i < listed(in); i++) {
		const struct admission_key *key = &in->keys[i];
		if (key->may_encrypt && (newest == NULL || key->created > newest->created))
			newest = key;
	}
	return newest;
}

bool admission_is_closed(const struct admission *in, int64_t now)
{
	const struct admission_key *key = newest_for_encryption(in);
	return key != NULL && key->revoked && admission_encryption_key(in, now) == NULL;
}

static void explain_no_encryption(const struct admission *in, int64_t now, char *reason)
{
	const struct admission_key *key = newest_for_encryption(in);
	char date[DATE_SIZE];
	const bool left_out = key == NULL || key->algorithm == ADMISSION_UNKNOWN;
	if (left_out && explain_encryption(in->packets, in, reason))
		return;
	if (key == NULL) {
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it has no encryption subkey, so nothing can be sealed for it: ask for a "
		    "certificate with one");
	} else if (key->revoked) {
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "the encryption subkey %s was revoked: ask for a certificate with a new one",
		    key->key_id);
	} else if (has_expired(key, now)) {
		date_of(key->expires, date);
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "the encryption subkey %s expired on %s: ask for a renewed certificate",
		    key->key_id, date);
	} else if (key->invalid) {
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "the encryption subkey %s is not bound to the certificate by a good signature",
		    key->key_id);
	} else {
		date_of(key->created, date);
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "the encryption subkey %s is valid from %s on only: check the clocks",
		    key->key_id, date);
	}
}

static bool refuse_primary(const struct admission_key *primary, int64_t now, char *reason)
{
	char date[DATE_SIZE];
	if (primary->revoked) {
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it was revoked by its owner: ask for a new certificate");
	} else if (has_expired(primary, now)) {
		date_of(primary->expires, date);
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it expired on %s: ask for a renewed certificate", date);
	} else if (primary->created > now) {
		date_of(primary->created, date);
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it is valid from %s on only: check the clocks", date);
	} else if (primary->invalid) {
		snprintf(reason, CERTIFICATE_REASON_SIZE, "its self-signatures are not valid");
	} else {
		return false;
	}
	return true;
}

static bool refuse_weak(const struct admission_key *key, const char *role, char *reason)
{
	if (is_sound(key))
		return false;
	if (key->algorithm == ADMISSION_UNKNOWN)
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "%s %s is of an algorithm or curve that GnuPG does not know here", role,
		    key->key_id);
	else
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "%s %s is too weak: %s, where %d bits are asked for (%d with elliptic curves)",
		    role, key->key_id, key->name, ADMISSION_BITS_MIN, ADMISSION_CURVE_BITS_MIN);
	return true;
}

/* A live signing subkey that is weak could sign acknowledgments, so the owner has to revoke it. */
static bool refuse_weak_signer(const struct admission *in, int64_t now, char *reason)
{
	for (size_t i = 1; i < listed(in); i++) {
		const struct admission_key *key = &in->keys[i];
		if (key->may_sign && is_live(key, now) &&
		    refuse_weak(key, "the signing subkey", reason))
			return true;
	}
	return false;
}

/* Expired and revoked ones too: what they signed is still to be known as this certificate's. */
static size_t fill_signers(const struct admission *in, struct certificate_facts *facts)
{
	size_t found = 0;
	for (size_t i = 0; i < listed(in); i++) {
		if (i > 0 && !in->keys[i].may_sign)
			continue;
		if (found < CERTIFICATE_KEYS_MAX)
			memcpy(facts->key_ids[found], in->keys[i].key_id, KEY_ID_SIZE);
		found++;
	}
	facts->key_count = (uint32_t)(found < CERTIFICATE_KEYS_MAX ? found : CERTIFICATE_KEYS_MAX);
	return found;
}

static void fill_facts(const struct admission *in, const struct admission_key *encryption,
    struct certificate_facts *facts)
{
	const struct admission_key *primary = &in->keys[0];
	memcpy(facts->fingerprint, primary->fingerprint, FINGERPRINT_SIZE);
	memcpy(facts->user_id, in->user_id, CERTIFICATE_USER_ID_SIZE);
	facts->created = primary->created;
	facts->expires = primary->expires;
	if (encryption == NULL) {
		snprintf(facts->algorithm, sizeof facts->algorithm, "%s", primary->name);
	} else {
		snprintf(facts->algorithm, sizeof facts->algorithm, "%.20s, encrypts with %.20s",
		    primary->name, encryption->name);
		memcpy(facts->encryption_key_id, encryption->key_id, KEY_ID_SIZE);
		memcpy(facts->encryption_fingerprint, encryption->fingerprint, FINGERPRINT_SIZE);
		facts->encryption_expires = encryption->expires;
	}
}

void admission_judge(const struct admission *in, int64_t now, struct certificate_facts *facts,
    char reason[static CERTIFICATE_REASON_SIZE])
{
	*facts = (struct certificate_facts){.created = 0};
	reason[0] = '\0';
	if (in->key_count == 0) {
		snprintf(reason, CERTIFICATE_REASON_SIZE, "it holds no key");
		return;
	}
	const struct admission_key *encryption = admission_encryption_key(in, now);
	fill_facts(in, encryption, facts);
	if (fill_signers(in, facts) > CERTIFICATE_KEYS_MAX || in->key_count > ADMISSION_KEYS_MAX) {
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it has too many subkeys: %zu; ask for a certificate without the old ones",
		    in->key_count - 1);
		return;
	}
	if (refuse_primary(&in->keys[0], now, reason))
		return;
	if (!in->has_user_id) {
		snprintf(
		    reason, CERTIFICATE_REASON_SIZE, "it has no valid user ID: all were revoked");
		return;
	}
	if (refuse_weak(&in->keys[0], "the primary key", reason))
		return;
	if (encryption == NULL) {
		explain_no_encryption(in, now, reason);
		return;
	}
	if (refuse_weak(encryption, "the encryption subkey", reason) ||
	    refuse_weak_signer(in, now, reason))
		return;
	if (in->states_ciphers && !in->takes_aes)
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "its preferences do not take AES: ask its owner to set them (gpg: setpref)");
}
