/* SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and random bytes; SHA-1 for a name only. */
#ifndef DEWLINE_BASE_DIGEST_H
#define DEWLINE_BASE_DIGEST_H

#include <stdbool.h>

#include "base/buf.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 65, DIGEST_SHA1_SIZE = 20 };

void digest_sha256(struct view data, unsigned char out[static DIGEST_SIZE]);
/* The same as 64 hexadecimal digits and a NUL. */
void digest_sha256_hex(struct view data, char out[static DIGEST_HEX_SIZE]);
/* For the file names of a web key directory, which are so defined; it protects nothing. */
void digest_sha1(struct view data, unsigned char out[static DIGEST_SHA1_SIZE]);
void digest_hmac(struct view key, struct view data, unsigned char out[static DIGEST_SIZE]);
/* Takes the same time wherever they differ. */
bool digest_equal(const void *a, const void *b, size_t len);

/* Fills from the kernel's generator; aborts when there is none. */
void random_bytes(void *out, size_t len);

#endif
