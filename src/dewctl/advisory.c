/* dewctl advisory list and withdraw (showing one stands in advisoryshow.c) */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dewctl/advisoryshow.h"
#include "dewctl/advisorytrace.h"
#include "dewctl/find.h"
#include "dewctl/stash.h"
#include "dewctl/verbs.h"
#include "store/holds.h"
#include "store/state.h"

enum { MOST_UNLESS_ASKED = 20, STASH_MAX = 1024 * 1024 };

static const struct ctl_option list_options[] = {
    {"all", NULL, "list all of them, not only the newest 20", NULL, false},
    {"most", "N", "list the newest N", ctl_check_count, false},
    {"exercises", NULL, "list only exercises", NULL, false},
    {"no-exercises", NULL, "list no exercises", NULL, false},
    {0},
};

static const struct report_column list_columns[] = {
    {"number", "NUMBER", REPORT_TEXT},
    {"kind", "KIND", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"held_until", "HELD UNTIL", REPORT_TIME},
    {"waits_for_approval", "WAITS FOR APPROVAL", REPORT_FLAG},
    {"tlp", "TLP", REPORT_TEXT},
    {"severity", NULL, REPORT_TEXT},
    {"exercise", "EXERCISE", REPORT_FLAG},
    {"created_at", "CREATED", REPORT_TIME},
    {"revisions", "REVISIONS", REPORT_NUMBER},
    {"recipients", "RECIPIENTS", REPORT_NUMBER},
    {"acknowledged", "ACKNOWLEDGED", REPORT_NUMBER},
    {"failed", "FAILED", REPORT_NUMBER},
    {"title", "TITLE", REPORT_PROSE},
};

struct list {
	struct advisory *advisories;
	size_t count;
};

static int collect(void *context, const struct advisory *advisory, struct err *err)
{
	struct list *list = context;
	(void)err;
	list->advisories =
	    reallocarray(list->advisories, list->count + 1, sizeof *list->advisories);
	if (list->advisories == NULL)
		abort();
	list->advisories[list->count++] = *advisory;
	return 0;
}

struct newest {
	int64_t message;
	struct hold hold; /* its open one, id 0: none */
	struct buf title; /* stash */
};

/* What is held shows the title of its draft until a revision has one. */
static int note_hold(void *context, const struct hold *hold, struct err *err)
{
	struct newest *newest = context;
	(void)err;
	if (state_is_final(STATE_HOLD, hold->state) && newest->hold.id != 0)
		return 0;
	if (!state_is_final(STATE_HOLD, hold->state))
		newest->hold = *hold;
	buf_clear(&newest->title);
	buf_add_view(&newest->title, hold->title);
	return 0;
}

static int note_newest(void *context, const struct revision *revision, struct err *err)
{
	struct newest *newest = context;
	(void)err;
	newest->message = revision->message;
	buf_clear(&newest->title);
	buf_add_view(&newest->title, revision->title);
	return 0;
}

static int add_row(
    struct ctl *ctl, struct report *report, const struct advisory *advisory, struct err *err)
{
	struct newest newest = {.title = BUF_EMPTY(STASH_MAX)};
	struct delivery_counts counts = {0};
	int status = store_hold_each(ctl->store, advisory->id, note_hold, &newest, err);
	if (status == 0)
		status = store_revision_each(ctl->store, advisory->id, note_newest, &newest, err);
	if (status == 0 && newest.message != 0)
		status = store_delivery_count(ctl->store, newest.message, &counts, err);
	if (status == 0) {
		report_row(report);
		report_add_text(report, advisory->number);
		report_add_text(report, advisory->bulletin ? "bulletin" : "advisory");
		report_add_text(report, advisory->state);
		report_add_time(report, newest.hold.release_at);
		report_add_flag(report, strcmp(newest.hold.state, "waiting") == 0);
		report_add_text(report, advisory->tlp);
		report_add_text(report, advisory->severity);
		report_add_flag(report, advisory->exercise);
		report_add_time(report, advisory->created_at);
		report_add_number(report, advisory->revisions);
		report_add_number(report, counts.total);
		report_add_number(report, counts.acknowledged);
		report_add_number(report, counts.failed);
		status =
		    stash_add_cell(ctl, report, buf_view(&newest.title), advisory->number, err);
	}
	buf_release(&newest.title);
	return status;
}

static int choose_exercises(
    const struct ctl_call *call, enum advisory_choice *choice, struct err *err)
{
	const bool only = ctl_value(call, "exercises") != NULL;
	const bool none = ctl_value(call, "no-exercises") != NULL;
	if (only && none)
		return ctl_refuse(err, "--exercises and --no-exercises leave nothing to list");
	*choice = only ? ADVISORY_EXERCISE : none ? ADVISORY_EARNEST : ADVISORY_ANY;
	return 0;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const bool all = ctl_value(call, "all") != NULL;
	const int64_t most = all ? INT64_MAX : ctl_number(call, "most", MOST_UNLESS_ASKED);
	struct list list = {0};
	enum advisory_choice choice = ADVISORY_ANY;
	if (choose_exercises(call, &choice, err) < 0)
		return -1;
	struct report *report = report_table(
	    list_columns, sizeof list_columns / sizeof list_columns[0], "no advisories yet");
	int status = ctl_open_store(ctl, err);
	if (status == 0)
		status = store_advisory_each_of(ctl->store, choice, most, collect, &list, err);
	for (size_t i = 0; status == 0 && i < list.count; i++) {
		ctl_progress("opening titles", i, list.count);
		status = add_row(ctl, report, &list.advisories[i], err);
	}
	ctl_progress("opening titles", list.count, list.count);
	if (status == 0)
		status = report_print(report, ctl->json, stdout, err);
	report_free(report);
	free(list.advisories);
	return status;
}

static int ask_withdrawal(struct ctl *ctl, const char *number, struct err *err)
{
	struct advisory advisory;
	bool fresh;
	if (find_advisory(ctl, number, &advisory, err) < 0)
		return -1;
	if (strcmp(advisory.state, "withdrawn") == 0)
		return ctl_refuse(err, "%s is withdrawn already", advisory.number);
	if (store_withdrawal_ask(ctl->store, advisory.id, ctl->now, &fresh, err) < 0)
		return -1;
	if (!fresh)
		return ctl_refuse(err,
		    "the withdrawal of %s was asked for already: dewlined sends it",
		    advisory.number);
	return ctl_audit(ctl, "advisory.withdraw", advisory.number, err, "asked for by an admin");
}

static int run_withdraw(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const char *number = call->arguments[0];
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, ask_withdrawal(ctl, number, err), err) < 0)
		return -1;
	ctl_say("%s will be withdrawn: dewlined now tells everybody whom it went to, if anybody.",
	    number);
	ctl_warn_idle(ctl);
	return 0;
}

const struct ctl_verb advisory_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists advisories, the newest first",
	"Numbers are those of the newest revision. Titles are kept encrypted and opened for\n"
	"this list, which takes a moment each.\n",
	run_list},
    {"show", "ID", 1, 1, true, NULL,
	"Shows an advisory, its revisions, deliveries and acknowledgments", NULL, advisoryshow_run},
    {"withdraw", "ID", 1, 1, false, NULL, "Withdraws an advisory",
	"The daemon sends a withdrawal to everybody to whom any revision went. What is held\n"
	"still went to nobody: it ends, and only its author is told.\n",
	run_withdraw},
    {"trace", "ID FILE", 2, 2, true, NULL, "Names the copy that a leaked text comes from",
	"For advisories that were published with \"Trace: yes\". FILE holds the text, or a part "
	"of\n"
	"it, in UTF-8. Few or much changed words leave it open whose copy it was.\n",
	advisorytrace_run},
    {0},
};
