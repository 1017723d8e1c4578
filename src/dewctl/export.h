/* Signed replies as evidence that plain gpg verifies; and dewctl ack export ID ADDRESS DIR. */
#ifndef DEWLINE_DEWCTL_EXPORT_H
#define DEWLINE_DEWCTL_EXPORT_H

#include "dewctl/ctl.h"
#include "pgp/certificate.h"
#include "store/advisories.h"

struct export_reply {
	int64_t arrival; /* the raw reply */
	int64_t signed_at;
	int64_t received_at;
	char what[STORE_NAME_SIZE]; /* "An acknowledgment of DEW-2026-0007, revision 1" */
	char status[STORE_ID_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	char token[ADVISORY_TOKEN_SIZE];
	const char *token_of; /* what it was made for: "this revision" */
	const char *more_name; /* a file to be put beside them, or NULL */
	const char *more_is; /* what the README says of it */
	struct view more;
};

/* Writes them into DIR, which is made or must be empty: one stands in DIR itself, of several each
 * in a directory of its own, by number. */
int export_write(struct ctl *ctl, const char *address, const struct export_reply *replies,
    size_t count, const char *dir, struct err *err);

ctl_run_fn export_run;

#endif
