/* Whose fault an error code of GnuPG's is: what was given to it, or the machine that it runs on.
 * Internal.
 *
 * A fault of the machine passes, or is mended by somebody: what it met is tried again, and nothing is
 * held against a mail, a certificate or a recipient for it. */
#ifndef DEWLINE_PGP_FAULT_H
#define DEWLINE_PGP_FAULT_H

#include <stdbool.h>

#include <gpgme.h>

/* True for what no input brings about: gpg's agent or its pinentry is missing or failed, a run was
 * cancelled or took too long, memory, descriptors, a disk, a file of ours. False for all others, and for
 * 0: of those an input may be the cause. */
bool fault_is_of_machine(gpgme_error_t code);

#endif
