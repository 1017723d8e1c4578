/* Another passphrase for the gateway's key. */
#ifndef DEWLINE_PGP_REKEY_H
#define DEWLINE_PGP_REKEY_H

#include "pgp/home.h"

/* Gives the key, which home->passphrase opens or which has none, the passphrase that `next` finds,
 * and sets home->passphrase to it. It is done on a copy; only when all secret keys in that are
 * protected and the new passphrase has opened them, the copy takes the place of what was. So after
 * -1 everything is as before. No vault may be at work meanwhile. */
int rekey(struct home *home, struct passphrase *next, struct err *err);

/* Removes the copy of the key that a change which was killed has left behind. */
int rekey_clean(const struct home *home, struct err *err);

#endif
