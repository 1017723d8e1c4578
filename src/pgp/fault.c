#include "config.h"

#include <stddef.h>

#include "pgp/fault.h"

/* libgpg-error's own codes, by its header; those that are errno are below. */
static const gpgme_err_code_t machine[] = {
    GPG_ERR_AGENT,
    GPG_ERR_NO_AGENT,
    GPG_ERR_PIN_ENTRY,
    GPG_ERR_NO_PIN_ENTRY,
    GPG_ERR_CANCELED,
    GPG_ERR_FULLY_CANCELED,
    GPG_ERR_TIMEOUT,
    GPG_ERR_LOCKED,
    GPG_ERR_FORBIDDEN,
    GPG_ERR_INV_ENGINE,
    GPG_ERR_ENGINE_TOO_OLD,
    GPG_ERR_CONFIGURATION,
    GPG_ERR_KEYRING_OPEN,
    GPG_ERR_TRUSTDB,
    GPG_ERR_RESOURCE_LIMIT,
    GPG_ERR_SELFTEST_FAILED,
    GPG_ERR_NOT_OPERATIONAL,
    GPG_ERR_NOT_INITIALIZED,
    GPG_ERR_TRY_LATER,
    GPG_ERR_NO_ENGINE,
    GPG_ERR_NO_SERVICE,
    GPG_ERR_SERVICE,
    GPG_ERR_ASSUAN_SERVER_FAULT,
    GPG_ERR_ASSUAN,
    GPG_ERR_HARDWARE,
    GPG_ERR_NO_SCDAEMON,
    GPG_ERR_SCDAEMON,
    GPG_ERR_MISSING_ERRNO,
    GPG_ERR_UNKNOWN_ERRNO,
};

/* Of errno, what a number in a message that is out of bounds may come to. */
static const gpgme_err_code_t inputs[] = {
    GPG_ERR_EINVAL,
    GPG_ERR_ERANGE,
    GPG_ERR_EDOM,
    GPG_ERR_EILSEQ,
    GPG_ERR_EOVERFLOW,
};

static bool is_among(gpgme_err_code_t code, const gpgme_err_code_t *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

bool fault_is_of_machine(gpgme_error_t code)
{
	const gpgme_err_code_t reason = gpgme_err_code(code);
	if ((reason & GPG_ERR_SYSTEM_ERROR) != 0)
		return !is_among(reason, inputs, sizeof inputs / sizeof inputs[0]);
	/* What gpg and its agent say to each other. */
	return (reason >= GPG_ERR_ASS_GENERAL && reason <= GPG_ERR_ASS_UNKNOWN_INQUIRE) ||
	       is_among(reason, machine, sizeof machine / sizeof machine[0]);
}
