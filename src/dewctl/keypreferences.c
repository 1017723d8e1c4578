#include "config.h"

#include "dewctl/keypreferences.h"
#include "pgp/identity.h"
#include "pgp/preferences.h"

int keypreferences_keep_certificate(struct ctl *ctl, struct err *err)
{
	struct buf certificate = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	struct buf one = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	const int status =
	    home_export_key(&ctl->home, false, &certificate, err) < 0 ||
		    identity_keep_one(
			buf_view(&certificate), ctl->config.gateway.address, &one, err) < 0
		? -1
		: store_value_set(ctl->store, "gateway-certificate", buf_view(&one), err);
	buf_release(&certificate);
	buf_release(&one);
	return status;
}

static int keep_step(struct ctl *ctl, const char *step, struct err *err)
{
	return store_value_set(ctl->store, "key-change", view_of(step), err);
}

int keypreferences_begin(struct ctl *ctl, const char *event, const char *detail, struct err *err)
{
	return keep_step(ctl, "begun", err) < 0 ||
		       ctl_audit(ctl, event, ctl->config.gateway.address, err, "key %s%s",
			   ctl->home.gateway, detail) < 0 ||
		       store_commit(ctl->store, err) < 0 || store_begin(ctl->store, err) < 0
		   ? -1
		   : 0;
}

int keypreferences_end(struct ctl *ctl, struct err *err)
{
	home_forget_shards(&ctl->home);
	return keypreferences_keep_certificate(ctl, err) < 0 || keep_step(ctl, "", err) < 0 ? -1
											    : 0;
}

int keypreferences_complete(struct ctl *ctl, struct err *err)
{
	struct buf step = BUF_EMPTY(BUF_SMALL);
	bool found;
	int status = store_value_get(ctl->store, "key-change", &step, &found, err);
	if (status == 0 && step.len > 0)
		status = keypreferences_end(ctl, err);
	buf_release(&step);
	return status;
}

int keypreferences_mend(struct ctl *ctl, bool *mended, struct err *err)
{
	*mended = false;
	if (preferences_look(&ctl->home, mended, err) < 0)
		return -1;
	if (!*mended)
		return keypreferences_complete(ctl, err);
	/* Its vaults may be building a shard, with the key as it was. */
	return ctl_take_state(ctl, "the gateway's key asks for OCB packets", err) < 0 ||
		       keypreferences_begin(ctl, "gateway.preferences", "", err) < 0 ||
		       preferences_mend(&ctl->home, err) < 0
		   ? -1
		   : keypreferences_end(ctl, err);
}

int keypreferences_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	bool mended = false;
	(void)call;
	if (ctl_open_store(ctl, err) < 0 || ctl_open_home(ctl, err) < 0 ||
	    store_begin(ctl->store, err) < 0)
		return -1;
	if (ctl_end(ctl, keypreferences_mend(ctl, &mended, err), err) < 0)
		return -1;
	if (!mended) {
		ctl_say("The gateway's key does not ask for OCB packets: nothing was changed.");
		return 0;
	}
	ctl_say(
	    "The gateway's key does not ask for OCB packets any more. Its fingerprint is what it");
	ctl_say("was; whoever has its certificate can go on using that, or take the new one:");
	ctl_say("dewctl key export.");
	return 0;
}
