#include "config.h"

#include <stdio.h>

#include "rules/keyfate.h"

static void refuse_key(struct keyfate_key *key, const char *why)
{
	key->fate = KEYFATE_REFUSED;
	snprintf(key->reason, sizeof key->reason, "%s", why);
}

static void judge_own(struct keyfate_key *key)
{
	const struct certificate_verdict *verdict = key->verdict;
	if (key->barred) {
		key->fate = KEYFATE_REFUSED;
		return;
	}
	snprintf(key->reason, sizeof key->reason, "%s", verdict->reason);
	if (verdict->revoked)
		key->fate = KEYFATE_REVOKED;
	else if (verdict->closed && !verdict->usable)
		key->fate = KEYFATE_CLOSED;
	else if (verdict->reason[0] == '\0')
		key->fate =
		    verdict->changed || !verdict->known ? KEYFATE_RENEWED : KEYFATE_UNCHANGED;
	else
		key->fate = verdict->changed ? KEYFATE_KEPT : KEYFATE_REFUSED;
}

/* What there is to say of another one for itself; WAITS when it could be the new key. */
static void judge_other(struct keyfate_key *key, bool vouches)
{
	if (key->gateways)
		key->fate = KEYFATE_PASSED_OVER;
	else if (key->barred)
		key->fate = KEYFATE_REFUSED;
	else if (key->verdict->reason[0] != '\0')
		refuse_key(key, key->verdict->reason);
	else if (!vouches)
		refuse_key(key,
		    "the mail is signed by a key that has expired, which cannot vouch for another "
		    "one: renew the former key first, or ask an admin");
	else
		key->fate = KEYFATE_WAITS;
}

/* Of whom the mail is, if it is in it. */
static const struct keyfate_key *own_of(const struct keyfate_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i].own)
			return &keys[i];
	}
	return NULL;
}

static bool is_lost(const struct keyfate_key *own)
{
	return own != NULL && (own->fate == KEYFATE_REVOKED || own->fate == KEYFATE_CLOSED);
}

static void refuse_waiting(struct keyfate_key *keys, size_t count, const char *why)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i].fate == KEYFATE_WAITS)
			refuse_key(&keys[i], why);
	}
}

enum keyfate keyfate_judge(struct keyfate_key *keys, size_t count, bool vouches)
{
	size_t waiting = 0;
	bool refused = false;
	for (size_t i = 0; i < count; i++) {
		if (keys[i].own)
			judge_own(&keys[i]);
		else
			judge_other(&keys[i], vouches);
		waiting += keys[i].fate == KEYFATE_WAITS;
		refused = refused || keys[i].fate == KEYFATE_REFUSED;
	}
	const struct keyfate_key *own = own_of(keys, count);
	if (is_lost(own)) {
		refuse_waiting(keys, count,
		    "the same mail revokes the key that signs it, which cannot vouch for another "
		    "one then: ask an admin");
		return own->fate;
	}
	if (waiting == 1)
		return KEYFATE_WAITS;
	refuse_waiting(keys, count,
	    "there is more than one new key in your mail: send the one that you mean alone");
	if (own == NULL)
		return KEYFATE_REFUSED;
	return own->fate == KEYFATE_UNCHANGED && (refused || waiting > 1) ? KEYFATE_REFUSED
									  : own->fate;
}
