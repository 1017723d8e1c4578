#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "pgp/keyfile.h"
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
	uint32_t left_out;
};

/* What is looked for while nothing is judged yet. */
struct looking {
	const struct renew_request *request;
	struct buf wanted;
	uint32_t wanted_count;
};

void renew_put(struct buf *body, const struct renew_request *request)
{
	put_u32(body, request->content_count);
	for (uint32_t i = 0; i < request->content_count; i++)
		put_view(body, request->contents[i]);
	put_view(body, request->known);
	put_u32(body, request->asked_count);
	for (uint32_t i = 0; i < request->asked_count; i++)
		put_text(body, request->asked[i]);
}

void renew_take_request(struct taker *taker, struct renew_request *request)
{
	request->content_count = take_count(taker, VAULT_RENEW_CONTENTS_MAX);
	for (uint32_t i = 0; i < request->content_count; i++)
		request->contents[i] = take_view(taker, FRAME_BODY_MAX);
	request->known = take_view(taker, VAULT_RENEW_ASKED_MAX * CERTIFICATE_MINIMAL_MAX);
	request->asked_count = take_count(taker, VAULT_RENEW_ASKED_MAX);
	for (uint32_t i = 0; i < request->asked_count; i++)
		take_text(taker, request->asked[i], sizeof request->asked[i]);
}

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

static void take_renewal(struct taker *taker, struct renewal *renewal)
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

void renew_take(struct taker *taker, struct renew_result *result)
{
	result->wanted_count = take_count(taker, VAULT_RENEW_ASKED_MAX);
	for (uint32_t i = 0; i < result->wanted_count; i++)
		take_text(taker, result->wanted[i], sizeof result->wanted[i]);
	result->content_count = take_count(taker, VAULT_RENEW_CONTENTS_MAX);
	for (uint32_t i = 0; i < result->content_count; i++)
		take_text(taker, result->reasons[i], sizeof result->reasons[i]);
	result->left_out = take_u32(taker);
	result->count = take_count(taker, VAULT_RENEW_MAX);
	for (uint32_t i = 0; i < result->count; i++)
		take_renewal(taker, &result->renewals[i]);
}

static int add_verdict(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct renewing *renewing = context;
	(void)err;
	if (renewing->count == VAULT_RENEW_MAX) {
		renewing->left_out++;
		return 0;
	}
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

/* In the row of certificates that the gate knows. */
static int get_known(void *context, const char *key, struct buf *out, bool *found, struct err *err)
{
	struct view rest = ((const struct renew_request *)context)->known;
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

static bool was_asked(const struct looking *looking, const char *key)
{
	const struct renew_request *request = looking->request;
	for (uint32_t i = 0; i < request->asked_count; i++) {
		if (strcmp(request->asked[i], key) == 0)
			return true;
	}
	struct taker taker = take_from(buf_view(&looking->wanted));
	for (uint32_t i = 0; i < looking->wanted_count; i++) {
		char wanted[FINGERPRINT_SIZE];
		take_text(&taker, wanted, sizeof wanted);
		if (strcmp(wanted, key) == 0)
			return true;
	}
	return false;
}

static int look_for(void *context, const char *key, struct buf *out, bool *found, struct err *err)
{
	struct looking *looking = context;
	struct renew_request request = *looking->request;
	if (get_known(&request, key, out, found, err) != 0)
		return -1;
	if (*found || was_asked(looking, key) ||
	    request.asked_count + looking->wanted_count == VAULT_RENEW_ASKED_MAX)
		return 0;
	put_text(&looking->wanted, key);
	looking->wanted_count++;
	return 0;
}

/* The certificates of a block; what cannot be cut off is passed over. How many there are. */
static size_t add_block(struct view rest, struct buf *all, struct err *fault)
{
	struct keyring_entry entry;
	size_t count = 0;
	while (rest.len > 0) {
		const struct view start = rest;
		const int got = keyring_next(&rest, &entry, fault);
		if (got == 0)
			break;
		if (got < 0) {
			rest = start;
			keyring_skip(&rest);
			continue;
		}
		buf_add_view(all, entry.whole);
		count++;
	}
	return count;
}

/* One piece of what was sent. *reason is "" when all of it can be looked at. */
static void add_content(
    struct view content, struct buf *all, char reason[static CERTIFICATE_REASON_SIZE])
{
	struct keyfile file;
	struct keyfile_block block;
	struct err fault = {.text = ""};
	size_t count = 0, blocks = 0;
	keyfile_open(&file, content);
	for (; content.len <= RENEW_MAX && keyfile_next(&file, &block); blocks++) {
		if (block.whole)
			count += add_block(buf_view(&block.packets), all, &fault);
		else
			fault = block.fault;
		buf_release(&block.packets);
	}
	keyfile_close(&file);
	if (content.len > RENEW_MAX || all->overflow)
		err_set(&fault, ERR_MESSAGE, ERR_NEVER,
		    "what your mail holds about keys is larger than %d bytes", RENEW_MAX);
	else if (blocks == 0)
		keyfile_nothing(content, &fault);
	all->overflow = false;
	snprintf(reason, CERTIFICATE_REASON_SIZE, "%s%.*s",
	    count > 0 && fault.text[0] != '\0' ? "in part: " : "", CERTIFICATE_REASON_SIZE - 16,
	    fault.text);
}

static void add_contents(const struct renew_request *request, struct buf *all, struct buf *reasons)
{
	put_u32(reasons, request->content_count);
	for (uint32_t i = 0; i < request->content_count; i++) {
		char reason[CERTIFICATE_REASON_SIZE];
		add_content(request->contents[i], all, reason);
		put_text(reasons, reason);
	}
}

static int judge(const struct home *home, const struct renew_request *request, struct view all,
    struct renewing *renewing, struct looking *looking, struct err *err)
{
	struct renew_request copy = *request;
	const struct certificate_known asking = {look_for, looking}, known = {get_known, &copy};
	if (all.len == 0)
		return 0;
	if (certificate_look(all, &asking, err) != 0)
		return -1;
	return looking->wanted_count > 0 ? 0
					 : certificate_read(all, clock_now(), home->path, &known,
					       add_verdict, renewing, NULL, err);
}

int renew_answer(const struct home *home, const struct renew_request *request, struct buf *answer,
    struct err *err)
{
	struct renewing renewing = {.details = BUF_EMPTY(FRAME_BODY_MAX)};
	struct looking looking = {.request = request, .wanted = BUF_EMPTY(BUF_SMALL)};
	struct buf all = BUF_EMPTY(RENEW_MAX), reasons = BUF_EMPTY(BUF_SMALL);
	add_contents(request, &all, &reasons);
	const int result = judge(home, request, buf_view(&all), &renewing, &looking, err);
	put_u32(answer, looking.wanted_count);
	buf_add_view(answer, buf_view(&looking.wanted));
	buf_add_view(answer, buf_view(&reasons));
	put_u32(answer, renewing.left_out);
	put_u32(answer, renewing.count);
	buf_add_view(answer, buf_view(&renewing.details));
	buf_release(&renewing.details);
	buf_release(&looking.wanted);
	buf_release(&reasons);
	buf_release(&all);
	return result;
}
