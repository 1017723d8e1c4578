#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "pgp/engine.h"
#include "pgp/merge.h"
#include "pgp/packet.h"
#include "pgp/sigpacket.h"

enum {
	FINGERPRINT_MARK = 0x99,
	KEY_BODY_MAX = 0xffff,
	REVOKER_OCTETS = 2 + 20, /* class, algorithm, fingerprint */
	SPREAD_MAX = 32,
	STEP = 64,
};

#define NOWHERE SIZE_MAX /* not below the key, user ID or subkey that it is about */

struct component {
	uint8_t tag;
	struct view whole;
	struct view body;
};

struct signature {
	struct view whole;
	struct sigpacket facts;
	size_t place; /* of its component, or NOWHERE */
	size_t order; /* as it was added */
};

struct merge {
	char fingerprint[FINGERPRINT_SIZE];
	char key_id[KEY_ID_SIZE];
	struct component components[1 + MERGE_COMPONENTS_MAX]; /* the primary key first */
	size_t component_count;
	struct signature *signatures;
	size_t signature_count;
	size_t signature_size;
	char revokers[MERGE_REVOKERS_MAX][FINGERPRINT_SIZE];
	size_t revoker_count;
	/* Revocations of user IDs and subkeys that may stand in the wrong place: each is tried with
	 * every one, and gpg drops those that do not fit. */
	size_t spread[SPREAD_MAX];
	size_t spread_count;
	const char *over; /* a limit that was passed; NULL: none */
};

void merge_fingerprint(struct view primary, char out[static FINGERPRINT_SIZE])
{
	unsigned char digest[DIGEST_SHA1_SIZE];
	struct buf text = BUF_EMPTY(3 + KEY_BODY_MAX);
	const struct view body = view_part(primary, 0, KEY_BODY_MAX);
	const unsigned char head[] = {
	    FINGERPRINT_MARK, (unsigned char)(body.len >> 8), (unsigned char)(body.len & 0xff)};
	buf_add(&text, head, sizeof head);
	buf_add_view(&text, body);
	digest_sha1(buf_view(&text), digest);
	text_hex(digest, sizeof digest, out);
	buf_release(&text);
}

struct merge *merge_new(struct view primary)
{
	struct merge *merge = calloc(1, sizeof *merge);
	if (merge == NULL)
		abort();
	merge_fingerprint(primary, merge->fingerprint);
	memcpy(merge->key_id, engine_key_id(merge->fingerprint), KEY_ID_SIZE);
	merge->components[0] = (struct component){.tag = PACKET_PUBLIC_KEY, .body = primary};
	merge->component_count = 1;
	return merge;
}

void merge_free(struct merge *merge)
{
	if (merge != NULL)
		free(merge->signatures);
	free(merge);
}

static bool is_own(const struct merge *merge, const struct sigpacket *signature)
{
	return strcmp(signature->issuer, merge->key_id) == 0;
}

static void learn_revoker(struct merge *merge, struct view content)
{
	char fingerprint[FINGERPRINT_SIZE];
	if (content.len != REVOKER_OCTETS)
		return;
	text_hex(content.data + 2, content.len - 2, fingerprint);
	for (size_t i = 0; i < merge->revoker_count; i++) {
		if (strcmp(merge->revokers[i], fingerprint) == 0)
			return;
	}
	if (merge->revoker_count < MERGE_REVOKERS_MAX)
		memcpy(merge->revokers[merge->revoker_count++], fingerprint, FINGERPRINT_SIZE);
}

void merge_learn(struct merge *merge, struct view certificate)
{
	struct packet packet;
	struct sigpacket signature;
	while (packet_next(&certificate, &packet) == 1) {
		if (packet.tag != PACKET_SIGNATURE || !sigpacket_read(packet.body, &signature) ||
		    signature.type != SIGPACKET_DIRECT || !is_own(merge, &signature))
			continue;
		unsigned type;
		struct view content;
		while (sigpacket_next(&signature.hashed, &type, &content)) {
			if (type == SUBPACKET_REVOKER)
				learn_revoker(merge, content);
		}
	}
}

static bool is_of_revoker(const struct merge *merge, const struct sigpacket *signature, size_t *who)
{
	if (signature->type != SIGPACKET_REVOKE_KEY)
		return false;
	for (size_t i = 0; i < merge->revoker_count; i++) {
		*who = i;
		if (strcmp(signature->issuer, engine_key_id(merge->revokers[i])) == 0)
			return true;
	}
	return false;
}

/* What kind of component a signature is about; 0: of no use to us. */
static uint8_t subject_of(const struct sigpacket *signature)
{
	switch (signature->type) {
	case SIGPACKET_DIRECT:
	case SIGPACKET_REVOKE_KEY:
		return PACKET_PUBLIC_KEY;
	case SIGPACKET_BIND_SUBKEY:
	case SIGPACKET_REVOKE_SUBKEY:
		return PACKET_PUBLIC_SUBKEY;
	case SIGPACKET_REVOKE_USER_ID:
		return PACKET_USER_ID;
	default:
		return signature->type >= SIGPACKET_CERTIFY_FIRST &&
			       signature->type <= SIGPACKET_CERTIFY_LAST
			   ? PACKET_USER_ID
			   : 0;
	}
}

static size_t put_signature(
    struct merge *merge, struct view whole, const struct sigpacket *facts, size_t place)
{
	if (merge->signature_count == MERGE_SIGNATURES_MAX) {
		merge->over = "has more signatures than can be looked at: ask for a fresh export";
		return NOWHERE;
	}
	if (merge->signature_count == merge->signature_size) {
		merge->signature_size = merge->signature_size * 2 + STEP;
		merge->signatures = reallocarray(
		    merge->signatures, merge->signature_size, sizeof *merge->signatures);
		if (merge->signatures == NULL)
			abort();
	}
	const size_t at = merge->signature_count++;
	merge->signatures[at] =
	    (struct signature){.whole = whole, .facts = *facts, .place = place, .order = at};
	return at;
}

/* `below` is what it stands below, `last` that nothing follows that component: things are appended
 * there that belong elsewhere. */
static void add_signature(struct merge *merge, const struct packet *packet, size_t below, bool last)
{
	struct sigpacket facts;
	size_t who;
	if (!sigpacket_read(packet->body, &facts) ||
	    !(is_own(merge, &facts) || is_of_revoker(merge, &facts, &who)))
		return;
	/* Or no revocation of this file would hold. */
	if (sigpacket_revokes(&facts) && !sigpacket_adds_up(packet->body))
		return;
	const uint8_t subject = subject_of(&facts);
	size_t place = NOWHERE;
	if (subject == PACKET_PUBLIC_KEY)
		place = 0;
	else if (below != NOWHERE && merge->components[below].tag == subject)
		place = below;
	if (place == NOWHERE && (subject == 0 || !sigpacket_revokes(&facts)))
		return;
	const size_t at = put_signature(merge, packet->whole, &facts, place);
	if (at != NOWHERE && place != 0 && sigpacket_revokes(&facts) &&
	    (place == NOWHERE || last) && merge->spread_count < SPREAD_MAX)
		merge->spread[merge->spread_count++] = at;
}

/* NOWHERE: it is not there, and is not to be added or cannot be. */
static size_t find_component(struct merge *merge, const struct packet *packet, bool add)
{
	for (size_t i = 1; i < merge->component_count; i++) {
		if (merge->components[i].tag == packet->tag &&
		    view_equals(merge->components[i].body, packet->body))
			return i;
	}
	if (!add)
		return NOWHERE;
	if (merge->component_count == 1 + MERGE_COMPONENTS_MAX) {
		merge->over =
		    "has more user IDs and subkeys than can be looked at: ask for a fresh export";
		return NOWHERE;
	}
	merge->components[merge->component_count] =
	    (struct component){.tag = packet->tag, .whole = packet->whole, .body = packet->body};
	return merge->component_count++;
}

/* The last user ID, photo or subkey of a state; NULL where there is none. */
static const char *last_component(struct view certificate)
{
	struct packet packet;
	const char *found = NULL;
	while (packet_next(&certificate, &packet) == 1) {
		if (packet.tag == PACKET_USER_ID || packet.tag == PACKET_USER_ATTRIBUTE ||
		    packet.tag == PACKET_PUBLIC_SUBKEY)
			found = packet.whole.data;
	}
	return found;
}

void merge_add(struct merge *merge, struct view certificate, enum merge_part part)
{
	const char *last = last_component(certificate), *now = NULL;
	struct packet packet;
	size_t below = 0;
	while (merge->over == NULL && packet_next(&certificate, &packet) == 1) {
		struct sigpacket facts;
		switch (packet.tag) {
		case PACKET_PUBLIC_KEY:
			if (merge->components[0].whole.len == 0)
				merge->components[0].whole = packet.whole;
			break;
		case PACKET_USER_ID:
		case PACKET_PUBLIC_SUBKEY:
			below = find_component(merge, &packet, part == MERGE_ALL);
			now = packet.whole.data;
			break;
		case PACKET_USER_ATTRIBUTE:
			below = NOWHERE;
			now = packet.whole.data;
			break;
		case PACKET_SIGNATURE:
			if (part == MERGE_ALL ||
			    (sigpacket_read(packet.body, &facts) && sigpacket_revokes(&facts)))
				add_signature(merge, &packet, below, now == last);
			break;
		default:
			break;
		}
	}
}

void merge_add_revocation(struct merge *merge, struct view packet)
{
	struct packet signature;
	if (packet_next(&packet, &signature) == 1 && signature.tag == PACKET_SIGNATURE)
		add_signature(merge, &signature, NOWHERE, true);
}

size_t merge_revokers(
    const struct merge *merge, char fingerprints[static MERGE_REVOKERS_MAX][FINGERPRINT_SIZE])
{
	bool seen[MERGE_REVOKERS_MAX] = {false};
	size_t count = 0, who;
	for (size_t i = 0; i < merge->signature_count; i++) {
		const struct sigpacket *facts = &merge->signatures[i].facts;
		if (is_own(merge, facts) || !is_of_revoker(merge, facts, &who) || seen[who])
			continue;
		seen[who] = true;
		memcpy(fingerprints[count++], merge->revokers[who], FINGERPRINT_SIZE);
	}
	return count;
}

static int compare_views(struct view a, struct view b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

static int by_content(const void *a, const void *b)
{
	const struct signature *const *x = a, *const *y = b;
	int order = compare_views((*x)->facts.front, (*y)->facts.front);
	if (order == 0)
		order = compare_views((*x)->facts.back, (*y)->facts.back);
	if (order == 0)
		order = (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
	return order;
}

static int by_order(const void *a, const void *b)
{
	const struct signature *const *x = a, *const *y = b;
	return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

static int by_place(const void *a, const void *b)
{
	const struct signature *const *x = a, *const *y = b;
	if ((*x)->place != (*y)->place)
		return (*x)->place < (*y)->place ? -1 : 1;
	return by_order(a, b);
}

/* Each once, the first of those that are the same, in the order in which they were added. */
static void write_signatures(const struct signature **some, size_t count, struct buf *out)
{
	size_t kept = 0;
	qsort(some, count, sizeof *some, by_content);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 ||
		    compare_views(some[kept - 1]->facts.front, some[i]->facts.front) != 0 ||
		    compare_views(some[kept - 1]->facts.back, some[i]->facts.back) != 0)
			some[kept++] = some[i];
	}
	qsort(some, kept, sizeof *some, by_order);
	for (size_t i = 0; i < kept; i++)
		buf_add_view(out, some[i]->whole);
}

/* `sorted` are all signatures by place; *at moves behind those of this component. */
static void write_component(struct merge *merge, size_t place, const struct signature **sorted,
    size_t *at, const struct signature **room, struct buf *out)
{
	const struct component *component = &merge->components[place];
	size_t count = 0;
	while (*at < merge->signature_count && sorted[*at]->place == place)
		room[count++] = sorted[(*at)++];
	for (size_t i = 0; i < merge->spread_count; i++) {
		const struct signature *one = &merge->signatures[merge->spread[i]];
		if (one->place != place && subject_of(&one->facts) == component->tag)
			room[count++] = one;
	}
	buf_add_view(out, component->whole);
	write_signatures(room, count, out);
}

/* User IDs stand before subkeys, whichever state they came from. */
static void write_all(struct merge *merge, const struct signature **sorted,
    const struct signature **room, struct buf *out)
{
	static const uint8_t tags[] = {PACKET_PUBLIC_KEY, PACKET_USER_ID, PACKET_PUBLIC_SUBKEY};
	for (size_t t = 0; t < sizeof tags; t++) {
		size_t at = 0;
		for (size_t i = 0; i < merge->component_count; i++) {
			while (at < merge->signature_count && sorted[at]->place < i)
				at++;
			if (merge->components[i].tag == tags[t])
				write_component(merge, i, sorted, &at, room, out);
		}
	}
}

bool merge_write(struct merge *merge, struct buf *out, const char **reason)
{
	const size_t count = merge->signature_count;
	*reason = merge->over;
	if (merge->over != NULL)
		return false;
	const struct signature **sorted = calloc(count + 1, sizeof *sorted);
	const struct signature **room = calloc(count + SPREAD_MAX + 1, sizeof *room);
	if (sorted == NULL || room == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		sorted[i] = &merge->signatures[i];
	qsort(sorted, count, sizeof *sorted, by_place);
	write_all(merge, sorted, room, out);
	free(sorted);
	free(room);
	*reason = out->overflow ? "is too large" : NULL;
	return !out->overflow;
}

void merge_strip(struct view certificate, struct buf *out)
{
	struct packet packet;
	struct sigpacket facts;
	char fingerprint[FINGERPRINT_SIZE] = "";
	while (packet_next(&certificate, &packet) == 1) {
		if (packet.tag == PACKET_PUBLIC_KEY)
			merge_fingerprint(packet.body, fingerprint);
		if (packet.tag == PACKET_SIGNATURE &&
		    (!sigpacket_read(packet.body, &facts) ||
			strcmp(facts.issuer, engine_key_id(fingerprint)) != 0))
			continue;
		buf_add_view(out, packet.whole);
	}
}
