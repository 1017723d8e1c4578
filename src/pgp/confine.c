#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gpgme.h>

#include "base/file.h"
#include "base/log.h"
#include "config/secret.h"
#include "worker/sandbox.h"

#include "pgp/engine.h"
#include "pgp/place.h"
#include "pgp/vault.h"

/* Each new program closes what it inherited, up to this number. */
enum { DESCRIPTORS = 1024 };

/* The programs that gpg, gpgconf and GPGME run, beside each other; gpgconf starts and ends the
 * agent by way of gpg-connect-agent. They may be links to where they really are. */
static void allow_programs(struct sandbox *sandbox, const char *one_of_them)
{
	static const char *const names[] = {"gpg", "gpgconf", "gpg-agent", "gpg-connect-agent"};
	char copy[PATH_MAX];
	if (one_of_them == NULL)
		return;
	snprintf(copy, sizeof copy, "%s", one_of_them);
	const char *directory = dirname(copy);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[PATH_MAX];
		if (snprintf(path, sizeof path, "%s/%s", directory, names[i]) < PATH_MAX)
			sandbox_run(sandbox, path);
	}
}

/* What makes a program of a file: the kernel opens it to be executed as well. */
static void allow_loaders(struct sandbox *sandbox)
{
	static const char *const loaders[] = {"/lib64/ld-linux-x86-64.so.2",
	    "/lib/ld-linux-aarch64.so.1", "/lib64/ld64.so.2", "/lib/ld64.so.1",
	    "/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.2", "/lib/ld-linux-riscv64-lp64d.so.1",
	    "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"};
	for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++)
		sandbox_run(sandbox, loaders[i]);
}

/* GnuPG puts its sockets there where there is such a directory. */
static void allow_runtime_directory(struct sandbox *sandbox)
{
	static const char *const bases[] = {"/run/gnupg", "/run"};
	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		char path[64];
		snprintf(path, sizeof path, "%s/user/%lu", bases[i], (unsigned long)getuid());
		sandbox_write(sandbox, path);
	}
}

static void allow_gnupg(struct sandbox *sandbox)
{
	allow_programs(sandbox, gpgme_get_dirinfo("gpg-name"));
	allow_programs(sandbox, gpgme_get_dirinfo("gpgconf-name"));
	allow_loaders(sandbox);
}

static int find_gnupg(struct err *err)
{
	return gpgme_check_version("1.18.0") != NULL
		   ? 0
		   : err_set(err, ERR_DAEMON, ERR_NEVER, "GPGME is older than 1.18.0");
}

int vault_confine_programs(const struct config *config, struct err *err)
{
	if (find_gnupg(err) != 0)
		return -1;
	struct sandbox *sandbox = sandbox_new("those who run gpg", config);
	allow_gnupg(sandbox);
	sandbox_system(sandbox);
	return sandbox_enter_programs(sandbox, err);
}

static const struct config *awaited;

void vault_confine_programs_later(const struct config *config)
{
	awaited = config;
}

int vault_confine_awaited(struct err *err)
{
	const struct config *config = awaited;
	if (config == NULL || vault_confine_programs(config, err) != 0)
		return config == NULL ? 0 : -1;
	awaited = NULL;
	return 0;
}

/* What GPGME finds out of GnuPG by running it, those who are forked from here need not again. */
static void look_at_gnupg(const char *home)
{
	char place[PATH_MAX];
	gpgme_ctx_t ctx;
	struct err err;
	place_path(home, PLACE_RUN, place);
	if (engine_open(place, &ctx, &err) != 0)
		log_warning("%s", err.text);
	else
		gpgme_release(ctx);
}

int vault_confine(const struct config *config, struct err *err)
{
	static const char *const readable[] = {
	    "/etc/gnupg", "/usr/share/gnupg", "/etc/nsswitch.conf", "/etc/passwd"};
	char home[CONFIG_PATH_SIZE + 8];
	snprintf(home, sizeof home, "%s/gnupg", config->state);
	if (file_make_dir(home, 0700, err) != 0 || find_gnupg(err) != 0)
		return -1;
	struct sandbox *sandbox = sandbox_new("the vault", config);
	sandbox_write(sandbox, home);
	sandbox_read_secret(sandbox, SECRET_GATEWAY, config->gateway.passphrase_file);
	allow_gnupg(sandbox);
	allow_runtime_directory(sandbox);
	for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++)
		sandbox_read(sandbox, readable[i]);
	sandbox_system(sandbox);
	sandbox_limit(sandbox, RLIMIT_NOFILE, DESCRIPTORS);
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_WRITE_FILES | CALLS_UNIX_STREAMS |
				   CALLS_WATCH | CALLS_FORK | CALLS_RUN | CALLS_CODE);
	if (sandbox_enter(sandbox, err) != 0)
		return -1;
	look_at_gnupg(home);
	return 0;
}
