/* dewctl key ... (adding stands in keyadd.c) */
#include "config.h"

#include <string.h>

#include "dewctl/approval.h"
#include "dewctl/find.h"
#include "dewctl/keyadd.h"
#include "dewctl/keyaddresses.h"
#include "dewctl/keyexport.h"
#include "dewctl/keypassphrase.h"
#include "dewctl/keypending.h"
#include "dewctl/keypreferences.h"
#include "dewctl/keyuse.h"
#include "dewctl/verbs.h"
#include "rules/reach.h"

/* What use the certificate is today, in one word or the reason why none. */
static void add_reach(struct ctl *ctl, struct report *report, const struct certificate *certificate)
{
	char reason[STORE_REASON_SIZE];
	report_add_flag(report, reach_certificate(certificate, ctl->now, reason));
	report_add_text(report, reason);
}

static int add_user(
    struct ctl *ctl, struct report *report, const char *fingerprint, struct err *err)
{
	struct buf user = BUF_EMPTY(BUF_SMALL);
	const int status = find_user_of(ctl, fingerprint, &user, err);
	report_add_text(report, buf_text(&user));
	buf_release(&user);
	return status;
}

static const struct report_column list_columns[] = {
    {"fingerprint", "FINGERPRINT", REPORT_TEXT},
    {"state", "STATE", REPORT_TEXT},
    {"user_id", "USER ID", REPORT_TEXT},
    {"algorithm", "ALGORITHM", REPORT_TEXT},
    {"expires_at", "EXPIRES", REPORT_TIME},
    {"used_by", "USED BY", REPORT_TEXT},
    {"usable", NULL, REPORT_FLAG},
    {"reason", NULL, REPORT_TEXT},
};

struct list {
	struct ctl *ctl;
	struct report *report;
};

static int list_certificate(void *context, const struct certificate *certificate, struct err *err)
{
	const struct list *list = context;
	struct report *report = list->report;
	report_row(report);
	report_add_text(report, certificate->facts.fingerprint);
	report_add_text(report, certificate->state);
	report_add_text(report, certificate->facts.user_id);
	report_add_text(report, certificate->facts.algorithm);
	report_add_time(report, reach_expires(certificate));
	const int status = add_user(list->ctl, report, certificate->facts.fingerprint, err);
	add_reach(list->ctl, report, certificate);
	return status;
}

static int run_list(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	(void)call;
	if (ctl_open_store(ctl, err) < 0)
		return -1;
	struct list list = {ctl, NULL};
	list.report = report_table(list_columns, sizeof list_columns / sizeof list_columns[0],
	    "no certificates yet: dewctl key add FILE");
	if (store_certificate_each(ctl->store, list_certificate, &list, err) < 0) {
		report_free(list.report);
		return -1;
	}
	return ctl_print(ctl, list.report, err);
}

static const struct report_column show_columns[] = {
    {"fingerprint", NULL, REPORT_TEXT},
    {NULL, "Fingerprint", REPORT_TEXT},
    {"user_id", "User ID", REPORT_TEXT},
    {"state", "State", REPORT_TEXT},
    {"usable", "Usable today", REPORT_FLAG},
    {"reason", "Reason", REPORT_TEXT},
    {"used_by", "Used by", REPORT_TEXT},
    {"algorithm", "Algorithm", REPORT_TEXT},
    {"created_at", "Created", REPORT_TIME},
    {"expires_at", "Expires", REPORT_TIME},
    {"encryption_fingerprint", "Encryption subkey", REPORT_TEXT},
    {"encryption_expires_at", "It expires", REPORT_TIME},
    {"added_at", "Added", REPORT_TIME},
    {"shard", "Keyring shard", REPORT_NUMBER},
};

static int run_show(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	char fingerprint[FINGERPRINT_SIZE];
	struct certificate certificate;
	struct buf grouped = BUF_EMPTY(BUF_SMALL);
	if (find_fingerprint(call->arguments, call->count, fingerprint, err) < 0 ||
	    ctl_open_store(ctl, err) < 0 ||
	    find_certificate(ctl, fingerprint, &certificate, err) < 0)
		return -1;
	const struct certificate_facts *facts = &certificate.facts;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	find_group_fingerprint(fingerprint, &grouped);
	report_add_text(report, fingerprint);
	report_add_view(report, buf_view(&grouped));
	buf_release(&grouped);
	report_add_text(report, facts->user_id);
	report_add_text(report, certificate.state);
	add_reach(ctl, report, &certificate);
	if (add_user(ctl, report, fingerprint, err) < 0) {
		report_free(report);
		return -1;
	}
	report_add_text(report, facts->algorithm);
	report_add_time(report, facts->created);
	report_add_time(report, facts->expires);
	report_add_text(report, facts->encryption_fingerprint);
	report_add_time(report, facts->encryption_expires);
	report_add_time(report, certificate.added_at);
	report_add_number(report, certificate.shard);
	return ctl_print(ctl, report, err);
}

static int run_confirm(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct approval what = {.kind = "key.confirm"};
	struct buf user = BUF_EMPTY(BUF_SMALL);
	bool done = false;
	int status = -1;
	if (find_fingerprint(call->arguments, call->count, what.fingerprint, err) == 0 &&
	    ctl_open_store(ctl, err) == 0 && find_user_of(ctl, what.fingerprint, &user, err) == 0)
		status = approval_act(ctl, &what, &done, err);
	if (status == 0 && done)
		ctl_say("%s is confirmed%s%s.", what.fingerprint,
		    user.len > 0
			? ", for "
			: "; nobody uses it yet: dewctl contact add, publisher add or admin add",
		    buf_text(&user));
	buf_release(&user);
	return status;
}

static int run_retire(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	char fingerprint[FINGERPRINT_SIZE];
	struct buf user = BUF_EMPTY(BUF_SMALL);
	int status = -1;
	if (find_fingerprint(call->arguments, call->count, fingerprint, err) == 0 &&
	    ctl_open_store(ctl, err) == 0 && store_begin(ctl->store, err) == 0)
		status = ctl_end(ctl, keyuse_move(ctl, fingerprint, "retire", &user, err), err);
	if (status == 0)
		ctl_say("%s is retired.", fingerprint);
	if (status == 0 && user.len > 0)
		ctl_warn("from now on %s cannot be served: give them a new key with dewctl contact "
			 "rekey "
			 "or publisher rekey; an admin is removed and added again",
		    buf_text(&user));
	buf_release(&user);
	return status;
}

static const struct ctl_option export_options[] = {
    {"wkd", "DIR", "write a web key directory (the advanced layout) for the web server", NULL,
	false},
    {0},
};

const struct ctl_verb key_verbs[] = {
    {"add", "FILE", 1, 1, true, NULL, "Takes certificates from a file",
	"FILE holds one or thousands, armored or binary; \"-\" is standard input. Each is taken\n"
	"or refused with the reason. A new one is pending until `key confirm`; one that is\n"
	"known is merged with what comes, so that an older copy takes nothing back, and retired\n"
	"when it is revoked, also by a revocation certificate alone. Fails when none is taken.\n",
	keyadd_run},
    {"confirm", "FINGERPRINT", 1, CTL_ANY_NUMBER, false, NULL,
	"Pins a certificate whose fingerprint was checked",
	"Compare the whole fingerprint with its owner over another channel first: by telephone,\n"
	"in person, on paper. Blanks in it and its case do not matter; key IDs are refused.\n",
	run_confirm},
    {"list", "", 0, 0, true, NULL, "Lists certificates", NULL, run_list},
    {"show", "FINGERPRINT", 1, CTL_ANY_NUMBER, true, NULL, "Shows one certificate", NULL, run_show},
    {"retire", "FINGERPRINT", 1, CTL_ANY_NUMBER, false, NULL,
	"Takes a certificate out of use for good",
	"It stays on record, so that old acknowledgments can still be judged.\n", run_retire},
    {"pending", "[list]", 0, 1, true, NULL, "Lists new keys that people sent by signed mail",
	"Each waits for you: check the fingerprint over another channel, then\n"
	"dewctl contact rekey ADDRESS --key FINGERPRINT, or the same for a publisher.\n",
	keypending_run},
    {"refresh", "FILE|DIR", 1, 1, true, NULL, "Updates the certificates that are known",
	"Of a file, or of every file in a directory. Those that are not known are passed over\n"
	"by name: key add takes them.\n",
	keyadd_refresh},
    {"export", "[FILE]", 0, 1, false, export_options, "Writes the gateway's own certificate",
	"Armored, to standard output or to FILE, which must not exist. As root it is written by "
	"the\n"
	"owner of the state, who must be allowed to write there; so is the directory of --wkd.\n",
	keyexport_run},
    {"passphrase", "", 0, 0, false, NULL, "Gives the gateway's own key a new random passphrase",
	"Also where it has none yet. The new one is put into the file that the configuration\n"
	"names (gateway.passphrase_file). dewlined must not be running.\n",
	keypassphrase_run},
    {"preferences", "", 0, 0, false, NULL, "Takes a wish for OCB packets out of the gateway's key",
	"A key that GnuPG 2.4 made elsewhere may state it, and then advisories could go out in a\n"
	"form that many programs cannot read. dewlined must not be running.\n",
	keypreferences_run},
    {"addresses", "", 0, 0, false, NULL, "Gives the gateway's own key a user ID for each address",
	"For gateway.address and gateway.list, to which programs write that answer to all: one\n"
	"that finds no key for an address may send in the clear. Send everybody the new\n"
	"certificate (key export). dewlined must not be running.\n",
	keyaddresses_run},
    {0},
};
