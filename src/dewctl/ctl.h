/* What every command works with: the configuration, the store, the gateway's GnuPG home, and who is
 * asking. Each is opened when a command first needs it. */
#ifndef DEWLINE_DEWCTL_CTL_H
#define DEWLINE_DEWCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "dewctl/options.h"
#include "pgp/home.h"
#include "report/table.h"
#include "store/store.h"

enum { CTL_PATH_SIZE = CONFIG_PATH_SIZE + 64 };

struct ctl {
	const char *config_path;
	bool config_is_default; /* programs find it without being told */
	bool json;
	int64_t now; /* one moment for the whole command */
	char actor[STORE_NAME_SIZE]; /* "admin NAME" */
	int64_t uid; /* who that is to the operating system; behind sudo, who used it */
	struct config config;
	bool config_is_read;
	struct store *store; /* NULL until ctl_open_store */
	char gateway[FINGERPRINT_SIZE];
	struct home home;
	bool home_is_open;
	bool has_state; /* ctl_take_state */
	struct passphrase passphrase; /* of the gateway's key (dewctl/passphrase.h) */
	char passphrase_place[CONFIG_PATH_SIZE]; /* where it was found, "" at the terminal */
	int passphrase_file; /* open before root became another user, or -1 */
	unsigned passphrase_asked; /* how often it was looked for */
	char became[STORE_NAME_SIZE]; /* whom root became, "" for nobody else */
};

/* Reads the configuration; harmless the second time. */
int ctl_open_config(struct ctl *ctl, struct err *err);

/* Opens the store of a gateway that `dewctl init` has set up. Run by root, the process becomes the
 * owner of the state directory for good, so that no file in it ends up unreadable for the daemon;
 * files of the caller's are therefore read before this. */
int ctl_open_store(struct ctl *ctl, struct err *err);
/* The same without asking whether it is set up: for `dewctl init`. */
int ctl_become_owner(struct ctl *ctl, struct err *err);

/* Writing a file or directory of the caller's choice failed: err also says as whom, where that may
 * surprise root. Returns -1. */
int ctl_explain_owner(const struct ctl *ctl, struct err *err);

/* Whether a dewlined works on this state: it holds the state's lock. */
bool ctl_daemon_runs(const struct ctl *ctl);
/* Takes that lock until this dewctl ends, for what no daemon may be at work beside; harmless the second
 * time. why: "the gateway's key has to be changed", begins the refusal, which names who has it. */
int ctl_take_state(struct ctl *ctl, const char *why, struct err *err);
/* Warns when none does, behind a command that leaves the work to it. */
void ctl_warn_idle(const struct ctl *ctl);

/* Opens the GnuPG home, for what must be decrypted. */
int ctl_open_home(struct ctl *ctl, struct err *err);

/* Ends its agent, if it is open. It can be opened again. */
void ctl_close_home(struct ctl *ctl);

/* Ends the agent that we started, and frees all. */
void ctl_close(struct ctl *ctl);

/* STATE/NAME. */
void ctl_state_path(const struct ctl *ctl, const char *name, char out[static CTL_PATH_SIZE]);

/* An audit entry by this admin, in the open transaction. */
int ctl_audit(struct ctl *ctl, const char *event, const char *subject, struct err *err,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Ends a transaction: commits after status 0, else rolls back. Returns what became of it. */
int ctl_end(struct ctl *ctl, int status, struct err *err);

/* Prints the report, as --json says, and frees it. */
int ctl_print(const struct ctl *ctl, struct report *report, struct err *err);

/* A line for people on standard output, and one on standard error; control characters replaced. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ctl_say_blank(void);
void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "opening titles: 3 of 20" on one line of a terminal, which the last call wipes; nothing where
 * standard error is none. */
void ctl_progress(const char *what, size_t done, size_t total);

/* Refuses: fills err with a line that says why and what to do. Returns -1. */
#define ctl_refuse(err, ...) err_set((err), ERR_MESSAGE, ERR_NEVER, __VA_ARGS__)

#endif
