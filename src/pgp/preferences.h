/* What the gateway's own key asks of those who encrypt for it, and of us.
 *
 * gpg 2.3 and newer write an OCB packet (tag 20), which many programs cannot read, when every key
 * that they encrypt for asks for it. The gateway's own key is among them in each run, and must not
 * ask. One that we make does not; one that came from elsewhere may. */
#ifndef DEWLINE_PGP_PREFERENCES_H
#define DEWLINE_PGP_PREFERENCES_H

#include <stdbool.h>

#include "base/err.h"
#include "pgp/home.h"

/* *asks: the key states that it takes OCB or version 2 of protected data (key features 0x02 and
 * 0x08), and gpg here would act on it. */
int preferences_look(const struct home *home, bool *asks, struct err *err);

/* Signs preferences that do not ask for it, with home->passphrase where the key has one. An error
 * as well when the key asks all the same afterwards. Shards hold the key as it was: call
 * home_forget_shards. */
int preferences_mend(const struct home *home, struct err *err);

#endif
