#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "dewctl/ctl.h"
#include "dewctl/dewctl.h"
#include "dewctl/passphrase.h"
#include "dewctl/verbs.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

const struct ctl_noun ctl_nouns[] = {
    {"init", "Sets up a new gateway", init_verbs},
    {"check", "Says who would not be reached today", check_verbs},
    {"backup", "Copies the store", backup_verbs},
    {"restore", "Puts the store back to a backup", restore_verbs},
    {"key", "OpenPGP certificates of contacts and publishers", key_verbs},
    {"member", "Organisations that take part", member_verbs},
    {"contact", "People of a member, who get advisories", contact_verbs},
    {"agreement", "The agreement that members sign, and who has", agreement_verbs},
    {"join", "Strangers who ask to join", join_verbs},
    {"publisher", "People who may publish advisories", publisher_verbs},
    {"admin", "People who get the gateway's alarms", admin_verbs},
    {"group", "Names for several members or contacts", group_verbs},
    {"advisory", "Advisories and what became of them", advisory_verbs},
    {"ack", "Acknowledgments: who answered what", ack_verbs},
    {"report", "What members reported", report_verbs},
    {"material", "Files that members may ask for", material_verbs},
    {"approve", "Carries out what another admin asked for", approve_verbs},
    {"approval", "What waits for a second admin", approval_verbs},
    {"reminder", "Reminders and alarms for want of an answer", reminder_verbs},
    {"bounce", "Mail that came back", bounce_verbs},
    {"queue", "Mail that waits to be sent", queue_verbs},
    {"inbox", "Mail that came in, and what it was taken for", inbox_verbs},
    {"stats", "How many were reached and answered, and how soon", stats_verbs},
    {"clock", "The machine's clock, and whether it is believed", clock_verbs},
    {"audit", "The log of what happened", audit_verbs},
    {NULL, NULL, NULL},
};

/* "admin NAME": the login name, or with sudo the name of who used it. Whoever may write the store
 * could write any name into it: this is for honest admins to know who did what. */
static void name_actor(char *out, size_t size)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user == NULL ? NULL : user->pw_name;
	const char *sudo_user = getenv("SUDO_USER");
	if (sudo_user != NULL && sudo_user[0] != '\0')
		name = sudo_user;
	struct buf actor = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&actor, "admin ");
	if (name != NULL)
		text_add_shown(&actor, view_of(name));
	else
		buf_printf(&actor, "%u", (unsigned)getuid());
	snprintf(out, size, "%s", buf_text(&actor));
	buf_release(&actor);
}

/* The same person as a number, for four eyes. With sudo it is the one who used it. */
static int64_t actor_uid(void)
{
	const char *sudo_uid = getenv("SUDO_UID");
	int64_t uid;
	if (sudo_uid != NULL && text_number(view_of(sudo_uid), 0, UINT32_MAX, &uid))
		return uid;
	return (int64_t)getuid();
}

/* What we open may be an advisory's text: it must not end up in a core file or another's hands. */
static void protect_process(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifndef DEWLINE_SANITIZED /* whose search for leaks traces the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	umask(S_IRWXG | S_IRWXO);
}

static void print_error(const char *text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, view_of(text));
	fflush(stdout);
	fprintf(stderr, "dewctl: %s\n", buf_text(&shown));
	buf_release(&shown);
}

static int run(const struct ctl_call *call, const char *default_config)
{
	struct err err;
	struct ctl *ctl = calloc(1, sizeof *ctl);
	const char *named = getenv("DEWLINE_CONFIG");
	if (ctl == NULL)
		abort();
	if (named == NULL || named[0] == '\0')
		named = default_config;
	ctl->config_path = call->config != NULL ? call->config : named;
	ctl->config_is_default = strcmp(ctl->config_path, default_config) == 0;
	ctl->json = call->json;
	ctl->now = clock_now();
	ctl_passphrase_begin(ctl);
	name_actor(ctl->actor, sizeof ctl->actor);
	ctl->uid = actor_uid();
	int status = call->verb->run(ctl, call, &err);
	ctl_close(ctl);
	free(ctl);
	if (status == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = err_system(&err, "cannot write the output");
	if (status < 0)
		print_error(err.text);
	return status < 0 ? EXIT_REFUSED : EXIT_DONE;
}

int dewctl_main(int argc, const char *const *argv, const char *default_config)
{
	struct ctl_call call;
	struct err err;
	int status = EXIT_DONE;
	log_open("dewctl", LOG_LEVEL_WARNING);
	protect_process();
	switch (ctl_read(ctl_nouns, argc, argv, &call, &err)) {
	case CTL_RUN:
		status = run(&call, default_config);
		break;
	case CTL_HELP:
		ctl_print_help(ctl_nouns, call.noun, call.verb, stdout);
		break;
	case CTL_VERSION:
		puts("dewctl (" PACKAGE_NAME ") " PACKAGE_VERSION);
		break;
	case CTL_USAGE:
		print_error(err.text);
		ctl_print_usage(call.noun, call.verb, stderr);
		status = EXIT_USAGE;
		break;
	}
	ctl_call_release(&call);
	return status;
}
