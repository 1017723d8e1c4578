#include "config.h"

#include <string.h>

#include "dewctl/find.h"
#include "dewctl/membernew.h"

static const char *const kinds[] = {"national", "local", "other"};

const char *membernew_check_kind(struct view value)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (view_is(value, kinds[i]))
			return NULL;
	return "national, local or other";
}

int membernew_read(
    const struct ctl *ctl, const struct ctl_call *call, struct member *out, struct err *err)
{
	const char *kind = ctl_value(call, "kind");
	const char *parent = ctl_value(call, "parent");
	*out = (struct member){.added_at = ctl->now};
	if (check_id(call->arguments[0], err) < 0 || check_name(ctl_value(call, "name"), err) < 0 ||
	    (parent != NULL && check_id(parent, err) < 0))
		return -1;
	snprintf(out->id, sizeof out->id, "%s", call->arguments[0]);
	snprintf(out->name, sizeof out->name, "%s", ctl_value(call, "name"));
	snprintf(out->kind, sizeof out->kind, "%s", kind != NULL ? kind : kinds[0]);
	snprintf(out->parent, sizeof out->parent, "%s", parent != NULL ? parent : "");
	return 0;
}

static int note_group(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	bool *found = context;
	(void)group, (void)entry, (void)is_contact, (void)err;
	*found = true;
	return 0;
}

static int refuse_group_name(struct ctl *ctl, const char *id, struct err *err)
{
	bool taken = false;
	if (store_group_each(ctl->store, id, note_group, &taken, err) < 0)
		return -1;
	return taken ? ctl_refuse(err,
			   "%s is a group, and an audience must know which is meant: "
			   "choose another ID",
			   id)
		     : 0;
}

static int check_parent(struct ctl *ctl, const struct member *member, struct err *err)
{
	const char *id = member->parent;
	struct member parent;
	if (id[0] == '\0')
		return 0;
	if (find_member(ctl, id, &parent, err) < 0)
		return -1;
	if (strcmp(id, member->id) == 0)
		return ctl_refuse(err, "a member cannot be its own parent");
	if (strcmp(parent.state, "left") == 0)
		return ctl_refuse(err, "the parent %s left: name a member that takes part", id);
	return 0;
}

int membernew_check(struct ctl *ctl, const struct member *member, struct err *err)
{
	return check_parent(ctl, member, err) < 0 ? -1 : refuse_group_name(ctl, member->id, err);
}

int membernew_refuse_taken(struct ctl *ctl, const struct member *member, struct err *err)
{
	struct member known;
	if (find_member(ctl, member->id, &known, err) < 0)
		return -1;
	return ctl_refuse(err, "there is a member %s already (%s, %s): choose another ID",
	    member->id, known.name, known.state);
}
