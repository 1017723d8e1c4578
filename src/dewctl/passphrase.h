/* The passphrase of the gateway's key as dewctl comes to it: from a credential or the file that the
 * configuration names, like the daemon; where that cannot be read, from whoever sits at the
 * terminal. It is looked for only when a command uses the key. */
#ifndef DEWLINE_DEWCTL_PASSPHRASE_H
#define DEWLINE_DEWCTL_PASSPHRASE_H

#include "dewctl/ctl.h"

/* Before and after all else. */
void ctl_passphrase_begin(struct ctl *ctl);
void ctl_passphrase_end(struct ctl *ctl);

/* Opens the file while we are still root, who may be the only one allowed to. */
void ctl_passphrase_keep_open(struct ctl *ctl);

/* For `dewctl init`, as whoever called it: what the key that is to be made gets. Takes the
 * passphrase that is there; or writes a new random one into the file that the configuration names
 * (mode 0600, given to the owner of the state directory). Neither: the configuration wants a key
 * without one, and ctl->passphrase stays empty. */
int ctl_passphrase_prepare(struct ctl *ctl, struct err *err);

/* The file that the configuration names; "" where it is to be a credential or nothing. */
const char *ctl_passphrase_path(const struct ctl *ctl);

/* Writes a new random one to a file that must not be there yet: mode 0600, given to the owner of
 * the state directory. */
int ctl_passphrase_write(struct ctl *ctl, const char *path, struct err *err);

/* The directory of a file. */
void ctl_passphrase_directory(const char *path, char out[static CONFIG_PATH_SIZE]);

#endif
