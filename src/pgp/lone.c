#include "config.h"

#include "pgp/armor.h"
#include "pgp/certificate.h"
#include "pgp/lone.h"
#include "pgp/packet.h"

/* A certificate with all that others have signed may be much larger than what we keep of it. */
#define CONTENT_MAX ((size_t)16 * CERTIFICATE_MINIMAL_MAX)

/* What may follow a primary key within its certificate (RFC 9580 section 10.1). */
static bool belongs(uint8_t tag)
{
	return tag == PACKET_SIGNATURE || tag == PACKET_USER_ID || tag == PACKET_USER_ATTRIBUTE ||
	       tag == PACKET_PUBLIC_SUBKEY || tag == PACKET_TRUST || tag == PACKET_MARKER;
}

static bool is_of_key(struct view packets, struct view minimal)
{
	struct packet packet;
	struct packet known;
	int more;
	if (packet_next(&minimal, &known) != 1 || known.tag != PACKET_PUBLIC_KEY ||
	    packet_next(&packets, &packet) != 1 || packet.tag != PACKET_PUBLIC_KEY ||
	    !view_equals(packet.body, known.body))
		return false;
	while ((more = packet_next(&packets, &packet)) == 1)
		if (!belongs(packet.tag))
			return false;
	return more == 0;
}

bool lone_certificate_is(struct view content, struct view minimal)
{
	const char *why;
	if (!armor_is(content))
		return is_of_key(content, minimal);
	struct buf packets = BUF_EMPTY(CONTENT_MAX);
	const bool is = armor_decode(content, "PGP PUBLIC KEY BLOCK", &packets, &why) &&
			is_of_key(buf_view(&packets), minimal);
	buf_release(&packets);
	return is;
}
