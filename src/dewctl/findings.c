#include "config.h"

#include <stdio.h>

#include "dewctl/clocklook.h"
#include "dewctl/findings.h"
#include "dewctl/findings_looks.h"
#include "dewctl/probe.h"
#include "dewctl/restore.h"
#include "dewctl/unread.h"
#include "store/people.h"

static const struct report_column columns[] = {
    {"what", "WHAT", REPORT_TEXT},
    {"result", "RESULT", REPORT_TEXT},
    {"detail", "DETAIL", REPORT_TEXT},
};

struct findings findings_begin(void)
{
	return (struct findings){.table = report_table(columns, sizeof columns / sizeof columns[0],
				     "nothing was looked at")};
}

void findings_add(
    struct findings *findings, const char *what, enum finding result, const char *detail)
{
	static const char *const names[] = {
	    [FINDING_OK] = "ok", [FINDING_WARNING] = "warning", [FINDING_BAD] = "bad"};
	if (result == FINDING_NONE)
		return;
	report_row(findings->table);
	report_add_text(findings->table, what);
	report_add_text(findings->table, names[result]);
	report_add_text(findings->table, detail);
	findings->warnings += result == FINDING_WARNING;
	findings->bad += result == FINDING_BAD;
}

static const struct {
	const char *what;
	look_fn *look;
	bool needs_store;
} looks[] = {
    {"state", look_at_state, false},
    {"room", look_at_room, false},
    {"store", look_at_store, true},
    {"audit", look_at_audit, true},
    {"backup", look_at_backup, true},
    {"gateway-key", look_at_key, true},
    {"smarthost", look_at_smarthost, false},
    {"smarthost-word", look_at_word, true},
    {"drop", look_at_drop, true},
    {"mailbox", look_at_mailbox, true},
    {"restore", restore_look, true},
    {"agreement", look_at_agreement, true},
    {"daemon", look_at_daemon, false},
    {"gate", look_at_gate, false},
    {"errors", look_at_errors, false},
    {"clock", clocklook, true},
    {"waiting", look_at_waiting, true},
    {"queue", look_at_queue, true},
    {"bounces", look_at_bounces, true},
    {"answers", look_at_answers, true},
    {"unread", unread_look, true},
    {"processes", look_at_processes, true},
};

void findings_collect(struct ctl *ctl, struct findings *findings)
{
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		if (looks[i].needs_store && ctl->store == NULL)
			continue;
		struct buf detail = BUF_EMPTY(BUF_SMALL);
		const enum finding result = looks[i].look(ctl, &detail);
		findings_add(findings, looks[i].what, result, buf_text(&detail));
		buf_release(&detail);
	}
}

/* -- the smarthost -- */

struct probing {
	struct findings *findings;
	struct buf envelope;
	enum finding worst;
};

/* The connection has a row of its own; what is said of sender and recipients stands in one. */
static void take_step(void *context, const struct courier_result *result)
{
	struct probing *probing = context;
	const bool taken = result->outcome == COURIER_SENT;
	/* Who asks to be tried again later does so with everybody. */
	const enum finding finding = taken ? FINDING_OK
				     : result->outcome == COURIER_DEFERRED ? FINDING_WARNING
									   : FINDING_BAD;
	if (result->id == COURIER_STEP_CONNECTION) {
		findings_add(probing->findings, "connection", taken ? FINDING_OK : FINDING_BAD,
		    result->text);
		return;
	}
	buf_printf(
	    &probing->envelope, "%s%s", probing->envelope.len > 0 ? "; " : "", result->text);
	probing->worst = finding > probing->worst ? finding : probing->worst;
}

/* The first of them. */
static int note_admin(void *context, const struct publisher *admin, struct err *err)
{
	struct courier_probe *probe = context;
	(void)err;
	if (probe->count < 2)
		view_copy(view_of(admin->address), probe->recipients[probe->count++],
		    sizeof probe->recipients[0]);
	return 0;
}

/* A return path such as every mail has, of a delivery that there is none of. */
static void make_sender(const struct config *config, struct courier_probe *probe)
{
	struct view domain = view_of(config->gateway.return_path);
	struct view local;
	view_next_field(&domain, '@', &local);
	snprintf(probe->sender, sizeof probe->sender, "%.*s+0.AAAAAAAAAAAAAAAA@%.*s",
	    (int)local.len, local.data, (int)domain.len, domain.data);
}

void findings_probe(struct ctl *ctl, struct findings *findings)
{
	struct courier_probe probe = {.count = 1};
	struct probing probing = {.findings = findings, .envelope = BUF_EMPTY(BUF_SMALL)};
	struct err err;
	make_sender(&ctl->config, &probe);
	view_copy(view_of(ctl->config.gateway.address), probe.recipients[0],
	    sizeof probe.recipients[0]);
	if (store_admin_each(ctl->store, note_admin, &probe, &err) < 0)
		findings_add(findings, "envelope", FINDING_BAD, err.text);
	probe_smarthost(&ctl->config, &probe, take_step, &probing);
	findings_add(findings, "envelope", probing.worst, buf_text(&probing.envelope));
	buf_release(&probing.envelope);
}
