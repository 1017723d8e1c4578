#include "config.h"

#include <stdio.h>

#include "pgp/packet.h"
#include "pgp/framing.h"

enum { SIGNATURE_VERSION_3 = 3, SIGNATURE_OF_BINARY = 0x00, SIGNATURE_OF_TEXT = 0x01 };

/* The next packet that is not a marker, which RFC 9580 section 5.8 says to pass over. */
static int next_packet(struct view *rest, struct packet *packet, const char **why)
{
	int got;
	while ((got = packet_next(rest, packet)) == 1 && packet->tag == PACKET_MARKER)
		;
	if (got < 0)
		*why = "is damaged: its packets do not add up";
	return got;
}

static bool is_data(const struct packet *packet, enum framing_data *data, const char **why)
{
	enum { VERSION_2 = 2 };
	*why = NULL;
	*data = FRAMING_MDC;
	switch (packet->tag) {
	case PACKET_SEIPD:
		if (packet->body.len > 0 && packet->body.data[0] == VERSION_2)
			*data = FRAMING_VERSION_2;
		return true;
	case PACKET_OCB:
		*data = FRAMING_OCB;
		return true;
	case PACKET_ENCRYPTED:
		*why = "is encrypted without integrity protection";
		return false;
	case PACKET_SKESK:
		*why = "is encrypted with a password";
		return false;
	case PACKET_ONE_PASS:
	case PACKET_SIGNATURE:
	case PACKET_COMPRESSED:
	case PACKET_LITERAL:
		*why = "is not encrypted";
		return false;
	default:
		*why = "is not an encrypted OpenPGP message";
		return false;
	}
}

void framing_drop_passwords(struct buf *message)
{
	struct buf kept = BUF_EMPTY(message->len);
	struct view rest = buf_view(message);
	struct view behind = rest;
	struct packet packet;
	const char *why;
	size_t keys = 0;
	size_t passwords = 0;
	while (next_packet(&rest, &packet, &why) == 1 &&
	       (packet.tag == PACKET_PKESK || packet.tag == PACKET_SKESK)) {
		keys += packet.tag == PACKET_PKESK;
		passwords += packet.tag == PACKET_SKESK;
		if (packet.tag == PACKET_PKESK)
			buf_add_view(&kept, packet.whole);
		behind = rest;
	}
	if (keys > 0 && passwords > 0) {
		buf_add_view(&kept, behind);
		buf_move(message, &kept);
	}
	buf_release(&kept);
}

bool framing_is_encrypted(struct view message, enum framing_data *data, const char **why)
{
	struct packet packet;
	unsigned session_keys = 0;
	int got;
	while ((got = next_packet(&message, &packet, why)) == 1 && packet.tag == PACKET_PKESK) {
		if (++session_keys > FRAMING_SESSION_KEYS_MAX) {
			*why = "has too many recipients";
			return false;
		}
	}
	if (got < 0)
		return false;
	if (got == 0) {
		*why = "holds no encrypted data";
		return false;
	}
	if (!is_data(&packet, data, why))
		return false;
	*why = "names no recipient's key";
	if (session_keys == 0)
		return false;
	*why = "goes on behind its encrypted data";
	return message.len == 0;
}

static bool is_older(const char *version, const unsigned first[static 3])
{
	unsigned is[3] = {0, 0, 0};
	sscanf(version, "%u.%u.%u", &is[0], &is[1], &is[2]);
	for (size_t i = 0; i < 3; i++) {
		if (is[i] != first[i])
			return is[i] < first[i];
	}
	return false;
}

bool framing_opens(enum framing_data data, const char *version, char *why, size_t size)
{
	static const unsigned first_with_ocb[] = {2, 2, 21};
	if (data == FRAMING_MDC || (data == FRAMING_OCB && !is_older(version, first_with_ocb)))
		return true;
	if (data == FRAMING_OCB)
		snprintf(why, size,
		    "it is encrypted as an OCB packet (tag 20), which GnuPG %s here cannot open: "
		    "install GnuPG 2.4, or ask the sender to force no OCB",
		    version);
	else
		snprintf(why, size,
		    "it is encrypted in the form of RFC 9580 (SEIPD version 2), which GnuPG %s "
		    "here cannot open: ask the sender to take the gateway's certificate anew, and "
		    "the form of RFC 4880 (OpenPGP.js: no aeadProtect)",
		    version);
	return false;
}

bool framing_is_signed(struct view message, const char **why)
{
	struct packet packet;
	unsigned opened = 0, closed = 0;
	int got;
	while ((got = next_packet(&message, &packet, why)) == 1 && packet.tag == PACKET_ONE_PASS &&
	       opened < FRAMING_SIGNATURES_MAX)
		opened++;
	if (got < 0)
		return false;
	if (got == 1 && opened == 0 && packet.tag == PACKET_COMPRESSED) {
		*why = "goes on behind its compressed data";
		return message.len == 0;
	}
	*why = "is not a signed OpenPGP message";
	if (got == 0 || opened == 0 || packet.tag != PACKET_LITERAL)
		return false;
	while ((got = next_packet(&message, &packet, why)) == 1 && packet.tag == PACKET_SIGNATURE)
		closed++;
	if (got < 0)
		return false;
	*why = "has signatures that do not add up, or goes on behind them";
	return got == 0 && opened == closed;
}

/* The type octet of a signature packet: what it is over (RFC 9580 section 5.2.1). */
static int signature_type(struct view body)
{
	if (body.len < 3)
		return -1;
	return (unsigned char)(body.data[0] == SIGNATURE_VERSION_3 ? body.data[2] : body.data[1]);
}

bool framing_is_signatures(struct view packets, uint32_t *count, bool *text, const char **why)
{
	struct packet packet;
	int got;
	*count = 0;
	*text = false;
	while ((got = next_packet(&packets, &packet, why)) == 1) {
		*why = "is not a detached signature";
		if (packet.tag != PACKET_SIGNATURE)
			return false;
		const int type = signature_type(packet.body);
		if (type != SIGNATURE_OF_BINARY && type != SIGNATURE_OF_TEXT)
			return false;
		*text = *text || type == SIGNATURE_OF_TEXT;
		*why = "has too many signatures";
		if (++*count > FRAMING_SIGNATURES_MAX)
			return false;
	}
	if (got == 0)
		*why = "holds no signature";
	return got == 0 && *count > 0;
}

bool framing_has_short_lines(struct view text)
{
	struct view line;
	while (view_next_field(&text, '\n', &line)) {
		if (line.len > FRAMING_TEXT_LINE_MAX)
			return false;
	}
	return true;
}
