#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pgp/armor.h"
#include "pgp/certificate.h"
#include "pgp/engine.h"
#include "pgp/vault.h"

extern char **environ;

enum { READ_STEP = 4096 };

/* gpg's own words reach our reasons and errors: in one language, whatever the operator's. */
static void settle_environment(void)
{
	const char *locale = getenv("LC_ALL");
	if (locale == NULL || strcmp(locale, "C") != 0)
		setenv("LC_ALL", "C", 1);
}

int engine_failed(struct err *err, gpgme_error_t code, const char *what)
{
	char text[128];
	gpgme_strerror_r(code, text, sizeof text);
	return err_set(err, ERR_DAEMON, ERR_LATER, "%s: GnuPG says: %s", what, text);
}

int engine_ready(struct err *err)
{
	settle_environment();
	if (gpgme_check_version("1.18.0") == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "GPGME is older than 1.18.0");
	return vault_confine_awaited(err);
}

enum { OLDEST_GPG = 2 };

/* Which GnuPG this is, of its version. 0: unknown. */
static unsigned major_version(void)
{
	unsigned major = 0;
	return sscanf(engine_version(), "%u.", &major) == 1 ? major : 0;
}

/* Naming a home makes GPGME ask gpg for its version, each time: for the same home it is done once. Of a gpg
 * that ended before it said so GPGME takes without a word that it is 1.0.0, and tells it for as long as this
 * process runs neither where to ask for a passphrase nor what else an old one would not know. */
static gpgme_error_t name_home(const char *dir)
{
	static char named[PATH_MAX];
	if (strcmp(named, dir) == 0)
		return 0;
	named[0] = '\0';
	const gpgme_error_t code = gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, NULL, dir);
	if (code != 0)
		return code;
	if (major_version() < OLDEST_GPG)
		return gpgme_error(GPG_ERR_INV_ENGINE);
	if (strlen(dir) < sizeof named)
		strcpy(named, dir);
	return 0;
}

int engine_open(const char *dir, gpgme_ctx_t *ctx, struct err *err)
{
	*ctx = NULL;
	if (engine_ready(err) != 0)
		return -1;
	gpgme_error_t code = name_home(dir);
	if (code == 0)
		code = gpgme_new(ctx);
	if (code != 0) {
		gpgme_release(*ctx);
		*ctx = NULL;
		return engine_failed(err, code, "cannot use gpg");
	}
	gpgme_set_armor(*ctx, 0);
	gpgme_set_textmode(*ctx, 0);
	gpgme_set_offline(*ctx, 1);
	gpgme_set_pinentry_mode(*ctx, GPGME_PINENTRY_MODE_ERROR);
	gpgme_set_keylist_mode(*ctx, GPGME_KEYLIST_MODE_LOCAL);
	return 0;
}

static gpgme_error_t give(struct passphrase *passphrase, int fd)
{
	struct err err;
	if (passphrase_get(passphrase, &err) != 0) {
		memcpy(passphrase->trouble, err.text, sizeof passphrase->trouble);
		return gpgme_error(GPG_ERR_CANCELED);
	}
	const struct view text = buf_view(&passphrase->text);
	const bool given =
	    gpgme_io_writen(fd, text.data, text.len) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
	return given ? 0 : gpgme_error_from_syserror();
}

/* GPGME's description of a question: for a key it begins with a key ID, for a password of a message
 * with a number of one or two digits. (The user ID hint of the last key would stay there.) */
static bool is_for_key(const char *info)
{
	const size_t digits = info == NULL ? 0 : strspn(info, "0123456789ABCDEFabcdef");
	return digits == KEY_ID_SIZE - 1 && info[digits] == ' ';
}

static gpgme_error_t on_question(
    void *hook, const char *uid_hint, const char *info, int previous_was_bad, int fd)
{
	struct passphrase *passphrase = hook;
	(void)uid_hint;
	if (!is_for_key(info)) {
		passphrase->others = true;
		return gpgme_error(GPG_ERR_CANCELED);
	}
	passphrase->asked = true;
	return previous_was_bad ? gpgme_error(GPG_ERR_BAD_PASSPHRASE) : give(passphrase, fd);
}

static gpgme_error_t on_question_for_new(
    void *hook, const char *uid_hint, const char *info, int previous_was_bad, int fd)
{
	struct passphrase *passphrase = hook;
	(void)uid_hint;
	(void)info;
	passphrase->asked = true;
	return previous_was_bad ? gpgme_error(GPG_ERR_BAD_PASSPHRASE) : give(passphrase, fd);
}

static void answer_questions(
    gpgme_ctx_t ctx, struct passphrase *passphrase, gpgme_passphrase_cb_t answer)
{
	if (passphrase == NULL)
		return;
	passphrase->asked = false;
	passphrase->others = false;
	passphrase->trouble[0] = '\0';
	gpgme_set_pinentry_mode(ctx, GPGME_PINENTRY_MODE_LOOPBACK);
	gpgme_set_passphrase_cb(ctx, answer, passphrase);
}

void engine_unlock(gpgme_ctx_t ctx, struct passphrase *passphrase)
{
	answer_questions(ctx, passphrase, on_question);
}

void engine_unlock_new(gpgme_ctx_t ctx, struct passphrase *passphrase)
{
	answer_questions(ctx, passphrase, on_question_for_new);
}

static void refuse_passphrase(
    const struct passphrase *passphrase, const char *what, struct err *err)
{
	const char *place = passphrase->place == NULL ? "" : passphrase->place;
	err_set(err, ERR_DAEMON, ERR_NEVER, "%s: the passphrase%s%s does not open it", what,
	    place[0] == '\0' ? "" : " in ", place);
}

/* A message within the message that wants a password of its own shows that ours was right: by then
 * the outer one was open. */
bool engine_is_locked(struct passphrase *passphrase, gpgme_error_t code, struct err *err)
{
	static const char what[] = "the gateway's key is locked";
	const gpgme_err_code_t reason = gpgme_err_code(code);
	if (code == 0)
		return false;
	if (passphrase == NULL && reason == GPG_ERR_NO_PIN_ENTRY) {
		err_set(err, ERR_DAEMON, ERR_NEVER, "%s: it has a passphrase", what);
		return true;
	}
	if (passphrase == NULL || !passphrase->asked || passphrase->others)
		return false;
	if (passphrase->trouble[0] != '\0')
		err_set(err, ERR_DAEMON, ERR_NEVER, "%s: %s", what, passphrase->trouble);
	else if (reason == GPG_ERR_BAD_PASSPHRASE)
		refuse_passphrase(passphrase, what, err);
	else
		return false;
	passphrase_release(passphrase);
	passphrase->locked = true;
	return true;
}

gpgme_data_t engine_source(struct view content)
{
	gpgme_data_t data = NULL;
	if (gpgme_data_new_from_mem(&data, content.len > 0 ? content.data : "", content.len, 0) !=
	    0)
		abort();
	return data;
}

static ssize_t sink_write(void *handle, const void *data, size_t len)
{
	struct engine_sink *sink = handle;
	if (len > sink->out->max - sink->out->len) {
		sink->over = true;
		errno = EFBIG;
		return -1;
	}
	buf_add(sink->out, data, len);
	return (ssize_t)len;
}

gpgme_data_t engine_sink(struct engine_sink *sink, struct buf *out)
{
	*sink = (struct engine_sink){.out = out, .functions = {.write = sink_write}};
	gpgme_data_t data = NULL;
	if (gpgme_data_new_from_cbs(&data, &sink->functions, sink) != 0)
		abort();
	return data;
}

static int read_output(int fd, struct buf *out)
{
	for (;;) {
		char chunk[READ_STEP];
		const ssize_t got = read(fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 && !out->overflow ? 0 : -1;
		buf_add(out, chunk, (size_t)got);
	}
}

static int spawn_to(char *const argv[], int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	const int code = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

int engine_check(bool *outdated, struct err *err)
{
	struct stat about;
	*outdated = false;
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0) {
		const int why = errno;
		*outdated =
		    why == EACCES && stat("/dev/null", &about) == 0 && S_ISCHR(about.st_mode);
		errno = why;
		return err_system(err, "GnuPG needs /dev/null, which cannot be opened%s",
		    *outdated ? " (it is another one than at the start)" : "");
	}
	close(nothing);
	const char *program = gpgme_get_dirinfo("gpg-name");
	if (program == NULL)
		return err_set(err, ERR_DAEMON, ERR_LATER, "GnuPG is not installed");
	return access(program, X_OK) == 0 ? 0 : err_system(err, "GnuPG cannot be run: %s", program);
}

int engine_run(char *const argv[], struct buf *out, struct err *err)
{
	if (engine_ready(err) != 0)
		return -1;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_system(err, "cannot make a pipe");
	pid_t pid;
	const int code = spawn_to(argv, ends[1], &pid);
	close(ends[1]);
	if (code != 0) {
		close(ends[0]);
		errno = code;
		return err_system(err, "cannot run %s", argv[0]);
	}
	const int got = read_output(ends[0], out);
	close(ends[0]);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (got != 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_DAEMON, ERR_LATER, "%s failed", argv[0]);
	return 0;
}

bool engine_packets(struct view message, const char *kind, struct buf *out, const char **why)
{
	enum { BINARY_MARK = 0x80 };
	if (message.len > 0 && ((unsigned char)message.data[0] & BINARY_MARK) != 0) {
		buf_add_view(out, message);
		return true;
	}
	return armor_decode(message, kind, out, why);
}

int engine_probe(const char *dir, const char *gateway, struct err *err)
{
	gpgme_ctx_t ctx;
	gpgme_key_t key = NULL;
	if (gateway[0] == '\0')
		return 0;
	if (engine_open(dir, &ctx, err) != 0)
		return -1;
	const gpgme_error_t code = gpgme_get_key(ctx, gateway, &key, 1);
	gpgme_key_unref(key);
	gpgme_release(ctx);
	return code == 0 ? 0 : engine_failed(err, code, "the gateway's secret key is out of reach");
}

const char *engine_version(void)
{
	gpgme_engine_info_t info = NULL;
	if (gpgme_check_version("1.18.0") == NULL || gpgme_get_engine_info(&info) != 0)
		return "";
	while (info != NULL && info->protocol != GPGME_PROTOCOL_OpenPGP)
		info = info->next;
	return info == NULL || info->version == NULL ? "" : info->version;
}

bool engine_writes_ocb(void)
{
	unsigned major = 0, minor = 0;
	const int read = sscanf(engine_version(), "%u.%u", &major, &minor);
	return read == 2 && (major > 2 || (major == 2 && minor >= 3));
}

const char *engine_key_id(const char *fingerprint)
{
	const size_t len = fingerprint == NULL ? 0 : strlen(fingerprint);
	return len < KEY_ID_SIZE - 1 ? "" : fingerprint + len - (KEY_ID_SIZE - 1);
}

bool engine_is_fingerprint(const char *fingerprint)
{
	enum { VERSION_4_DIGITS = 40 };
	return strspn(fingerprint, "0123456789ABCDEF") == VERSION_4_DIGITS &&
	       fingerprint[VERSION_4_DIGITS] == '\0';
}
