#include "config.h"

#include <string.h>

#include "base/text.h"

#include "pgp/keyfile.h"
#include "pgp/keyring.h"
#include "pgp/packet.h"
#include "pgp/sigpacket.h"

enum {
	KEY_VERSION_6 = 6,
	KEY_CREATED = 1, /* octets before the creation time */
	KEY_CREATED_LEN = 4,
	CIPHER_AES128 = 7,
	CIPHER_AES256 = 9,
	FEATURE_OCB = 0x02, /* GnuPG's */
	FEATURE_VERSION_2 = 0x08,
};

static size_t octet(struct view view, size_t at)
{
	return (unsigned char)view.data[at];
}

static void read_subpackets(struct view subpackets, struct keyring_entry *entry)
{
	unsigned type;
	struct view content;
	while (sigpacket_next(&subpackets, &type, &content)) {
		if (type == SUBPACKET_FEATURES && content.len > 0)
			entry->asks_for_aead |=
			    (octet(content, 0) & (FEATURE_OCB | FEATURE_VERSION_2)) != 0;
		if (type != SUBPACKET_CIPHERS)
			continue;
		entry->states_ciphers = true;
		for (size_t i = 0; i < content.len; i++)
			entry->takes_aes |= octet(content, i) >= CIPHER_AES128 &&
					    octet(content, i) <= CIPHER_AES256;
	}
}

static void read_signature(struct view body, struct keyring_entry *entry)
{
	struct sigpacket signature;
	if (!sigpacket_read(body, &signature) ||
	    (signature.type != SIGPACKET_DIRECT && (signature.type < SIGPACKET_CERTIFY_FIRST ||
						       signature.type > SIGPACKET_CERTIFY_LAST)))
		return;
	if (entry->issuer[0] == '\0')
		memcpy(entry->issuer, signature.issuer, sizeof entry->issuer);
	read_subpackets(signature.hashed, entry);
	read_subpackets(signature.unhashed, entry);
}

static int refuse_secret(struct err *err)
{
	return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s", KEYFILE_SECRET);
}

static bool is_revocation(const struct packet *packet)
{
	struct sigpacket signature;
	return packet->tag == PACKET_SIGNATURE && sigpacket_read(packet->body, &signature) &&
	       sigpacket_revokes(&signature);
}

static int begin_entry(const struct packet *packet, struct keyring_entry *entry, struct err *err)
{
	if (packet->tag == PACKET_SECRET_KEY || packet->tag == PACKET_SECRET_SUBKEY)
		return refuse_secret(err);
	if (packet->tag != PACKET_PUBLIC_KEY)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "this is not an OpenPGP certificate but a packet with tag %u", packet->tag);
	if (packet->body.len < KEY_CREATED + KEY_CREATED_LEN)
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "this certificate is cut off");
	entry->primary = packet->body;
	entry->version = (uint8_t)packet->body.data[0];
	for (size_t i = 0; i < KEY_CREATED_LEN; i++)
		entry->created =
		    entry->created << 8 | (int64_t)octet(packet->body, KEY_CREATED + i);
	return 0;
}

/* True for what may stand in a certificate; whatever else there is means another kind of file. */
static bool belongs(uint8_t tag)
{
	switch (tag) {
	case PACKET_PKESK:
	case PACKET_SKESK:
	case PACKET_ONE_PASS:
	case PACKET_COMPRESSED:
	case PACKET_ENCRYPTED:
	case PACKET_LITERAL:
	case PACKET_SEIPD:
	case PACKET_OCB:
		return false;
	default:
		return true;
	}
}

static int add_packet(const struct packet *packet, struct keyring_entry *entry, struct err *err)
{
	if (packet->tag == PACKET_SECRET_SUBKEY)
		return refuse_secret(err);
	if (!belongs(packet->tag))
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "there is more than certificates in it: a packet with tag %u", packet->tag);
	if (packet->tag == PACKET_SIGNATURE)
		read_signature(packet->body, entry);
	if (packet->tag == PACKET_USER_ID && entry->user_id.data == NULL)
		entry->user_id = packet->body;
	return 0;
}

int keyring_next(struct view *rest, struct keyring_entry *entry, struct err *err)
{
	*entry = (struct keyring_entry){.version = 0};
	struct packet packet;
	struct view start = *rest;
	int got;
	while ((got = packet_next(rest, &packet)) == 1 &&
	       (packet.tag == PACKET_MARKER || packet.tag == PACKET_TRUST))
		start = *rest;
	if (got == 0)
		return 0;
	entry->revocation = got == 1 && is_revocation(&packet);
	if (entry->revocation) {
		entry->whole = packet.whole;
		return 1;
	}
	if (got == 1 && begin_entry(&packet, entry, err) != 0)
		return -1;
	struct view before = *rest;
	while (got == 1 && (got = packet_next(rest, &packet)) == 1) {
		if (packet.tag == PACKET_PUBLIC_KEY || packet.tag == PACKET_SECRET_KEY) {
			*rest = before;
			break;
		}
		if (add_packet(&packet, entry, err) != 0)
			return -1;
		before = *rest;
	}
	if (got < 0)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "this is no OpenPGP certificate, or a damaged one: packets do not add up");
	entry->whole = view_part(start, 0, start.len - rest->len);
	return 1;
}

/* Where a certificate may begin: a primary key, and behind it what may follow one. */
static bool is_begin(struct view rest)
{
	struct packet packet;
	if (packet_next(&rest, &packet) != 1 || packet.tag != PACKET_PUBLIC_KEY ||
	    packet.body.len < KEY_CREATED + KEY_CREATED_LEN ||
	    octet(packet.body, 0) > KEY_VERSION_6)
		return false;
	return rest.len == 0 ||
	       (packet_next(&rest, &packet) == 1 &&
		   (packet.tag == PACKET_USER_ID || packet.tag == PACKET_SIGNATURE ||
		       packet.tag == PACKET_PUBLIC_SUBKEY || packet.tag == PACKET_USER_ATTRIBUTE ||
		       packet.tag == PACKET_PUBLIC_KEY));
}

void keyring_skip(struct view *rest)
{
	do
		*rest = view_part(*rest, 1, rest->len);
	while (rest->len > 0 && !is_begin(*rest));
}

int keyring_decode(struct view content, struct buf *out, struct err *err)
{
	struct keyfile file;
	struct keyfile_block block;
	bool any = false;
	int result = 0;
	keyfile_open(&file, content);
	while (result == 0 && keyfile_next(&file, &block)) {
		any = true;
		if (!block.whole) {
			*err = block.fault;
			result = -1;
		}
		buf_add_view(out, buf_view(&block.packets));
		buf_release(&block.packets);
	}
	keyfile_close(&file);
	if (result == 0 && !any)
		return keyfile_nothing(content, err);
	if (result == 0 && out->overflow)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "it is larger than %zu bytes", out->max);
	return result;
}
