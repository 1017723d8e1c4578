/* The certificates of a file before gpg sees them: what belongs together, with what is known of
 * each, as one input. Internal. */
#ifndef DEWLINE_PGP_ENTRY_H
#define DEWLINE_PGP_ENTRY_H

#include "pgp/certificate.h"
#include "pgp/keyring.h"
#include "pgp/merge.h"

/* One certificate of the file, or one revocation without, and what gpg made of it. */
struct entry {
	struct keyring_entry found; /* nothing, where it could not be cut off: see the reason */
	size_t line; /* of its block's BEGIN line in the file; 0: the file is binary */
	size_t byte; /* where it begins in that block, or in the file; from 1 */
	char fingerprint[FINGERPRINT_SIZE]; /* of the primary key; "" for other versions than 4 */
	struct view revocation; /* the packet, when it came as a revocation alone */
	struct entry *same; /* the next one in the file with the same primary key */
	struct entry *revoked_by; /* the next one of the revocations that came alone for this key */
	bool stray; /* such a one that stood in another certificate */
	bool merged; /* into another one: no verdict of its own */
	struct buf before; /* what is known of it; empty: nothing */
	struct buf input; /* for gpg; of this one first, then of its designated revokers */
	size_t input_count; /* certificates in it */
	size_t place; /* how many stood before it in the last run of gpg, when it was in that */
	bool taken; /* gpg took it into the keyring */
	struct certificate_verdict verdict;
	struct buf minimal;
};

enum { ENTRY_PLACE_SIZE = 128 };

struct entries {
	struct entry *all; /* in the order of the file */
	size_t count;
	size_t found; /* of them in the file by themselves */
	struct buf *blocks; /* what the entries point into */
	size_t block_count;
	const struct certificate_known *known; /* NULL: nothing is */
};

/* Cuts a file's content into entries and puts together what is of the same key. What is damaged is
 * an entry with a reason; an error (ERR_MESSAGE) when nothing else is there. */
int entries_cut(struct view content, struct entries *out, struct err *err);
void entries_release(struct entries *);

/* Where in the file an entry stands, in words that a reason may begin with: "number 2 of 3 in the
 * file (line 14): ". "" where there is one alone. */
void entry_place(const struct entries *, const struct entry *, char out[static ENTRY_PLACE_SIZE]);

/* Fills `before`, where it was not, and `input`, with all that came or with its revocations alone.
 * What can be no input has a reason then. */
int entry_prepare(const struct entries *, struct entry *, enum merge_part part, struct err *err);

#endif
