#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "config/secret.h"
#include "dewctl/passphrase.h"

enum { PRIVATE_FILE = 0600, ATTEMPTS = 3, INTERRUPT = 3 /* the character of ^C */ };

const char *ctl_passphrase_path(const struct ctl *ctl)
{
	const char *setting = ctl->config.gateway.passphrase_file;
	return secret_is_credential(view_of(setting)) ? "" : setting;
}

static void tell(int terminal, const char *text)
{
	const ssize_t written = write(terminal, text, strlen(text));
	(void)written; /* whoever does not see it can still type */
}

/* One line without its end. ^C comes as a character, since a signal would leave the terminal mute.
 */
static int read_line(int terminal, struct buf *out, struct err *err)
{
	char line[SECRET_MAX];
	ssize_t got;
	do
		got = read(terminal, line, sizeof line);
	while (got < 0 && errno == EINTR);
	int result = 0;
	if (got < 0)
		result = err_system(err, "cannot read from the terminal");
	else if (got <= 1 || line[got - 1] != '\n' || memchr(line, INTERRUPT, (size_t)got) != NULL)
		result = ctl_refuse(err, "no passphrase was given");
	else
		buf_add(out, line, (size_t)got - 1);
	explicit_bzero(line, sizeof line);
	return result;
}

static int ask(int terminal, struct buf *out, struct err *err)
{
	struct termios before, mute;
	if (tcgetattr(terminal, &before) != 0)
		return err_system(err, "cannot silence the terminal");
	mute = before;
	mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	mute.c_lflag |= ICANON;
	if (tcsetattr(terminal, TCSAFLUSH, &mute) != 0)
		return err_system(err, "cannot silence the terminal");
	tell(terminal, "Passphrase of the gateway's key: ");
	const int result = read_line(terminal, out, err);
	tcsetattr(terminal, TCSAFLUSH, &before);
	tell(terminal, "\n");
	return result;
}

/* 1: asked, *out holds it. 0: nobody is there to ask. */
static int ask_terminal(struct buf *out, struct err *err)
{
	const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal < 0)
		return 0;
	const int result = ask(terminal, out, err);
	close(terminal);
	return result < 0 ? -1 : 1;
}

static int read_file(struct ctl *ctl, struct buf *out, struct err *err)
{
	char *place = ctl->passphrase_place;
	secret_place(SECRET_GATEWAY, ctl->config.gateway.passphrase_file, place);
	if (ctl->passphrase_file < 0)
		return passphrase_configured(&ctl->config, out, err);
	return secret_read_from(ctl->passphrase_file, place, out, err);
}

/* passphrase_fn: context is the struct ctl. Called again, what it gave before was refused. */
static int find(void *context, struct buf *out, struct err *err)
{
	struct ctl *ctl = context;
	struct err nobody;
	const bool again = ctl->passphrase_asked++ > 0;
	if (read_file(ctl, out, err) == 0) {
		if (!again)
			return 0;
		buf_clear(out);
		return ctl_refuse(
		    err, "the passphrase in %s does not open it", ctl->passphrase_place);
	}
	if (ctl->passphrase_asked > ATTEMPTS)
		return ctl_refuse(err, "the passphrase was refused");
	ctl->passphrase_place[0] = '\0';
	const int asked = ask_terminal(out, &nobody);
	if (asked < 0)
		*err = nobody;
	return asked > 0 ? 0 : -1;
}

void ctl_passphrase_begin(struct ctl *ctl)
{
	ctl->passphrase = passphrase_from(find, ctl);
	ctl->passphrase.place = ctl->passphrase_place;
	ctl->passphrase_file = -1;
}

void ctl_passphrase_end(struct ctl *ctl)
{
	passphrase_release(&ctl->passphrase);
	if (ctl->passphrase_file >= 0)
		close(ctl->passphrase_file);
	ctl->passphrase_file = -1;
}

void ctl_passphrase_keep_open(struct ctl *ctl)
{
	char place[CONFIG_PATH_SIZE];
	secret_place(SECRET_GATEWAY, ctl->config.gateway.passphrase_file, place);
	if (ctl->passphrase_file < 0 && place[0] == '/')
		ctl->passphrase_file = open(place, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* The daemon runs as the owner of the state, and has to read it. */
static int give_to_owner(const struct ctl *ctl, const char *path, struct err *err)
{
	struct stat state;
	if (geteuid() != 0 || stat(ctl->config.state, &state) != 0)
		return 0;
	return lchown(path, state.st_uid, state.st_gid) == 0
		   ? 0
		   : err_system(err, "cannot give %s to the owner of %s", path, ctl->config.state);
}

void ctl_passphrase_directory(const char *path, char out[static CONFIG_PATH_SIZE])
{
	snprintf(out, CONFIG_PATH_SIZE, "%s", path);
	char *slash = strrchr(out, '/'); /* there is one: the configuration makes paths absolute */
	slash[slash == out ? 1 : 0] = '\0';
}

/* Puts a finished file in its place unless there is one: two of us at once must not each make a
 * passphrase, and the key get the one that is lost. */
static int publish(const struct ctl *ctl, const char *made, const char *path, struct err *err)
{
	char directory[CONFIG_PATH_SIZE];
	ctl_passphrase_directory(path, directory);
	int result = give_to_owner(ctl, made, err);
	if (result == 0 && link(made, path) != 0)
		result = err_system(err, "cannot make %s", path);
	unlink(made);
	return result == 0 ? file_sync_dir(directory, err) : -1;
}

int ctl_passphrase_write(struct ctl *ctl, const char *path, struct err *err)
{
	char text[PASSPHRASE_SIZE + 1];
	char draft[CONFIG_PATH_SIZE + 40];
	snprintf(draft, sizeof draft, "%s.new.%ld", path, (long)getpid());
	passphrase_make(text);
	const size_t len = strlen(text);
	text[len] = '\n';
	int result = file_write(draft, (struct view){text, len + 1}, PRIVATE_FILE, err);
	explicit_bzero(text, sizeof text);
	if (result == 0)
		result = publish(ctl, draft, path, err);
	if (result != 0)
		err_prefix(err, "the passphrase of the gateway's key (gateway.passphrase_file)");
	return result;
}

int ctl_passphrase_prepare(struct ctl *ctl, struct err *err)
{
	char place[CONFIG_PATH_SIZE];
	secret_place(SECRET_GATEWAY, ctl->config.gateway.passphrase_file, place);
	if (place[0] == '\0')
		return 0;
	if (access(place, F_OK) != 0 && errno == ENOENT &&
	    strcmp(place, ctl_passphrase_path(ctl)) == 0)
		return ctl_passphrase_write(ctl, place, err) < 0
			   ? -1
			   : read_file(ctl, &ctl->passphrase.text, err);
	return read_file(ctl, &ctl->passphrase.text, err);
}
