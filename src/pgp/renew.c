#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "pgp/keyring.h"
#include "pgp/renew.h"

/* Bytes of the certificates in one mail: with the signatures of others they may be large. */
enum { RENEW_MAX = 1024 * 1024, CLOSED_BIT = 2, REVOKED_BIT = 1 };

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
	const struct view minimal = take_view(taker, CERTIFICATE_MINIMAL_MAX);
	if (flags > (REVOKED_BIT | CLOSED_BIT) || (minimal.len > 0) != (verdict->reason[0] == '\0'))
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
	    (uint8_t)((verdict->revoked ? REVOKED_BIT : 0) | (verdict->closed ? CLOSED_BIT : 0)));
	put_view(&renewing->details, verdict->minimal);
	return 0;
}

static int read_all(const struct home *home, struct view content, struct view known,
    struct renewing *renewing, struct err *err)
{
	struct buf binary = BUF_EMPTY(RENEW_MAX);
	int result = content.len > RENEW_MAX
			 ? err_set(err, ERR_MESSAGE, ERR_NEVER,
			       "the certificate is larger than %d bytes", RENEW_MAX)
			 : keyring_decode(content, &binary, err);
	buf_add_view(&binary, known);
	if (result == 0 && binary.overflow)
		result = err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "the certificate is larger than %d bytes", RENEW_MAX);
	if (result == 0)
		result = certificate_read(
		    buf_view(&binary), clock_now(), home->path, add_verdict, renewing, NULL, err);
	buf_release(&binary);
	return result;
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
