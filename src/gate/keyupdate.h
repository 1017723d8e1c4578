/* A mail that begins "Key: update" and brings a certificate.
 *
 * The signer's own certificate renewed (a new expiry, new subkeys, a revocation) is taken at once:
 * its self-signatures, which gpg checks, can be made by the primary key only. Hence it is taken
 * also when the mail was signed by a key that had expired, as far as we knew; the mail's
 * signature must be good otherwise. Another key, in a mail that counts in full, waits for an admin.
 * A revocation ends all use at once. */
#ifndef DEWLINE_GATE_KEYUPDATE_H
#define DEWLINE_GATE_KEYUPDATE_H

#include "gate/open.h"
#include "store/people.h"

/* Takes over the facts. One of the two signed it, the other is NULL. */
void keyupdate_mail(
    struct mail_facts *facts, const struct contact *contact, const struct publisher *publisher);

#endif
