/* The gateway's key at the start of dewlined: a daemon that cannot use it would take mail in and do
 * nothing with it. */
#ifndef DEWLINE_DEWLINED_KEY_H
#define DEWLINE_DEWLINED_KEY_H

#include "base/err.h"
#include "config/config.h"

/* Proves in a process of its own, which ends with the answer, that the key in STATE/gnupg can be
 * used with the passphrase that the configuration or the service manager gives: no other process of
 * ours ever holds that passphrase but the vaults. The agent that it starts is that of `place`
 * (pgp/place.h), and stays. Neither a home without a key nor a passphrase
 * in a file that everybody can read is good. */
int key_prove(const struct config *config, const char *place, struct err *err);

#endif
