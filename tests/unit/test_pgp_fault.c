/* Whose fault an error code is. The list is by what each code means in GnuPG's sources, and not by ours. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pgp/fault.h"

struct known {
	gpgme_err_code_t code;
	bool of_machine;
};

static const struct known table[] = {
    /* the agent, its pinentry, and the talk with them */
    {GPG_ERR_NO_PIN_ENTRY, true},
    {GPG_ERR_PIN_ENTRY, true},
    {GPG_ERR_NO_AGENT, true},
    {GPG_ERR_AGENT, true},
    {GPG_ERR_CANCELED, true},
    {GPG_ERR_FULLY_CANCELED, true},
    {GPG_ERR_TIMEOUT, true},
    {GPG_ERR_FORBIDDEN, true},
    {GPG_ERR_ASS_GENERAL, true},
    {GPG_ERR_ASS_CONNECT_FAILED, true},
    {GPG_ERR_ASS_READ_ERROR, true},
    {GPG_ERR_ASS_WRITE_ERROR, true},
    {GPG_ERR_ASS_SERVER_START, true},
    {GPG_ERR_ASS_UNKNOWN_INQUIRE, true},
    /* gpg itself */
    {GPG_ERR_INV_ENGINE, true},
    {GPG_ERR_ENGINE_TOO_OLD, true},
    {GPG_ERR_CONFIGURATION, true},
    {GPG_ERR_SELFTEST_FAILED, true},
    {GPG_ERR_LOCKED, true},
    {GPG_ERR_KEYRING_OPEN, true},
    {GPG_ERR_RESOURCE_LIMIT, true},
    /* the system */
    {GPG_ERR_ENOSPC, true},
    {GPG_ERR_EDQUOT, true},
    {GPG_ERR_ENOMEM, true},
    {GPG_ERR_EIO, true},
    {GPG_ERR_EMFILE, true},
    {GPG_ERR_ENFILE, true},
    {GPG_ERR_EACCES, true},
    {GPG_ERR_EPERM, true},
    {GPG_ERR_EROFS, true},
    {GPG_ERR_ENOENT, true},
    {GPG_ERR_EPIPE, true},
    {GPG_ERR_EAGAIN, true},
    {GPG_ERR_EINTR, true},
    {GPG_ERR_ECONNREFUSED, true},
    {GPG_ERR_ECONNRESET, true},
    {GPG_ERR_ETIMEDOUT, true},
    {GPG_ERR_MISSING_ERRNO, true},
    {GPG_ERR_UNKNOWN_ERRNO, true},
    /* numbers in a message that are out of bounds come to these */
    {GPG_ERR_EINVAL, false},
    {GPG_ERR_ERANGE, false},
    {GPG_ERR_EOVERFLOW, false},
    /* what a message is and is not */
    {GPG_ERR_NO_ERROR, false},
    {GPG_ERR_GENERAL, false},
    {GPG_ERR_NO_DATA, false},
    {GPG_ERR_BAD_DATA, false},
    {GPG_ERR_INV_DATA, false},
    {GPG_ERR_INV_PACKET, false},
    {GPG_ERR_UNKNOWN_PACKET, false},
    {GPG_ERR_UNEXPECTED, false},
    {GPG_ERR_DECRYPT_FAILED, false},
    {GPG_ERR_BAD_MPI, false},
    {GPG_ERR_NO_SECKEY, false},
    {GPG_ERR_NO_PUBKEY, false},
    {GPG_ERR_BAD_SIGNATURE, false},
    {GPG_ERR_BAD_PASSPHRASE, false},
    {GPG_ERR_CHECKSUM, false},
    {GPG_ERR_CIPHER_ALGO, false},
    {GPG_ERR_COMPR_ALGO, false},
    {GPG_ERR_DIGEST_ALGO, false},
    {GPG_ERR_PUBKEY_ALGO, false},
    {GPG_ERR_UNSUPPORTED_ALGORITHM, false},
    {GPG_ERR_UNKNOWN_VERSION, false},
    {GPG_ERR_WRONG_KEY_USAGE, false},
    {GPG_ERR_EOF, false},
    {GPG_ERR_FALSE, false},
};

static void each_code_is_the_machines_or_the_messages(void **state)
{
	(void)state;
	static const gpgme_err_source_t sources[] = {
	    GPG_ERR_SOURCE_GPG, GPG_ERR_SOURCE_GPGAGENT, GPG_ERR_SOURCE_GPGME};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (size_t s = 0; s < sizeof sources / sizeof sources[0]; s++) {
			const gpgme_error_t code = gpgme_err_make(sources[s], table[i].code);
			if (fault_is_of_machine(code) != table[i].of_machine)
				fail_msg("%s (%d)", gpgme_strerror(code), (int)table[i].code);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_code_is_the_machines_or_the_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
