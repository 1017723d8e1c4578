/* dewctl approve, dewctl approval ... */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/approval.h"
#include "dewctl/find.h"
#include "dewctl/keyuse.h"
#include "dewctl/verbs.h"

static int confirm(struct ctl *ctl, const struct approval *what, struct err *err)
{
	struct buf user = BUF_EMPTY(BUF_SMALL);
	const int status = keyuse_move(ctl, what->fingerprint, "confirm", &user, err);
	buf_release(&user);
	return status;
}

static int rekey_contact(struct ctl *ctl, const struct approval *what, struct err *err)
{
	return keyuse_rekey(ctl, false, what->address, what->fingerprint, err);
}

static int rekey_publisher(struct ctl *ctl, const struct approval *what, struct err *err)
{
	return keyuse_rekey(ctl, true, what->address, what->fingerprint, err);
}

static int add_publisher(struct ctl *ctl, const struct approval *what, struct err *err)
{
	struct publisher publisher = {.added_at = ctl->now};
	memcpy(publisher.address, what->address, sizeof publisher.address);
	memcpy(publisher.name, what->name, sizeof publisher.name);
	memcpy(publisher.fingerprint, what->fingerprint, sizeof publisher.fingerprint);
	return keyuse_add_publisher(ctl, &publisher, err);
}

static const struct {
	const char *kind;
	int (*act)(struct ctl *, const struct approval *, struct err *);
} acts[] = {
    {"key.confirm", confirm},
    {"contact.rekey", rekey_contact},
    {"publisher.rekey", rekey_publisher},
    {"publisher.add", add_publisher},
};

static int carry_out(struct ctl *ctl, const struct approval *what, struct err *err)
{
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		if (strcmp(acts[i].kind, what->kind) == 0)
			return acts[i].act(ctl, what, err);
	}
	return err_set(err, ERR_DAEMON, ERR_NEVER, "there is no act %s", what->kind);
}

static int file(struct ctl *ctl, struct approval *approval, struct err *err)
{
	bool added;
	char subject[STORE_ID_SIZE];
	if (store_approval_add(ctl->store, approval, &added, err) < 0)
		return -1;
	if (!added)
		return ctl_refuse(err,
		    "the same waits already: dewctl approve %" PRId64
		    " by another admin carries it out",
		    approval->id);
	snprintf(subject, sizeof subject, "approval %" PRId64, approval->id);
	return ctl_audit(ctl, "approval.ask", subject, err, "%s %s %s", approval->kind,
	    approval->address, approval->fingerprint);
}

int approval_act(struct ctl *ctl, const struct approval *what, bool *done, struct err *err)
{
	struct approval approval = *what;
	*done = !ctl->config.admin.four_eyes;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = carry_out(ctl, what, err);
	if (*done)
		return ctl_end(ctl, status, err);
	/* It was only tried. */
	store_rollback(ctl->store);
	if (status < 0 || store_begin(ctl->store, err) < 0)
		return -1;
	snprintf(approval.asked_by, sizeof approval.asked_by, "%s", ctl->actor);
	approval.asked_uid = ctl->uid;
	approval.asked_at = ctl->now;
	status = ctl_end(ctl, file(ctl, &approval, err), err);
	if (status == 0)
		ctl_say("This takes a second admin, and nothing is changed yet: another user of "
			"this machine runs dewctl approve %" PRId64,
		    approval.id);
	return status;
}

static int find_open(
    struct ctl *ctl, const char *number, struct approval *approval, struct err *err)
{
	int64_t id;
	bool found = false;
	if (!text_number(view_of(number), 1, INT64_MAX, &id))
		return ctl_refuse(err, "\"%s\" is no number: see dewctl approval list", number);
	if (store_approval_get(ctl->store, id, approval, &found, err) < 0)
		return -1;
	return found ? 0
		     : ctl_refuse(
			   err, "nothing waits as number %s: see dewctl approval list", number);
}

/* Closes it, in the open transaction; the audit names both. */
static int close_one(
    struct ctl *ctl, const struct approval *approval, const char *state, struct err *err)
{
	char subject[STORE_ID_SIZE];
	bool closed;
	if (store_approval_close(
		ctl->store, approval->id, state, ctl->actor, ctl->uid, ctl->now, &closed, err) < 0)
		return -1;
	if (!closed)
		return ctl_refuse(
		    err, "number %" PRId64 " is %s already", approval->id, approval->state);
	snprintf(subject, sizeof subject, "approval %" PRId64, approval->id);
	return ctl_audit(ctl, strcmp(state, "done") == 0 ? "approval.done" : "approval.reject",
	    subject, err,
	    "%s %s %s, asked for by %s (user %" PRId64 "), %s by %s (user %" PRId64 ")",
	    approval->kind, approval->address, approval->fingerprint, approval->asked_by,
	    approval->asked_uid, strcmp(state, "done") == 0 ? "approved" : "rejected", ctl->actor,
	    ctl->uid);
}

static int approve(struct ctl *ctl, const char *number, struct approval *approval, struct err *err)
{
	if (find_open(ctl, number, approval, err) < 0)
		return -1;
	if (strcmp(approval->state, "open") == 0 && approval->asked_uid == ctl->uid)
		return ctl_refuse(err,
		    "%s (user %" PRId64 ") asked for this: it takes another admin, who is another "
		    "user of this machine, to approve it",
		    approval->asked_by, approval->asked_uid);
	if (close_one(ctl, approval, "done", err) < 0)
		return -1;
	return carry_out(ctl, approval, err);
}

static int run_approve(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct approval approval;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, approve(ctl, call->arguments[0], &approval, err), err) < 0)
		return -1;
	ctl_say("Done: %s %s %s, as %s asked.", approval.kind, approval.address,
	    approval.fingerprint, approval.asked_by);
	return 0;
}

static int reject(struct ctl *ctl, const char *number, struct approval *approval, struct err *err)
{
	return find_open(ctl, number, approval, err) < 0
		   ? -1
		   : close_one(ctl, approval, "rejected", err);
}

static int run_reject(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct approval approval;
	if (ctl_open_store(ctl, err) < 0 || store_begin(ctl->store, err) < 0 ||
	    ctl_end(ctl, reject(ctl, call->arguments[0], &approval, err), err) < 0)
		return -1;
	ctl_say("Rejected: %s %s %s. Nothing is changed.", approval.kind, approval.address,
	    approval.fingerprint);
	return 0;
}

static const struct report_column columns[] = {
    {"number", "N", REPORT_NUMBER},
    {"kind", "WHAT", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", NULL, REPORT_TEXT},
    {"fingerprint", "KEY", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"asked_by", "ASKED BY", REPORT_TEXT},
    {"asked_at", "ASKED", REPORT_TIME},
    {"decided_by", "DECIDED BY", REPORT_TEXT},
    {"decided_at", "DECIDED", REPORT_TIME},
};

static int fill(void *context, const struct approval *approval, struct err *err)
{
	struct report *report = context;
	(void)err;
	report_add_number(report, approval->id);
	report_add_text(report, approval->kind);
	report_add_text(report, approval->address);
	report_add_text(report, approval->name);
	report_add_text(report, approval->fingerprint);
	report_add_text(report, approval->state);
	report_add_text(report, approval->asked_by);
	report_add_time(report, approval->asked_at);
	report_add_text(report, approval->decided_by);
	report_add_time(report, approval->decided_at);
	return 0;
}

static int add_row(void *context, const struct approval *approval, struct err *err)
{
	report_row(context);
	return fill(context, approval, err);
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct report *report =
	    report_table(columns, sizeof columns / sizeof columns[0], "nothing waits");
	if (store_approval_each(ctl->store, ctl_value(call, "all") != NULL, add_row, report, err) <
	    0) {
		report_free(report);
		return -1;
	}
	return ctl_print(ctl, report, err);
}

static const struct report_column show_columns[] = {
    {"number", "Number", REPORT_NUMBER},
    {"kind", "What", REPORT_TEXT},
    {"address", "Address", REPORT_TEXT},
    {"name", "Name", REPORT_TEXT},
    {"fingerprint", "Key", REPORT_TEXT},
    {"state", "State", REPORT_TEXT},
    {"asked_by", "Asked for by", REPORT_TEXT},
    {"asked_at", "Asked", REPORT_TIME},
    {"decided_by", "Decided by", REPORT_TEXT},
    {"decided_at", "Decided", REPORT_TIME},
};

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct approval approval;
	if (ctl_open_store(ctl, err) < 0 || find_open(ctl, call->arguments[0], &approval, err) < 0)
		return -1;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	fill(report, &approval, err);
	return ctl_print(ctl, report, err);
}

const struct ctl_verb approve_verbs[] = {
    {"", "N", 1, 1, false, NULL, "Carries out what another admin asked for",
	"With admin.four_eyes, what changes whom the gateway trusts takes two admins. Look at\n"
	"it first (dewctl approval show N), and check the fingerprint over another channel. Who\n"
	"asked cannot approve: users of the operating system count, behind sudo who used it.\n",
	run_approve},
    {0},
};

static const struct ctl_option list_options[] = {
    {"all", NULL, "also what was decided", NULL, false},
    {0},
};

const struct ctl_verb approval_verbs[] = {
    {"list", "", 0, 0, true, list_options, "Lists what waits for a second admin", NULL, run_list},
    {"show", "N", 1, 1, true, NULL, "Shows one request", NULL, run_show},
    {"reject", "N", 1, 1, false, NULL, "Drops a request: nothing is changed", NULL, run_reject},
    {0},
};
