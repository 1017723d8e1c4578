#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/text.h"
#include "base/user.h"
#include "pgp/place.h"
#include "pgp/vault.h"
#include "dewctl/ctl.h"
#include "dewctl/passphrase.h"
#include "store/audit.h"

enum { LINE_SIZE = 2048, PLACES = 64 };

int ctl_open_config(struct ctl *ctl, struct err *err)
{
	if (ctl->config_is_read)
		return 0;
	if (access(ctl->config_path, F_OK) != 0 && errno == ENOENT)
		return ctl_refuse(err,
		    "there is no configuration %s: name one with -c FILE or "
		    "DEWLINE_CONFIG",
		    ctl->config_path);
	if (config_load(ctl->config_path, &ctl->config, err) < 0)
		return -1;
	ctl->config_is_read = true;
	vault_confine_programs_later(&ctl->config);
	return 0;
}

void ctl_state_path(const struct ctl *ctl, const char *name, char out[static CTL_PATH_SIZE])
{
	snprintf(out, CTL_PATH_SIZE, "%s/%s", ctl->config.state, name);
}

int ctl_become_owner(struct ctl *ctl, struct err *err)
{
	struct stat state;
	if (geteuid() != 0 || stat(ctl->config.state, &state) != 0 || state.st_uid == 0)
		return 0;
	const struct passwd *owner = getpwuid(state.st_uid);
	if (owner == NULL)
		return ctl_refuse(err,
		    "%s belongs to user %u, whom the system does not know: "
		    "give it to the daemon's user with chown -R",
		    ctl->config.state, (unsigned)state.st_uid);
	ctl_passphrase_keep_open(ctl);
	snprintf(ctl->became, sizeof ctl->became, "%s", owner->pw_name);
	return user_become(ctl->became, err) == 0 ? 0 : ctl_explain_owner(ctl, err);
}

int ctl_explain_owner(const struct ctl *ctl, struct err *err)
{
	if (ctl->became[0] != '\0')
		err_prefix(err, "as user %s, the owner of %s", ctl->became, ctl->config.state);
	return -1;
}

static int read_gateway(struct ctl *ctl, bool *found, struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	const int status = store_value_get(ctl->store, "gateway", &value, found, err);
	if (status == 0 && *found)
		*found = view_copy(buf_view(&value), ctl->gateway, sizeof ctl->gateway);
	buf_release(&value);
	return status;
}

int ctl_open_store(struct ctl *ctl, struct err *err)
{
	char path[CTL_PATH_SIZE];
	char waiting[CTL_PATH_SIZE];
	bool found = false;
	if (ctl->store != NULL)
		return 0;
	if (ctl_open_config(ctl, err) < 0 || ctl_become_owner(ctl, err) < 0)
		return -1;
	ctl_state_path(ctl, "store.db", path);
	if (access(path, R_OK | W_OK) != 0 && errno != ENOENT)
		return ctl_refuse(err, "cannot open %s: %s: %s", path, strerror(errno),
		    ctl->became[0] == '\0' ? "run dewctl as its owner, or with sudo"
					   : "chown it to the owner of the state directory");
	ctl_state_path(ctl, "store.db.restored", waiting);
	if ((access(path, F_OK) == 0 || access(waiting, F_OK) == 0) &&
	    (store_open(path, &ctl->store, err) < 0 || read_gateway(ctl, &found, err) < 0))
		return -1;
	if (!found)
		return ctl_refuse(
		    err, "there is no gateway in %s yet: run dewctl init", ctl->config.state);
	return 0;
}

bool ctl_daemon_runs(const struct ctl *ctl)
{
	return !ctl->has_state && lock_is_held(ctl->config.state);
}

int ctl_take_state(struct ctl *ctl, const char *why, struct err *err)
{
	char holder[LOCK_HOLDER_SIZE];
	const int taken = ctl->has_state ? 0 : lock_take(ctl->config.state, err);
	if (taken <= 0) {
		ctl->has_state = taken == 0;
		return taken;
	}
	lock_holder(ctl->config.state, holder);
	return ctl_refuse(err, "%s, and %s is at work in %s: stop it first", why, holder,
	    ctl->config.state);
}

void ctl_warn_idle(const struct ctl *ctl)
{
	if (!ctl_daemon_runs(ctl))
		ctl_warn("dewlined is not running, and until it is started nothing is sent");
}

/* The first place that no other dewctl has, by a lock that ends with us. An agent in it was left by
 * one that was killed. */
static int take_place(const char *home, char name[static PLACE_NAME_MAX + 1], struct err *err)
{
	for (unsigned i = 0; i < PLACES; i++) {
		char path[PATH_MAX];
		snprintf(name, PLACE_NAME_MAX + 1, "c%u", i);
		if (place_make(home, name, err) < 0)
			return -1;
		place_path(home, name, path);
		const int taken = lock_take(path, err);
		if (taken < 0)
			return -1;
		if (taken == 0) {
			home_end_agent(path);
			place_unlock(path);
			return 0;
		}
	}
	return ctl_refuse(err, "%d others of dewctl are at work: try again later", PLACES);
}

int ctl_open_home(struct ctl *ctl, struct err *err)
{
	char path[CTL_PATH_SIZE];
	char place[PLACE_NAME_MAX + 1];
	if (ctl->home_is_open)
		return 0;
	ctl_state_path(ctl, "gnupg", path);
	if (take_place(path, place, err) < 0)
		return -1;
	if (home_open_at(path, place, &ctl->home, err) < 0) {
		home_stop_agent(&ctl->home);
		return -1;
	}
	ctl->home.passphrase = &ctl->passphrase;
	ctl->home_is_open = true;
	return 0;
}

void ctl_close_home(struct ctl *ctl)
{
	if (ctl->home_is_open)
		home_stop_agent(&ctl->home);
	ctl->home_is_open = false;
}

void ctl_close(struct ctl *ctl)
{
	ctl_close_home(ctl);
	vault_confine_programs_later(NULL);
	ctl_passphrase_end(ctl);
	store_close(ctl->store);
	ctl->store = NULL;
}

int ctl_audit(struct ctl *ctl, const char *event, const char *subject, struct err *err,
    const char *format, ...)
{
	char detail[LINE_SIZE];
	va_list values;
	va_start(values, format);
	vsnprintf(detail, sizeof detail, format, values);
	va_end(values);
	return store_audit_add(ctl->store, ctl->now, ctl->actor, event, subject, err, "%s", detail);
}

int ctl_end(struct ctl *ctl, int status, struct err *err)
{
	if (status == 0)
		status = store_commit(ctl->store, err);
	if (status < 0)
		store_rollback(ctl->store);
	return status;
}

int ctl_print(const struct ctl *ctl, struct report *report, struct err *err)
{
	const int status = report_print(report, ctl->json, stdout, err);
	report_free(report);
	return status;
}

static void print_shown(FILE *out, const char *prefix, const char *line)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, view_of(line));
	fprintf(out, "%s%s\n", prefix, buf_text(&shown));
	buf_release(&shown);
}

void ctl_say(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list values;
	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	print_shown(stdout, "", line);
}

void ctl_say_blank(void)
{
	putchar('\n');
}

void ctl_warn(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list values;
	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	fflush(stdout);
	print_shown(stderr, "dewctl: warning: ", line);
}

void ctl_progress(const char *what, size_t done, size_t total)
{
	static const char wipe[] = "\r\033[K";
	if (!isatty(STDERR_FILENO))
		return;
	if (done < total)
		fprintf(stderr, "%s%s: %zu of %zu", wipe, what, done, total);
	else
		fputs(wipe, stderr);
	fflush(stderr);
}
