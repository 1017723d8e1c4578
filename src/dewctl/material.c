/* dewctl material ... */
#include "config.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "dewctl/find.h"
#include "dewctl/stash.h"
#include "dewctl/verbs.h"
#include "pgp/open.h"
#include "store/inform.h"

enum { STASH_SLACK = 1024 * 1024 };

static const char *check_label(struct view value)
{
	enum tlp label;
	return tlp_from(value, &label) ? NULL : "RED, AMBER+STRICT, AMBER, GREEN or CLEAR";
}

static const struct ctl_option add_options[] = {
    {"for", "AUDIENCE", "who may have it: a group, a member, or all", NULL, true},
    {"clearance", "TLP", "its label: whoever is not cleared for it does not get it (AMBER)",
	check_label, false},
    {"title", "T", "what it is, as the members read it", NULL, false},
    {0},
};

static int note_entry(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err)
{
	(void)group, (void)entry, (void)is_contact, (void)err;
	*(bool *)context = true;
	return 0;
}

/* Whom it is for must exist now; a group that is removed later is nobody. */
static int check_audience(struct ctl *ctl, const char *name, struct err *err)
{
	struct member member;
	bool found = strcmp(name, "all") == 0;
	if (!found && check_id(name, err) < 0)
		return -1;
	if (!found && store_member_get(ctl->store, name, &member, &found, err) < 0)
		return -1;
	if (!found && store_group_each(ctl->store, name, note_entry, &found, err) < 0)
		return -1;
	return found ? 0
		     : ctl_refuse(err,
			   "there is no group or member %s: see dewctl group list and "
			   "dewctl member list",
			   name);
}

struct adding {
	struct material material;
	struct buf title;
	struct buf file;
	struct buf content;
};

static int stash_all(struct ctl *ctl, const struct ctl_call *call, struct view content,
    struct adding *adding, struct err *err)
{
	char path[CTL_PATH_SIZE];
	const char *title = ctl_value(call, "title");
	snprintf(path, sizeof path, "%s", call->arguments[1]);
	const char *file = basename(path);
	if (ctl_open_home(ctl, err) < 0 ||
	    (title != NULL && pgp_stash(&ctl->home, view_of(title), &adding->title, err) < 0) ||
	    pgp_stash(&ctl->home, view_of(file), &adding->file, err) < 0 ||
	    pgp_stash(&ctl->home, content, &adding->content, err) < 0)
		return -1;
	adding->material.title = buf_view(&adding->title);
	adding->material.file = buf_view(&adding->file);
	adding->material.content = buf_view(&adding->content);
	return 0;
}

static int record(struct ctl *ctl, struct material *material, struct err *err)
{
	bool added;
	if (store_material_add(ctl->store, material, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err,
		    "there is a material %s already: dewctl material remove %s, then add it anew",
		    material->name, material->name);
	return ctl_audit(ctl, "material.add", material->name, err, "TLP:%s, for %s, %lld bytes",
	    material->tlp, material->audience, (long long)material->size);
}

static int add(struct ctl *ctl, const struct ctl_call *call, struct view content, struct err *err)
{
	const size_t most = content.len + content.len / 2 + STASH_SLACK;
	struct adding adding = {.title = BUF_EMPTY(STASH_SLACK),
	    .file = BUF_EMPTY(STASH_SLACK),
	    .content = BUF_EMPTY(most)};
	const char *clearance = ctl_value(call, "clearance");
	enum tlp label = TLP_AMBER;
	if (clearance != NULL)
		tlp_from(view_of(clearance), &label);
	snprintf(adding.material.name, sizeof adding.material.name, "%s", call->arguments[0]);
	snprintf(adding.material.audience, sizeof adding.material.audience, "%s",
	    ctl_value(call, "for"));
	snprintf(adding.material.tlp, sizeof adding.material.tlp, "%s", tlp_name(label));
	adding.material.size = (int64_t)content.len;
	adding.material.added_at = ctl->now;
	int status = stash_all(ctl, call, content, &adding, err);
	if (status == 0 && (status = store_begin(ctl->store, err)) == 0)
		status = ctl_end(ctl, record(ctl, &adding.material, err), err);
	buf_release(&adding.title);
	buf_release(&adding.file);
	buf_release(&adding.content);
	return status;
}

static int run_add(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *name = call->arguments[0];
	const char *title = ctl_value(call, "title");
	struct buf content = BUF_EMPTY(0);
	int status = -1;
	if (check_id(name, err) < 0 || (title != NULL && check_name(title, err) < 0) ||
	    ctl_open_config(ctl, err) < 0)
		return -1;
	if (strcmp(name, "list") == 0)
		return ctl_refuse(err, "\"list\" asks for the list: choose another name");
	content = BUF_EMPTY((size_t)ctl->config.materials.size);
	if (file_read(call->arguments[1], &content, err) < 0)
		return -1;
	if (content.len == 0)
		ctl_refuse(err, "%s is empty", call->arguments[1]);
	else if (ctl_open_store(ctl, err) == 0 &&
		 check_audience(ctl, ctl_value(call, "for"), err) == 0)
		status = add(ctl, call, buf_view(&content), err);
	if (status == 0)
		ctl_say(
		    "Material %s: %zu bytes, for %s.", name, content.len, ctl_value(call, "for"));
	buf_release(&content);
	return status;
}

static const struct report_column list_columns[] = {
    {"name", "NAME", REPORT_TEXT},
    {"tlp", "TLP", REPORT_TEXT},
    {"for", "FOR", REPORT_TEXT},
    {"size", "SIZE", REPORT_NUMBER},
    {"added_at", "ADDED", REPORT_TIME},
    {"title", "TITLE", REPORT_PROSE},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int list_material(void *context, const struct material *material, struct err *err)
{
	const struct list *list = context;
	report_row(list->report);
	report_add_text(list->report, material->name);
	report_add_text(list->report, material->tlp);
	report_add_text(list->report, material->audience);
	report_add_number(list->report, material->size);
	report_add_time(list->report, material->added_at);
	return stash_add_cell(list->ctl, list->report, material->title, material->name, err);
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no materials yet: dewctl material add NAME FILE --for GROUP");
	if (store_material_each(ctl->store, list_material, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static int remove_one(struct ctl *ctl, const char *name, struct err *err)
{
	bool found;
	if (store_material_remove(ctl->store, name, &found, err) < 0)
		return -1;
	if (!found)
		return ctl_refuse(err, "there is no material %s: see dewctl material list", name);
	return ctl_audit(ctl, "material.remove", name, err, "%s", "");
}

static int run_remove(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, remove_one(ctl, call->arguments[0], err), err) < 0)
		return -1;
	ctl_say("Material %s is removed. Copies that were handed out stay with who has them.",
	    call->arguments[0]);
	return 0;
}

const struct ctl_verb material_verbs[] = {
    {"add", "NAME FILE", 2, 2, false, add_options, "Keeps a file that members may ask for",
	"A contact's signed \"Request: NAME\" brings it, encrypted. It is kept encrypted to the\n"
	"gateway's own key.\n",
	run_add},
    {"list", "", 0, 0, true, NULL, "Lists materials", NULL, run_list},
    {"remove", "NAME", 1, 1, false, NULL, "Removes a material", NULL, run_remove},
    {0},
};
