#include "config.h"

#include <string.h>

#include "base/text.h"

#include "pgp/packet.h"

enum {
	TAG_MARK = 0x80, /* set in the first byte of every packet */
	NEW_FORMAT = 0x40,
	NEW_TAG_MASK = 0x3f,
	OLD_TAG_MASK = 0x0f,
	OLD_TAG_SHIFT = 2,
	OLD_LENGTH_MASK = 0x03,
	OLD_LENGTH_REST = 3, /* "to the end of what there is" */
	ONE_OCTET_END = 192,
	TWO_OCTET_END = 224,
	FOUR_OCTETS = 255,
	PARTIAL_MASK = 0x1f,
	KEY_ID_OCTETS = 8,
	PKESK_VERSION = 3,
	PKESK_HEAD = 1 + KEY_ID_OCTETS + 1, /* version, key ID, algorithm */
};

/* A length as it stands in front of a chunk of a body. */
struct chunk_length {
	size_t head; /* octets that it takes */
	size_t body;
	bool partial; /* another chunk follows */
};

static size_t big_endian(struct view view, size_t from, size_t count)
{
	size_t value = 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | (unsigned char)view.data[from + i];
	return value;
}

/* RFC 9580 section 4.2.1. */
static bool new_length(struct view at, struct chunk_length *out)
{
	if (at.len < 1)
		return false;
	const size_t first = (unsigned char)at.data[0];
	*out = (struct chunk_length){.head = 1, .body = first};
	if (first < ONE_OCTET_END)
		return true;
	if (first < TWO_OCTET_END) {
		out->head = 2;
		if (at.len < out->head)
			return false;
		out->body =
		    ((first - ONE_OCTET_END) << 8) + (unsigned char)at.data[1] + ONE_OCTET_END;
		return true;
	}
	if (first == FOUR_OCTETS) {
		out->head = 1 + 4;
		if (at.len < out->head)
			return false;
		out->body = big_endian(at, 1, 4);
		return true;
	}
	out->body = (size_t)1 << (first & PARTIAL_MASK);
	out->partial = true;
	return true;
}

/* Only data packets may come in chunks or without a length. */
static bool is_data_tag(uint8_t tag)
{
	return tag == PACKET_COMPRESSED || tag == PACKET_ENCRYPTED || tag == PACKET_LITERAL ||
	       tag == PACKET_SEIPD || tag == PACKET_OCB;
}

static int new_packet(struct view rest, struct packet *packet)
{
	packet->tag = (uint8_t)rest.data[0] & NEW_TAG_MASK;
	size_t at = 1;
	bool first = true;
	for (;;) {
		struct chunk_length length;
		if (!new_length(view_part(rest, at, rest.len), &length))
			return -1;
		at += length.head;
		if (length.body > rest.len - at)
			return -1;
		if (length.partial && !is_data_tag(packet->tag))
			return -1;
		if (first)
			packet->body = view_part(rest, at, length.body);
		first = false;
		at += length.body;
		if (!length.partial)
			break;
	}
	packet->whole = view_part(rest, 0, at);
	return 1;
}

/* RFC 4880 section 4.2.1. */
static int old_packet(struct view rest, struct packet *packet)
{
	const uint8_t head = (uint8_t)rest.data[0];
	packet->tag = (uint8_t)(head >> OLD_TAG_SHIFT) & OLD_TAG_MASK;
	const unsigned type = head & OLD_LENGTH_MASK;
	if (type == OLD_LENGTH_REST) {
		if (!is_data_tag(packet->tag))
			return -1;
		packet->whole = rest;
		packet->body = view_part(rest, 1, rest.len);
		return 1;
	}
	const size_t octets = (size_t)1 << type;
	if (rest.len < 1 + octets)
		return -1;
	const size_t length = big_endian(rest, 1, octets);
	if (length > rest.len - 1 - octets)
		return -1;
	packet->body = view_part(rest, 1 + octets, length);
	packet->whole = view_part(rest, 0, 1 + octets + length);
	return 1;
}

int packet_next(struct view *rest, struct packet *packet)
{
	*packet = (struct packet){.tag = 0};
	if (rest->len == 0)
		return 0;
	const uint8_t head = (uint8_t)rest->data[0];
	if ((head & TAG_MARK) == 0)
		return -1;
	const int got = head & NEW_FORMAT ? new_packet(*rest, packet) : old_packet(*rest, packet);
	if (got < 0 || packet->tag == 0)
		return -1;
	*rest = view_part(*rest, packet->whole.len, rest->len);
	return 1;
}

static int split_refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_DAEMON, ERR_LATER, "gpg wrote an unexpected message: %s", why);
}

static int split_session_key(const struct packet *packet, struct packet_split *out, struct err *err)
{
	if (out->data.len > 0)
		return split_refuse(err, "a session key behind the data");
	if (packet->body.len <= PKESK_HEAD || packet->body.data[0] != PKESK_VERSION)
		return split_refuse(err, "a session key of another version than 3");
	if (out->count == sizeof out->keys / sizeof *out->keys)
		return split_refuse(err, "too many session keys");
	text_hex(packet->body.data + 1, KEY_ID_OCTETS, out->keys[out->count].key_id);
	out->keys[out->count].pkesk = packet->whole;
	out->count++;
	return 0;
}

int packet_split(struct view message, struct packet_split *out, struct err *err)
{
	struct packet packet;
	int got;
	out->count = 0;
	out->data = (struct view){NULL, 0};
	while ((got = packet_next(&message, &packet)) == 1) {
		if (packet.tag == PACKET_PKESK) {
			if (split_session_key(&packet, out, err) != 0)
				return -1;
		} else if (packet.tag == PACKET_SEIPD) {
			if (out->data.len > 0)
				return split_refuse(err, "two data packets");
			if (packet.body.len < 1 || packet.body.data[0] != 1)
				return split_refuse(
				    err, "data protected in another way than version 1");
			out->data = packet.whole;
		} else if (packet.tag == PACKET_OCB) {
			return split_refuse(
			    err, "an OCB packet (tag 20), which many clients cannot read");
		} else {
			return err_set(err, ERR_DAEMON, ERR_LATER,
			    "gpg wrote an unexpected message: a packet with tag %u", packet.tag);
		}
	}
	if (got < 0)
		return split_refuse(err, "its packets do not add up");
	if (out->count == 0)
		return split_refuse(err, "no session key");
	if (out->data.len == 0)
		return split_refuse(err, "no data packet");
	return 0;
}
