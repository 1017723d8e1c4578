/* dewctl check: the pre-flight. It asks the same rules that make an advisory's list of deliveries,
 * so that what it says is what will happen. */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "dewctl/find.h"
#include "dewctl/findings.h"
#include "dewctl/verbs.h"
#include "rules/reach.h"
#include "store/outcomes.h"

enum { EXPIRY_WARNING_S = 30 * 86400 };

static const struct report_column summary_columns[] = {
    {"ok", NULL, REPORT_FLAG}, /* nothing bad; for people only what needs no look is well */
    {"well", "All well", REPORT_FLAG},
    {"bad", "Bad findings", REPORT_NUMBER},
    {"warnings", "Warnings", REPORT_NUMBER},
    {"contacts", "Contacts", REPORT_NUMBER},
    {"reachable", "Reachable today", REPORT_NUMBER},
};
static const struct report_column unreachable_columns[] = {
    {"member", "MEMBER", REPORT_TEXT},
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"reason", "REASON", REPORT_TEXT},
    {"fingerprint", "KEY", REPORT_TEXT},
};
static const struct report_column member_columns[] = {
    {"id", "MEMBER", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"reason", "REASON", REPORT_TEXT},
};
static const struct report_column publisher_columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"name", "NAME", REPORT_TEXT},
    {"reason", "REASON", REPORT_TEXT},
    {"fingerprint", "KEY", REPORT_TEXT},
};
static const struct report_column unwell_columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"is", "IS", REPORT_TEXT},
    {"state", "LAST MAIL", REPORT_TEXT},
    {"at", "AT", REPORT_TIME},
    {"reason", "REASON", REPORT_TEXT},
};
static const struct report_column expiring_columns[] = {
    {"address", "ADDRESS", REPORT_TEXT},
    {"used_by", "IS", REPORT_TEXT},
    {"expires_at", "EXPIRES", REPORT_TIME},
    {"fingerprint", "KEY", REPORT_TEXT},
};

#define TABLE(columns, empty) report_table(columns, sizeof columns / sizeof columns[0], empty)

struct checking {
	struct ctl *ctl;
	struct report *unreachable;
	struct report *members;
	struct report *publishers;
	struct report *admins;
	struct report *expiring;
	struct report *unwell;
	struct err store_fault; /* why it cannot be opened, "" where it is open */
	struct findings findings;
	int64_t contacts;
	int64_t reachable;
	int64_t publisher_count;
	int64_t member_contacts; /* of the member that is being looked at */
	int64_t member_reachable;
};

/* Usable today, but not for long. */
static void note_expiry(struct checking *checking, const struct certificate *certificate,
    const char *address, const char *used_by)
{
	const int64_t expires = reach_expires(certificate);
	if (expires == 0 || expires > checking->ctl->now + EXPIRY_WARNING_S)
		return;
	report_row(checking->expiring);
	report_add_text(checking->expiring, address);
	report_add_text(checking->expiring, used_by);
	report_add_time(checking->expiring, expires);
	report_add_text(checking->expiring, certificate->facts.fingerprint);
}

static int check_contact(void *context, const struct contact *contact, struct err *err)
{
	struct checking *checking = context;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE];
	bool reachable;
	bool found;
	checking->contacts++;
	checking->member_contacts++;
	if (find_reach(checking->ctl, contact, &reachable, reason, err) < 0)
		return -1;
	if (!reachable) {
		report_row(checking->unreachable);
		report_add_text(checking->unreachable, contact->member);
		report_add_text(checking->unreachable, contact->address);
		report_add_text(checking->unreachable, contact->name);
		report_add_text(checking->unreachable, reason);
		report_add_text(checking->unreachable, contact->fingerprint);
		return 0;
	}
	checking->reachable++;
	checking->member_reachable++;
	if (store_certificate_get(
		checking->ctl->store, contact->fingerprint, &certificate, &found, err) < 0)
		return -1;
	if (found)
		note_expiry(checking, &certificate, contact->address, "contact");
	return 0;
}

static int check_member(void *context, const struct member *member, struct err *err)
{
	struct checking *checking = context;
	checking->member_contacts = 0;
	checking->member_reachable = 0;
	if (strcmp(member->state, "left") == 0)
		return 0;
	if (store_contact_each(checking->ctl->store, member->id, check_contact, checking, err) < 0)
		return -1;
	if (checking->member_reachable > 0)
		return 0;
	report_row(checking->members);
	report_add_text(checking->members, member->id);
	report_add_text(checking->members, member->name);
	if (strcmp(member->state, "active") != 0)
		report_add_text(checking->members, member->state);
	else if (checking->member_contacts == 0)
		report_add_text(checking->members, "has no contacts");
	else
		report_add_text(checking->members, "none of its contacts can be reached");
	return 0;
}

static int check_publisher(void *context, const struct publisher *publisher, struct err *err)
{
	struct checking *checking = context;
	struct report *table = publisher->admin ? checking->admins : checking->publishers;
	struct certificate certificate;
	char reason[STORE_REASON_SIZE] = "there is no such certificate";
	bool found;
	if (!publisher->admin)
		checking->publisher_count++;
	if (store_certificate_get(
		checking->ctl->store, publisher->fingerprint, &certificate, &found, err) < 0)
		return -1;
	if (found && reach_certificate(&certificate, checking->ctl->now, reason)) {
		note_expiry(checking, &certificate, publisher->address,
		    publisher->admin ? "admin" : "publisher");
		return 0;
	}
	report_row(table);
	report_add_text(table, publisher->address);
	report_add_text(table, publisher->name);
	report_add_text(table, reason);
	report_add_text(table, publisher->fingerprint);
	return 0;
}

/* The last mail to them failed, or came back, and none went through since. */
static int check_outcome(void *context, const struct outcome *outcome, struct err *err)
{
	struct report *table = ((struct checking *)context)->unwell;
	const struct delivery *delivery = &outcome->delivery;
	(void)err;
	report_row(table);
	report_add_text(table, delivery->address);
	report_add_text(table, outcome->is);
	report_add_text(table, delivery->state);
	report_add_time(
	    table, outcome->bounced_at != 0 ? outcome->bounced_at : delivery->first_at);
	report_add_text(table, delivery->reason);
	return 0;
}

static void add_count(struct buf *out, int64_t count, const char *one, const char *many)
{
	if (count > 0)
		buf_printf(out, "%s%" PRId64 " %s", out->len > 0 ? ", " : "", count,
		    count == 1 ? one : many);
}

static int64_t count_bad(const struct checking *checking)
{
	return checking->contacts - checking->reachable + (int64_t)report_rows(checking->members) +
	       (int64_t)report_rows(checking->publishers) + (int64_t)report_rows(checking->admins) +
	       (int64_t)report_rows(checking->unwell) + checking->findings.bad;
}

/* Those of the gateway itself, and certificates that will soon be too old. */
static int64_t count_warnings(const struct checking *checking)
{
	return checking->findings.warnings + (int64_t)report_rows(checking->expiring);
}

/* What is bad, in the last line, which is that of an error. */
static int refuse(const struct checking *checking, struct err *err)
{
	struct buf faults = BUF_EMPTY(BUF_SMALL);
	add_count(&faults, checking->contacts - checking->reachable,
	    "contact would not be reached today", "contacts would not be reached today");
	add_count(&faults, (int64_t)report_rows(checking->members), "member not at all",
	    "members not at all");
	add_count(&faults, (int64_t)report_rows(checking->publishers),
	    "publisher's certificate is unusable", "publishers' certificates are unusable");
	add_count(&faults, (int64_t)report_rows(checking->admins),
	    "admin's certificate is unusable", "admins' certificates are unusable");
	add_count(&faults, (int64_t)report_rows(checking->unwell),
	    "person's last mail did not arrive", "people's last mail did not arrive");
	add_count(&faults, checking->findings.bad, "fault in the gateway itself",
	    "faults in the gateway itself");
	add_count(&faults, count_warnings(checking), "warning", "warnings");
	const int status =
	    checking->store_fault.text[0] == '\0'
		? ctl_refuse(err, "%s: the tables say why", buf_text(&faults))
		: ctl_refuse(err, "%.400s; the tables say what is seen without it",
		      checking->store_fault.text);
	buf_release(&faults);
	return status;
}

static void say_if_alone(struct checking *checking)
{
	if (checking->publisher_count == 0)
		findings_add(&checking->findings, "publishers", FINDING_WARNING,
		    "there is none, so nothing can be published: dewctl publisher add");
	if (checking->contacts == 0)
		findings_add(&checking->findings, "contacts", FINDING_WARNING,
		    "there is none, so nothing can be delivered: dewctl contact add");
}

static void add_summary(struct report *summary, const struct checking *checking)
{
	const int64_t bad = count_bad(checking);
	const int64_t warnings = count_warnings(checking);
	report_add_flag(summary, bad == 0);
	report_add_flag(summary, bad == 0 && warnings == 0);
	report_add_number(summary, bad);
	report_add_number(summary, warnings);
	report_add_number(summary, checking->contacts);
	report_add_number(summary, checking->reachable);
}

static void attach_tables(struct report *summary, const struct checking *checking)
{
	report_attach(summary, "unreachable", "Contacts who would not be reached today",
	    checking->unreachable);
	report_attach(
	    summary, "members", "Members nobody of whom can be reached", checking->members);
	report_attach(summary, "publishers", "Publishers whose certificate is unusable",
	    checking->publishers);
	report_attach(summary, "admins", "Admins whose certificate is unusable", checking->admins);
	report_attach(
	    summary, "undelivered", "People whose last mail did not arrive", checking->unwell);
	report_attach(
	    summary, "expiring", "Certificates that expire within 30 days", checking->expiring);
	report_attach(summary, "findings", "The gateway itself", checking->findings.table);
}

/* The last line, so that nobody who sees the end alone misses it. */
static void say_warnings(int64_t warnings)
{
	ctl_say_blank();
	ctl_say("Nothing is bad, but there %s %" PRId64 " %s: the tables say which.",
	    warnings == 1 ? "is" : "are", warnings, warnings == 1 ? "warning" : "warnings");
}

static struct checking begin(struct ctl *ctl)
{
	return (struct checking){.ctl = ctl,
	    .unreachable = TABLE(unreachable_columns, "none: every contact can be reached"),
	    .members = TABLE(member_columns, "none"),
	    .publishers = TABLE(publisher_columns, "none"),
	    .admins = TABLE(publisher_columns, "none"),
	    .expiring = TABLE(expiring_columns, "nothing"),
	    .unwell = TABLE(unwell_columns, "nobody"),
	    .findings = findings_begin()};
}

static int check_people(struct checking *checking, struct err *err)
{
	struct ctl *ctl = checking->ctl;
	if (store_member_each(ctl->store, check_member, checking, err) < 0 ||
	    store_publisher_each(ctl->store, check_publisher, checking, err) < 0 ||
	    store_admin_each(ctl->store, check_publisher, checking, err) < 0)
		return -1;
	return store_outcome_each_unwell(ctl->store, ctl->now, check_outcome, checking, err);
}

/* With --strict warnings count; *status is then that of something bad. */
static int say_verdict(
    const struct checking *checking, bool strict, struct report *summary, struct err *err)
{
	struct err verdict;
	const int64_t warnings = count_warnings(checking);
	int status = count_bad(checking) > 0 ? refuse(checking, &verdict) : 0;
	if (status == 0 && strict && warnings > 0)
		status = ctl_refuse(&verdict,
		    "%" PRId64 " %s, which --strict counts: the tables say which", warnings,
		    warnings == 1 ? "warning" : "warnings");
	if (ctl_print(checking->ctl, summary, err) < 0) /* which takes the tables with it */
		return -1;
	if (status < 0)
		*err = verdict;
	else if (warnings > 0 && !checking->ctl->json)
		say_warnings(warnings);
	return status;
}

/* A store that cannot be opened is a finding, and the more reason to look at the rest. */
static bool open_store(struct checking *checking, struct err *err)
{
	struct ctl *ctl = checking->ctl;
	char path[CTL_PATH_SIZE];
	if (ctl_open_store(ctl, err) == 0)
		return true;
	if (!ctl->config_is_read)
		return false;
	ctl_state_path(ctl, "store.db", path);
	if (access(path, F_OK) != 0)
		return false;
	checking->store_fault = *err;
	findings_add(&checking->findings, "store", FINDING_BAD, err->text);
	store_close(ctl->store);
	ctl->store = NULL;
	return true;
}

static int run_check(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct report *summary =
	    report_record(summary_columns, sizeof summary_columns / sizeof summary_columns[0]);
	struct checking checking = begin(ctl);
	attach_tables(summary, &checking);
	if (!open_store(&checking, err) ||
	    (ctl->store != NULL && check_people(&checking, err) < 0)) {
		report_free(summary);
		return -1;
	}
	findings_collect(ctl, &checking.findings);
	if (ctl->store != NULL) {
		if (ctl_value(call, "smarthost") != NULL)
			findings_probe(ctl, &checking.findings);
		say_if_alone(&checking);
	}
	add_summary(summary, &checking);
	return say_verdict(&checking, ctl_value(call, "strict") != NULL, summary, err);
}

static const struct ctl_option check_options[] = {
    {"smarthost", NULL, "ask the smarthost too, as for a mail, and send none", NULL, false},
    {"strict", NULL, "exit with 1 for warnings as well", NULL, false},
    {0},
};

const struct ctl_verb check_verbs[] = {
    {"", "", 0, 0, true, check_options, "Says who would not be reached today, and what is wrong",
	"Run it before every release, and from a timer. Each contact is judged for the highest\n"
	"label they are cleared for. Exit status 0: everybody can be reached, the last mail to\n"
	"everybody arrived, the gateway is sound and dewlined runs; there may be warnings, whose\n"
	"number the last line tells. 1: something is bad, or, with --strict, there is a warning;\n"
	"or it could not be looked at. 2: wrong usage. --smarthost goes as far as MAIL FROM and\n"
	"RCPT TO, with TLS and login, to the gateway's own address and an admin's.\n",
	run_check},
    {0},
};
