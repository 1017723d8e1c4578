#include "config.h"

#include <stdio.h>

#include "config/secret.h"
#include "courier/courier.h"
#include "worker/sandbox.h"

enum { PORT_DNS = 53 };

/* What the resolver of the C library and GnuTLS read. */
static void allow_network_files(struct sandbox *sandbox)
{
	static const char *const files[] = {"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts",
	    "/etc/host.conf", "/etc/hostname", "/etc/services", "/etc/protocols", "/etc/gai.conf",
	    "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/etc/ssl/certs",
	    "/etc/ssl/cert.pem", "/etc/pki", "/etc/ca-certificates", "/etc/gnutls", "/etc/pkcs11",
	    "/etc/crypto-policies", "/usr/share/ca-certificates",
	    "/usr/local/share/ca-certificates", "/usr/share/p11-kit", "/usr/share/crypto-policies",
	    "/var/lib/ca-certificates"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		sandbox_read(sandbox, files[i]);
}

static void allow_smarthost(struct sandbox *sandbox, const struct config *config)
{
	sandbox_read_renewed(sandbox, config->smarthost.ca_file);
	sandbox_read_secret(sandbox, SECRET_SMARTHOST, config->smarthost.password_file);
	sandbox_connect(sandbox, config->smarthost.port);
}

/* Mail from the mailbox is written to tmp and moved to new; nothing of what lies there is read. */
static void allow_mailbox(struct sandbox *sandbox, const struct config *config)
{
	static const char *const parts[] = {"tmp", "new"};
	if (config->imap.server[0] == '\0')
		return;
	sandbox_read_renewed(sandbox, config->imap.ca_file);
	sandbox_read_secret(sandbox, SECRET_IMAP, config->imap.password_file);
	sandbox_connect(sandbox, config->imap.port);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char path[CONFIG_PATH_SIZE + 8];
		snprintf(path, sizeof path, "%s/%s", config->drop, parts[i]);
		sandbox_write(sandbox, path);
	}
	sandbox_allow(sandbox, CALLS_WRITE_FILES);
}

static int confine(const char *who, const struct config *config, unsigned more, struct err *err)
{
	struct sandbox *sandbox = sandbox_new(who, config);
	allow_smarthost(sandbox, config);
	allow_mailbox(sandbox, config);
	allow_network_files(sandbox);
	sandbox_system(sandbox);
	sandbox_connect(sandbox, PORT_DNS);
	/* No sockets of this machine: the gpg-agent listens on one, and it would do as it is told. */
	sandbox_allow(sandbox, CALLS_READ_FILES | CALLS_INTERNET | CALLS_CODE | more);
	return sandbox_enter(sandbox, err);
}

int courier_confine(const struct config *config, struct err *err)
{
	return confine("the courier", config, 0, err);
}

int courier_confine_starter(const void *settings, struct err *err)
{
	return confine("the starter of couriers", settings, CALLS_FORK | CALLS_WATCH, err);
}
