/* Secrets, which do not stand in the configuration itself: the passphrase of the gateway's key and
 * the passwords for mail servers.
 *
 * Each has a name, under which the service manager may hand it over as a credential
 * (systemd.exec(5), LoadCredential=): then it is the file NAME in $CREDENTIALS_DIRECTORY. Otherwise
 * it is the file that its setting names. A setting "credential:OTHER" asks for that credential and
 * takes nothing else. Of any of these files the first line counts. */
#ifndef DEWLINE_CONFIG_SECRET_H
#define DEWLINE_CONFIG_SECRET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

#define SECRET_GATEWAY "gateway-passphrase"
#define SECRET_SMARTHOST "smarthost-password"
#define SECRET_IMAP "imap-password"

enum { SECRET_MAX = 1024 }; /* bytes of a secret, and of its file */

/* A buffer for one; buf_release wipes it. */
#define SECRET_EMPTY BUF_EMPTY((size_t)SECRET_MAX)

/* Where the secret is read from; "" when neither the service manager nor the setting says. The file
 * need not be there. */
void secret_place(const char *name, const char *setting, char out[static CONFIG_PATH_SIZE]);

/* Appends the secret to `out`. An error says where it was looked for. */
int secret_read(const char *name, const char *setting, struct buf *out, struct err *err);

/* The same from an open file, which `place` names for people. Closes nothing. */
int secret_read_from(int fd, const char *place, struct buf *out, struct err *err);

/* Refuses a file that everybody can read or write; `err` names it and says what to do. A file that
 * is missing, and whatever the service manager hands over, is not refused. */
int secret_check(const char *name, const char *setting, struct err *err);

/* True when `text` is "credential:NAME" with a good name. */
bool secret_is_credential(struct view text);

#endif
