/* Each signature's status, judged from what gpg reported. Internal. */
#ifndef DEWLINE_PGP_VERDICT_H
#define DEWLINE_PGP_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "pgp/engine.h"
#include "pgp/open.h"

/* What gpg said on its status lines that GPGME does not pass on. */
struct verdict_report {
	struct {
		char key[FINGERPRINT_SIZE]; /* that made a valid signature: often a subkey */
		char primary[FINGERPRINT_SIZE]; /* of the same certificate */
	} valid[OPEN_SIGNATURES_MAX];
	uint32_t valid_count;
	uint32_t plaintexts; /* literal data packets that were put out */
	uint32_t decryptions; /* encrypted data packets that were begun */
	/* Of the machine (pgp/fault.h), where it kept gpg from these; else 0. */
	gpgme_error_t decrypt_fault;
	gpgme_error_t verify_fault;
};

/* Collects the report of the context's next operation. */
void verdict_listen(gpgme_ctx_t ctx, struct verdict_report *report);

/* Fills signature_count and signatures[] from the context's last verification. May run gpg again,
 * in the same home, for keys that expired and for signatures that are not good; counts that in
 * gpg_runs. -1 as well where the machine kept gpg from judging one. */
int verdict_judge(gpgme_ctx_t ctx, const char *dir, const struct verdict_report *report,
    struct opened *result, struct err *err);

#endif
