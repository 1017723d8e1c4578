#include "config.h"

#include <stdio.h>
#include <string.h>

#include "dewctl/keyaddresses.h"
#include "dewctl/keypreferences.h"
#include "pgp/identity.h"

enum { ADDRESSES = 2 };

static void list_addresses(const struct ctl *ctl, const char *out[static ADDRESSES])
{
	out[0] = ctl->config.gateway.address;
	out[1] = ctl->config.gateway.list;
}

int keyaddresses_look(struct ctl *ctl, const char **missing, struct err *err)
{
	const char *addresses[ADDRESSES];
	bool has = true;
	list_addresses(ctl, addresses);
	*missing = NULL;
	for (size_t i = 0; i < ADDRESSES && has; i++) {
		if (identity_has(&ctl->home, addresses[i], &has, err) < 0)
			return -1;
		if (!has)
			*missing = addresses[i];
	}
	return 0;
}

int keyaddresses_add(struct ctl *ctl, struct err *err)
{
	const char *addresses[ADDRESSES];
	list_addresses(ctl, addresses);
	for (size_t i = 0; i < ADDRESSES; i++)
		if (identity_add(&ctl->home, ctl->config.gateway.name, addresses[i], err) < 0)
			return -1;
	return 0;
}

int keyaddresses_mend(struct ctl *ctl, bool *mended, struct err *err)
{
	const char *missing;
	*mended = false;
	if (keyaddresses_look(ctl, &missing, err) < 0)
		return -1;
	if (missing == NULL)
		return keypreferences_complete(ctl, err);
	/* Its vaults may be building a shard, with the key as it was. */
	if (ctl_take_state(ctl, "the gateway's key lacks a user ID for one of its addresses",
		err) < 0)
		return -1;
	char detail[CONFIG_TEXT_SIZE + 64];
	snprintf(detail, sizeof detail, " gets a user ID for %s", missing);
	if (keypreferences_begin(ctl, "gateway.addresses", detail, err) < 0 ||
	    keyaddresses_add(ctl, err) < 0 || keypreferences_end(ctl, err) < 0)
		return -1;
	*mended = true;
	return 0;
}

int keyaddresses_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	bool mended = false;
	(void)call;
	if (ctl_open_store(ctl, err) < 0 || ctl_open_home(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0)
		return -1;
	if (ctl_end(ctl, keyaddresses_mend(ctl, &mended, err), err) < 0)
		return -1;
	if (!mended) {
		ctl_say("The gateway's key has a user ID for each of its addresses: nothing was "
			"changed.");
		return 0;
	}
	ctl_say("The gateway's key has a user ID for %s and one for %s now. Its",
	    ctl->config.gateway.address, ctl->config.gateway.list);
	ctl_say(
	    "fingerprint is what it was. Send everybody its new certificate: dewctl key export.");
	return 0;
}
