#include "config.h"

#include "base/text.h"

#include "pgp/sigpacket.h"

enum {
	VERSION_3 = 3,
	VERSION_3_TYPE = 2,
	VERSION_3_ISSUER = 7,
	VERSION_3_LEN = 19, /* with the two octets of the hash, before the numbers */
	VERSION_4 = 4,
	VERSION_4_HASHED = 6, /* octets before the hashed subpackets */
	KEY_ID_OCTETS = 8,
	FINGERPRINT_OCTETS = 1 + 20, /* key version 4, fingerprint */
	TYPE_MASK = 0x7f,
	HASH_START = 2, /* octets of the hash before the numbers */
	NUMBER_BITS_MAX = 16384,
	ONE_OCTET_END = 192,
	FOUR_OCTETS = 255,
};

static size_t octet(struct view view, size_t at)
{
	return (unsigned char)view.data[at];
}

static size_t two_octets(struct view view, size_t at)
{
	return octet(view, at) << 8 | octet(view, at + 1);
}

bool sigpacket_next(struct view *rest, unsigned *type, struct view *content)
{
	if (rest->len < 2)
		return false;
	size_t head = 1, length = octet(*rest, 0);
	if (length == FOUR_OCTETS) {
		if (rest->len < 6)
			return false;
		head = 5;
		length = two_octets(*rest, 1) << 16 | two_octets(*rest, 3);
	} else if (length >= ONE_OCTET_END) {
		length = ((length - ONE_OCTET_END) << 8) + octet(*rest, 1) + ONE_OCTET_END;
		head = 2;
	}
	if (length < 1 || length > rest->len - head)
		return false;
	*type = (unsigned)octet(*rest, head) & TYPE_MASK;
	*content = view_part(*rest, head + 1, length - 1);
	*rest = view_part(*rest, head + length, rest->len);
	return true;
}

static void read_issuer(struct view subpackets, struct sigpacket *out)
{
	unsigned type;
	struct view content;
	while (sigpacket_next(&subpackets, &type, &content)) {
		const bool id = type == SUBPACKET_ISSUER && content.len == KEY_ID_OCTETS;
		const bool whole =
		    type == SUBPACKET_ISSUER_FINGERPRINT && content.len > KEY_ID_OCTETS;
		if ((id || whole) && out->issuer[0] == '\0')
			text_hex(
			    content.data + content.len - KEY_ID_OCTETS, KEY_ID_OCTETS, out->issuer);
		if (whole && content.len == FINGERPRINT_OCTETS && octet(content, 0) == VERSION_4 &&
		    out->issuer_fingerprint[0] == '\0')
			text_hex(content.data + 1, content.len - 1, out->issuer_fingerprint);
	}
}

static bool read_version_3(struct view body, struct sigpacket *out)
{
	if (body.len < VERSION_3_LEN)
		return false;
	out->type = (uint8_t)octet(body, VERSION_3_TYPE);
	text_hex(body.data + VERSION_3_ISSUER, KEY_ID_OCTETS, out->issuer);
	out->front = body;
	return true;
}

bool sigpacket_read(struct view body, struct sigpacket *out)
{
	*out = (struct sigpacket){.type = 0};
	if (body.len > 0 && octet(body, 0) == VERSION_3)
		return read_version_3(body, out);
	if (body.len < VERSION_4_HASHED || octet(body, 0) != VERSION_4)
		return false;
	const size_t hashed = two_octets(body, 4);
	if (body.len < VERSION_4_HASHED + hashed + 2)
		return false;
	const size_t unhashed = two_octets(body, VERSION_4_HASHED + hashed);
	const size_t behind = VERSION_4_HASHED + hashed + 2 + unhashed;
	if (body.len < behind)
		return false;
	out->type = (uint8_t)octet(body, 1);
	out->hashed = view_part(body, VERSION_4_HASHED, hashed);
	out->unhashed = view_part(body, VERSION_4_HASHED + hashed + 2, unhashed);
	out->front = view_part(body, 0, VERSION_4_HASHED + hashed);
	out->back = view_part(body, behind, body.len);
	read_issuer(out->hashed, out);
	read_issuer(out->unhashed, out);
	return true;
}

/* RSA, DSA, ECDSA and EdDSA of the kind that GnuPG knows: RFC 9580 section 9.1. */
static bool is_of_numbers(size_t algorithm)
{
	switch (algorithm) {
	case 1:
	case 3:
	case 17:
	case 19:
	case 22:
		return true;
	default:
		return false;
	}
}

bool sigpacket_adds_up(struct view body)
{
	struct sigpacket signature;
	if (!sigpacket_read(body, &signature))
		return false;
	if (octet(body, 0) != VERSION_4 || !is_of_numbers(octet(body, 2)))
		return true;
	struct view rest = signature.back;
	if (rest.len < HASH_START)
		return false;
	rest = view_part(rest, HASH_START, rest.len);
	while (rest.len >= 2) {
		const size_t bits = two_octets(rest, 0), len = 2 + (bits + 7) / 8;
		if (bits > NUMBER_BITS_MAX || len > rest.len)
			return false;
		rest = view_part(rest, len, rest.len);
	}
	return rest.len == 0;
}

bool sigpacket_revokes(const struct sigpacket *signature)
{
	return signature->type == SIGPACKET_REVOKE_KEY ||
	       signature->type == SIGPACKET_REVOKE_SUBKEY ||
	       signature->type == SIGPACKET_REVOKE_USER_ID;
}
