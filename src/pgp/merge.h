/* One certificate out of several states of it: what is known, what comes, a revocation that came
 * alone. Packets only: the union of all of them, each signature where it belongs, and gpg is the
 * judge of that union. Nothing that was once there is left out, so that no older copy takes a
 * revocation back. Internal.
 *
 * Left out is what can say nothing: signatures that do not even claim to be the owner's own or a
 * designated revoker's, photos, the same signature with other unhashed subpackets. A certificate
 * cannot be made to grow by what somebody else adds to a copy of it. */
#ifndef DEWLINE_PGP_MERGE_H
#define DEWLINE_PGP_MERGE_H

#include <stdbool.h>

#include "base/buf.h"

#include "pgp/certificate.h"

enum {
	MERGE_COMPONENTS_MAX = 1024, /* user IDs and subkeys */
	MERGE_SIGNATURES_MAX = 4096, /* that claim to be the owner's own; each costs gpg a check */
	MERGE_REVOKERS_MAX = 8,
};

enum merge_part {
	MERGE_ALL,
	MERGE_REVOCATIONS, /* of the key and of the user IDs and subkeys that are there already */
};

struct merge;

/* Of the certificate with this primary key (the packet's body, version 4). What is added must stay
 * where it is until the end. */
struct merge *merge_new(struct view primary);
void merge_free(struct merge *);

/* Reads which designated revokers a state names: before anything is added. */
void merge_learn(struct merge *, struct view certificate);

/* Adds a state: whole packets, the primary key first. What is added first is kept where two are the
 * same. */
void merge_add(struct merge *, struct view certificate, enum merge_part part);

/* Adds one signature packet that takes something back and came without its certificate. */
void merge_add_revocation(struct merge *, struct view packet);

/* The fingerprints of the designated revokers by whom there is a revocation. */
size_t merge_revokers(
    const struct merge *, char fingerprints[static MERGE_REVOKERS_MAX][FINGERPRINT_SIZE]);

/* Appends the union. False when there is more of it than the limits above: *reason says so, in
 * words that continue "it ...". */
bool merge_write(struct merge *, struct buf *out, const char **reason);

/* Appends a certificate that gpg has judged without the signatures of others. */
void merge_strip(struct view certificate, struct buf *out);

/* The fingerprint of a version 4 key (RFC 9580 section 5.5.4.2) by the body of its packet. */
void merge_fingerprint(struct view primary, char out[static FINGERPRINT_SIZE]);

#endif
