/* dewctl publisher ... */
#include "config.h"

#include <stdio.h>

#include "dewctl/approval.h"
#include "dewctl/find.h"
#include "dewctl/role.h"
#include "dewctl/verbs.h"

static const struct ctl_option add_options[] = {
    {"key", "FINGERPRINT", "the publisher's certificate (dewctl key add)", NULL, true},
    {"name", "N", "the person's name", NULL, false},
    {0},
};

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = ctl_value(call, "name");
	const char *key = ctl_value(call, "key");
	struct approval what = {.kind = "publisher.add"};
	bool done;
	if (check_new_address(ctl, call->arguments[0], err) < 0 ||
	    (name != NULL && check_name(name, err) < 0) ||
	    find_fingerprint(&key, 1, what.fingerprint, err) < 0)
		return -1;
	snprintf(what.address, sizeof what.address, "%s", call->arguments[0]);
	snprintf(what.name, sizeof what.name, "%s", name != NULL ? name : "");
	if (ctl_open_store(ctl, err) < 0 || approval_act(ctl, &what, &done, err) < 0)
		return -1;
	if (done)
		ctl_say("Publisher %s added.", what.address);
	return 0;
}

static const struct ctl_option rekey_options[] = {
    {"key", "FINGERPRINT", "the new certificate", NULL, true},
    {0},
};

static int run_rekey(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *key = ctl_value(call, "key");
	struct approval what = {.kind = "publisher.rekey"};
	bool done;
	if (check_address(call->arguments[0], err) < 0 ||
	    find_fingerprint(&key, 1, what.fingerprint, err) < 0)
		return -1;
	snprintf(what.address, sizeof what.address, "%s", call->arguments[0]);
	if (ctl_open_store(ctl, err) < 0 || approval_act(ctl, &what, &done, err) < 0)
		return -1;
	if (done)
		ctl_say("Publisher %s has the key %s now; the former one is retired.", what.address,
		    what.fingerprint);
	return 0;
}

static const struct role role = {"publisher", store_publisher_each, store_publisher_by_address};

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	return role_list(ctl, &role, err);
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (role_remove(ctl, &role, call->arguments[0], err) < 0)
		return -1;
	ctl_say("Publisher %s is removed; the record stays.", call->arguments[0]);
	return 0;
}

const struct ctl_verb publisher_verbs[] = {
    {"add", "ADDRESS", 1, 1, false, add_options, "Lets a person publish advisories",
	"The certificate must be there (dewctl key add); nothing is taken from it before it\n"
	"is confirmed. Receipts go to the address.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists publishers", NULL, run_list},
    {"rekey", "ADDRESS", 1, 1, false, rekey_options, "Gives a publisher another key",
	"Check the whole fingerprint over another channel first: this confirms it. The former\n"
	"certificate is retired. See dewctl key pending list.\n",
	run_rekey},
    {"remove", "ADDRESS", 1, 1, false, NULL, "Takes the right to publish away",
	"The record stays, and so do the advisories.\n", run_remove},
    {0},
};
