#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pgp/additional.h"
#include "pgp/distribute.h"
#include "pgp/packet.h"

struct distribution {
	const char *gateway;
	struct packet_split split;
	bool used[PACKET_SESSION_KEYS_MAX]; /* somebody has this session key */
	struct seal_recipient *recipients;
	size_t count;
};

static bool is_in(const struct seal_recipient *recipient)
{
	return recipient->reason[0] == '\0';
}

/* Which session key is for this key ID; split.count: none. */
static size_t find_key(const struct distribution *all, const char *key_id)
{
	size_t i = 0;
	while (i < all->split.count && strcmp(all->split.keys[i].key_id, key_id) != 0)
		i++;
	return i;
}

static int give(
    struct distribution *all, struct seal_recipient *recipient, size_t key, struct err *err)
{
	all->used[key] = true;
	buf_add_view(&recipient->pkesk, all->split.keys[key].pkesk);
	return recipient->pkesk.overflow
		   ? err_set(err, ERR_DAEMON, ERR_NEVER, "the session keys for %s are too large",
			 recipient->fingerprint)
		   : 0;
}

/* A subkey that stands in two certificates (anybody can adopt one) has one session key, which
 * serves both: it opens with that subkey only. */
static int give_recorded(
    struct distribution *all, struct seal_recipient *recipient, struct err *err)
{
	const size_t key = find_key(all, recipient->key_id);
	if (key < all->split.count)
		return give(all, recipient, key, err);
	return err_set(err, ERR_DAEMON, ERR_LATER,
	    "certificate %s: no session key is for the recorded subkey %s: nothing was sealed",
	    recipient->fingerprint, recipient->key_id);
}

static int give_additional(
    struct distribution *all, const struct additional *additional, struct err *err)
{
	const size_t key = find_key(all, additional->key_id);
	if (key == all->split.count)
		return 0;
	if (strcmp(additional->fingerprint, all->gateway) == 0) {
		all->used[key] = true;
		return 0;
	}
	for (size_t i = 0; i < all->count; i++) {
		struct seal_recipient *recipient = &all->recipients[i];
		if (is_in(recipient) &&
		    strcmp(recipient->fingerprint, additional->fingerprint) == 0 &&
		    strcmp(recipient->key_id, additional->key_id) != 0)
			return give(all, recipient, key, err);
	}
	return 0;
}

static int check_all_used(const struct distribution *all, struct err *err)
{
	for (size_t i = 0; i < all->split.count; i++) {
		const char *key_id = all->split.keys[i].key_id;
		if (find_key(all, key_id) != i)
			return err_set(err, ERR_DAEMON, ERR_LATER,
			    "two session keys carry the key ID %s: nothing was sealed", key_id);
		if (!all->used[i])
			return err_set(err, ERR_DAEMON, ERR_LATER,
			    "gpg encrypted for the key %s, which no recipient has: nothing was "
			    "sealed",
			    key_id);
	}
	return 0;
}

/* The recorded one first: programs try the session keys in their order. */
static int match(struct distribution *all, struct view additional, struct err *err)
{
	struct additional next;
	for (size_t i = 0; i < all->count; i++) {
		if (is_in(&all->recipients[i]) && give_recorded(all, &all->recipients[i], err) != 0)
			return -1;
	}
	while (additional_next(&additional, &next)) {
		if (give_additional(all, &next, err) != 0)
			return -1;
	}
	return check_all_used(all, err);
}

int distribute(const char *gateway, struct view additional, struct view sealed,
    struct seal_recipient *recipients, size_t count, struct buf *data, struct err *err)
{
	struct distribution *all = calloc(1, sizeof *all);
	if (all == NULL)
		abort();
	all->gateway = gateway;
	all->recipients = recipients;
	all->count = count;
	int result = packet_split(sealed, &all->split, err);
	if (result == 0)
		result = match(all, additional, err);
	if (result == 0) {
		*data = BUF_EMPTY(all->split.data.len);
		buf_add_view(data, all->split.data);
	}
	free(all);
	return result;
}
