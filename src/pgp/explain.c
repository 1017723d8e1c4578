#include "config.h"

#include <stdio.h>
#include <string.h>

#include "pgp/engine.h"
#include "pgp/explain.h"
#include "pgp/merge.h"
#include "pgp/packet.h"
#include "pgp/sigpacket.h"

enum {
	KEY_HEAD = 6, /* version, time, algorithm */
	VERSION_4 = 4,
	VERSION_5 = 5, /* of LibrePGP */
	VERSION_6 = 6, /* of RFC 9580 */
	RSA = 1,
	RSA_ENCRYPT = 2,
	RSA_SIGN = 3,
	ELGAMAL = 16,
	DSA = 17,
	ECDH = 18,
	/* No program makes keys beyond these; one that is costs gpg seconds a signature. */
	RSA_EXPONENT_BITS_MAX = 64,
	DSA_BITS_MAX = 4096,
	FLAG_CERTIFY = 0x01, /* RFC 9580 section 5.2.3.29 */
	FLAG_SIGN = 0x02,
	FLAG_ENCRYPT = 0x0c,
	FLAG_AUTHENTICATE = 0x20,
};

/* What the owner can be asked for; it ends a reason. */
#define MAKE_CERTIFICATE                                                                           \
	"ask for one as GnuPG makes it: EdDSA and ECDH on Curve25519 (\"legacy\" in newer "        \
	"programs), or RSA of 3072 bits"
#define MAKE_SUBKEY "ask for one with ECDH on Curve25519 (cv25519) or RSA of 3072 bits"

/* Algorithms that GnuPG 2.2 and 2.4 do not know (RFC 9580 section 9.1; draft-ietf-openpgp-pqc). */
static const struct algorithm {
	uint8_t number;
	const char *name;
	const char *from;
	bool encrypts;
} unknown_algorithms[] = {
    {8, "Kyber", "LibrePGP", true},
    {25, "X25519", "RFC 9580", true},
    {26, "X448", "RFC 9580", true},
    {27, "Ed25519", "RFC 9580", false},
    {28, "Ed448", "RFC 9580", false},
    {30, "ML-DSA-65+Ed25519", "the post-quantum draft", false},
    {31, "ML-DSA-87+Ed448", "the post-quantum draft", false},
    {32, "SLH-DSA-SHAKE-128s", "the post-quantum draft", false},
    {33, "SLH-DSA-SHAKE-128f", "the post-quantum draft", false},
    {34, "SLH-DSA-SHAKE-256s", "the post-quantum draft", false},
    {35, "ML-KEM-768+X25519", "the post-quantum draft", true},
    {36, "ML-KEM-1024+X448", "the post-quantum draft", true},
};

static const struct algorithm *find_unknown(uint8_t number)
{
	for (size_t i = 0; i < sizeof unknown_algorithms / sizeof *unknown_algorithms; i++) {
		if (unknown_algorithms[i].number == number)
			return &unknown_algorithms[i];
	}
	return NULL;
}

static uint8_t algorithm_of(const struct packet *key)
{
	return key->body.len < KEY_HEAD ? 0 : (uint8_t)key->body.data[KEY_HEAD - 1];
}

static unsigned big_endian(struct view at)
{
	return at.len < 2 ? 0
			  : (unsigned)(unsigned char)at.data[0] << 8 | (unsigned char)at.data[1];
}

/* The bits of the first or second number of a key. */
static unsigned number_bits(const struct packet *key, unsigned which)
{
	struct view rest = view_part(key->body, KEY_HEAD, key->body.len);
	for (; which > 0; which--)
		rest = view_part(rest, 2 + (big_endian(rest) + 7) / 8, rest.len);
	return big_endian(rest);
}

static bool is_slow(const struct packet *key)
{
	switch (algorithm_of(key)) {
	case RSA:
	case RSA_ENCRYPT:
	case RSA_SIGN:
		return number_bits(key, 1) > RSA_EXPONENT_BITS_MAX;
	case DSA:
		return number_bits(key, 0) > DSA_BITS_MAX;
	default:
		return false;
	}
}

static bool is_key(const struct packet *packet)
{
	return packet->tag == PACKET_PUBLIC_KEY || packet->tag == PACKET_PUBLIC_SUBKEY;
}

static bool explain_version(uint8_t version, char *reason)
{
	if (version == VERSION_4)
		return false;
	if (version < VERSION_4)
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it is an OpenPGP version %u key, which is broken: ask for a new certificate",
		    version);
	else
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it is an OpenPGP version %u key%s, which GnuPG cannot use here: ask for one "
		    "of "
		    "version 4, with EdDSA and ECDH on Curve25519 or RSA of 3072 bits",
		    version,
		    version == VERSION_6   ? " (RFC 9580)"
		    : version == VERSION_5 ? " (LibrePGP)"
					   : "");
	return true;
}

static bool explain_primary(const struct packet *primary, char *reason)
{
	const struct algorithm *algorithm = find_unknown(algorithm_of(primary));
	if (algorithm == NULL)
		return false;
	snprintf(reason, CERTIFICATE_REASON_SIZE,
	    "its primary key is of the algorithm %s (%u) of %s, which GnuPG does not know: %s",
	    algorithm->name, algorithm->number, algorithm->from, MAKE_CERTIFICATE);
	return true;
}

bool explain_unfit(struct view certificate, char reason[static CERTIFICATE_REASON_SIZE])
{
	struct packet packet;
	bool primary = true;
	while (packet_next(&certificate, &packet) == 1) {
		if (!is_key(&packet) || packet.body.len < KEY_HEAD)
			continue;
		if (primary && (explain_version((uint8_t)packet.body.data[0], reason) ||
				   explain_primary(&packet, reason)))
			return true;
		primary = false;
		if (is_slow(&packet)) {
			snprintf(reason, CERTIFICATE_REASON_SIZE,
			    "it has a key with numbers that no program makes, and that would take "
			    "very long to check: %s",
			    MAKE_CERTIFICATE);
			return true;
		}
	}
	return false;
}

/* -- subkeys -- */

static bool could_encrypt(const struct packet *subkey)
{
	const uint8_t number = algorithm_of(subkey);
	const struct algorithm *unknown = find_unknown(number);
	return unknown != NULL
		   ? unknown->encrypts
		   : number == RSA || number == RSA_ENCRYPT || number == ELGAMAL || number == ECDH;
}

static const struct admission_key *find_listed(const struct admission *listed, const char *key_id)
{
	for (size_t i = 0; i < listed->key_count && i < ADMISSION_KEYS_MAX; i++) {
		if (strcmp(listed->keys[i].key_id, key_id) == 0)
			return &listed->keys[i];
	}
	return NULL;
}

static bool state_flags(struct view subpackets, unsigned *flags)
{
	unsigned type;
	struct view content;
	bool stated = false;
	while (sigpacket_next(&subpackets, &type, &content)) {
		if (type == SUBPACKET_KEY_FLAGS && content.len > 0) {
			*flags = (unsigned char)content.data[0];
			stated = true;
		}
	}
	return stated;
}

/* What stands below a subkey: whether anything binds it, and what it is for by the last that does.
 */
static bool is_bound(struct view rest, const char *primary, unsigned *flags)
{
	struct packet packet;
	struct sigpacket signature;
	bool bound = false;
	*flags = 0;
	while (packet_next(&rest, &packet) == 1 && packet.tag == PACKET_SIGNATURE) {
		if (!sigpacket_read(packet.body, &signature) ||
		    signature.type != SIGPACKET_BIND_SUBKEY ||
		    strcmp(signature.issuer, primary) != 0)
			continue;
		bound = true;
		state_flags(signature.hashed, flags);
	}
	return bound;
}

static const char *use_of(unsigned flags)
{
	if ((flags & FLAG_SIGN) != 0)
		return "sign";
	if ((flags & FLAG_AUTHENTICATE) != 0)
		return "authenticate (SSH)";
	return (flags & FLAG_CERTIFY) != 0 ? "certify" : "do something else";
}

/* A subkey that is not listed as one that encrypts. */
static void explain_subkey(const struct packet *subkey, const char *key_id, bool is_listed,
    bool bound, unsigned flags, char *reason)
{
	const struct algorithm *unknown = find_unknown(algorithm_of(subkey));
	if (unknown != NULL)
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "its encryption subkey %s is of the algorithm %s (%u) of %s, which GnuPG does "
		    "not know: %s",
		    key_id, unknown->name, unknown->number, unknown->from, MAKE_SUBKEY);
	else if (is_listed)
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it has no encryption subkey: by its key flags the subkey %s may only %s; ask "
		    "for a certificate with one",
		    key_id, use_of(flags));
	else
		snprintf(reason, CERTIFICATE_REASON_SIZE,
		    "it has an encryption subkey %s, but GnuPG does not take it: %s; ask for a new "
		    "export, or a new subkey",
		    key_id,
		    bound ? "the signature that binds it to the certificate is bad, as when it was "
			    "damaged"
			  : "no signature of its owner binds it to the certificate");
}

/* One that was dropped says more than one that was made for something else. */
static bool says_more(bool is_listed, const struct packet *subkey, bool any)
{
	return !any || !is_listed || find_unknown(algorithm_of(subkey)) != NULL;
}

bool explain_encryption(struct view certificate, const struct admission *listed,
    char reason[static CERTIFICATE_REASON_SIZE])
{
	struct packet packet;
	bool any = false, primary = true;
	while (packet_next(&certificate, &packet) == 1 &&
	       (primary || packet.tag != PACKET_PUBLIC_KEY)) {
		char fingerprint[FINGERPRINT_SIZE];
		unsigned flags;
		primary = false;
		if (packet.tag != PACKET_PUBLIC_SUBKEY || !could_encrypt(&packet))
			continue;
		merge_fingerprint(packet.body, fingerprint);
		const char *key_id = engine_key_id(fingerprint);
		const struct admission_key *key = find_listed(listed, key_id);
		if (key != NULL && key->may_encrypt && key->algorithm != ADMISSION_UNKNOWN)
			continue;
		const bool bound = is_bound(certificate, listed->keys[0].key_id, &flags);
		if (says_more(key != NULL, &packet, any))
			explain_subkey(&packet, key_id, key != NULL, bound, flags, reason);
		any = true;
	}
	return any;
}
