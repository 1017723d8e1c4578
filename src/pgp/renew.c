#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "pgp/keyring.h"
#include "pgp/merge.h"
#include "pgp/renew.h"

/* Bytes of the certificates in one mail: with the signatures of others they may be large. */
enum { RENEW_MAX = 1024 * 1024 };

enum flag {
	REVOKED_BIT = 1,
	CLOSED_BIT = 2,
	KNOWN_BIT = 4,
	CHANGED_BIT = 8,
	USABLE_BIT = 16,
	ALL_BITS = 31
};

struct renewing {
	struct buf details;
	uint32_t count;
};

static void put_facts(struct buf *body, const struct certificate_facts *facts)
{
	put_text(body, facts->fingerprint);
	put_text(body, facts->user_id);
	put_text(body, facts->algorithm);
	put_i64(body, facts->created);
	put_i64(body, facts->expires);
	put_text(body, facts->encryption_key_id);
	put_text(body, facts->encryption_fingerprint);
	put_i64(body, facts->encryption_expires);
	put_u32(body, facts->key_count);
	for (uint32_t i = 0; i < facts->key_count; i++)
		put_text(body, facts->key_ids[i]);
}

static void take_facts(struct taker *taker, struct certificate_facts *facts)
{
	take_text(taker, facts->fingerprint, sizeof facts->fingerprint);
	take_text(taker, facts->user_id, sizeof facts->user_id);
	take_text(taker, facts->algorithm, sizeof facts->algorithm);
	facts->created = take_i64(taker);
	facts->expires = take_i64(taker);
	take_text(taker, facts->encryption_key_id, sizeof facts->encryption_key_id);
	take_text(taker, facts->encryption_fingerprint, sizeof facts->encryption_fingerprint);
	facts->encryption_expires = take_i64(taker);
	facts->key_count = take_count(taker, CERTIFICATE_KEYS_MAX);
	for (uint32_t i = 0; i < facts->key_count; i++)
		take_text(taker, facts->key_ids[i], sizeof facts->key_ids[i]);
}

void renew_take(struct taker *taker, struct renewal *renewal)
{
	struct certificate_verdict *verdict = &renewal->verdict;
	*renewal = (struct renewal){.minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX)};
	take_facts(taker, &verdict->facts);
	take_text(taker, verdict->reason, sizeof verdict->reason);
	const uint8_t flags = take_u8(taker);
	verdict->revoked = (flags & REVOKED_BIT) != 0;
	verdict->closed = (flags & CLOSED_BIT) != 0;
	verdict->known = (flags & KNOWN_BIT) != 0;
	verdict->changed = (flags & CHANGED_BIT) != 0;
	verdict->usable = (flags & USABLE_BIT) != 0;
	take_text(taker, verdict->unproved, sizeof verdict->unproved);
	const struct view minimal = take_view(taker, CERTIFICATE_MINIMAL_MAX);
	/* What is to be kept is there: of all that is usable, and of nothing that is new and
	 * refused. */
	if (flags > ALL_BITS || (minimal.len == 0 && (verdict->usable || verdict->changed)) ||
	    (verdict->reason[0] == '\0' && !verdict->usable) ||
	    (minimal.len > 0 && !verdict->usable && !verdict->known))
		taker->bad = true;
	buf_add_view(&renewal->minimal, minimal);
	verdict->minimal = buf_view(&renewal->minimal);
}

static int add_verdict(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct renewing *renewing = context;
	if (renewing->count == VAULT_RENEW_MAX)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "there are too many certificates in it: send your own alone");
	renewing->count++;
	put_facts(&renewing->details, &verdict->facts);
	put_text(&renewing->details, verdict->reason);
	put_u8(&renewing->details,
	    (uint8_t)((verdict->revoked ? REVOKED_BIT : 0) | (verdict->closed ? CLOSED_BIT : 0) |
		      (verdict->known ? KNOWN_BIT : 0) | (verdict->changed ? CHANGED_BIT : 0) |
		      (verdict->usable ? USABLE_BIT : 0)));
	put_text(&renewing->details, verdict->unproved);
	put_view(&renewing->details, verdict->minimal);
	return 0;
}

/* A row of certificates that the gate knows. */
static int get_known(void *context, const char *key, struct buf *out, bool *found, struct err *err)
{
	struct view rest = *(const struct view *)context;
	struct keyring_entry entry;
	const size_t digits = strlen(key);
	int got = 0;
	*found = false;
	while (!*found && (got = keyring_next(&rest, &entry, err)) == 1) {
		char fingerprint[FINGERPRINT_SIZE] = "";
		merge_fingerprint(entry.primary, fingerprint);
		const size_t len = strlen(fingerprint);
		*found = len >= digits && strcmp(fingerprint + len - digits, key) == 0;
	}
	if (*found)
		buf_add_view(out, entry.whole);
	return got < 0 ? -1 : 0;
}

static int read_all(const struct home *home, struct view content, struct view known,
    struct renewing *renewing, struct err *err)
{
	const struct certificate_known all = {.get = get_known, .context = &known};
	if (content.len > RENEW_MAX)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "the certificate is larger than %d bytes", RENEW_MAX);
	return certificate_read(
	    content, clock_now(), home->path, &all, add_verdict, renewing, NULL, err);
}

int renew_answer(const struct home *home, struct view content, struct view known,
    struct buf *answer, struct err *err)
{
	struct renewing renewing = {.details = BUF_EMPTY(FRAME_BODY_MAX)};
	int result = read_all(home, content, known, &renewing, err);
	const bool refused = result != 0 && err->whom == ERR_MESSAGE;
	if (refused) {
		put_u32(answer, 0);
		put_text(answer, err->text);
		result = 0;
	} else if (result == 0) {
		put_u32(answer, renewing.count);
		put_text(answer, "");
		buf_add_view(answer, buf_view(&renewing.details));
	}
	buf_release(&renewing.details);
	return result;
}
