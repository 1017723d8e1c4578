/* dewctl admin ... */
#include "config.h"

#include "dewctl/find.h"
#include "dewctl/role.h"
#include "dewctl/verbs.h"

static const struct ctl_option add_options[] = {
    {"key", "FINGERPRINT", "the admin's certificate (dewctl key add)", NULL, true},
    {"name", "N", "the person's name", NULL, false},
    {0},
};

static int add_admin(struct ctl *ctl, struct publisher *admin, const char *key, struct err *err)
{
	bool added;
	if (find_free_certificate(
		ctl, key, admin->address, FIND_KEPT_MAIL, admin->fingerprint, err) < 0 ||
	    store_publisher_add(ctl->store, admin, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err,
		    "there is %s already: see dewctl admin list and dewctl publisher list",
		    admin->address);
	return ctl_audit(ctl, "admin.add", admin->address, err, "key %s", admin->fingerprint);
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = ctl_value(call, "name");
	struct publisher admin = {.admin = true, .added_at = ctl->now};
	if (check_new_address(ctl, call->arguments[0], err) < 0 ||
	    (name != NULL && check_name(name, err) < 0))
		return -1;
	snprintf(admin.address, sizeof admin.address, "%s", call->arguments[0]);
	snprintf(admin.name, sizeof admin.name, "%s", name != NULL ? name : "");
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, add_admin(ctl, &admin, ctl_value(call, "key"), err), err) < 0)
		return -1;
	ctl_say("Admin %s added.", admin.address);
	return 0;
}

static const struct role role = {"admin", store_admin_each, store_admin_by_address};

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	return role_list(ctl, &role, err);
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (role_remove(ctl, &role, call->arguments[0], err) < 0)
		return -1;
	ctl_say("Admin %s is removed; the record stays.", call->arguments[0]);
	return 0;
}

const struct ctl_verb admin_verbs[] = {
    {"add", "ADDRESS", 1, 1, false, add_options, "Lets a person have the gateway's alarms",
	"The certificate must be there (dewctl key add) and confirmed. Alarms are encrypted\n"
	"like all mail. An admin cannot publish: that is a publisher's right.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists admins", NULL, run_list},
    {"remove", "ADDRESS", 1, 1, false, NULL, "Sends a person no more alarms", "The record stays.\n",
	run_remove},
    {0},
};
