#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/digest.h"
#include "base/text.h"

static const uint8_t *bytes(struct view data)
{
	return (const uint8_t *)data.data;
}

void digest_sha256(struct view data, unsigned char out[static DIGEST_SIZE])
{
	struct sha256_ctx context;
	sha256_init(&context);
	sha256_update(&context, data.len, bytes(data));
	sha256_digest(&context, DIGEST_SIZE, out);
}

void digest_sha256_hex(struct view data, char out[static DIGEST_HEX_SIZE])
{
	unsigned char raw[DIGEST_SIZE];
	digest_sha256(data, raw);
	text_hex(raw, sizeof raw, out);
}

void digest_sha1(struct view data, unsigned char out[static DIGEST_SHA1_SIZE])
{
	struct sha1_ctx context;
	sha1_init(&context);
	sha1_update(&context, data.len, bytes(data));
	sha1_digest(&context, DIGEST_SHA1_SIZE, out);
}

void digest_hmac(struct view key, struct view data, unsigned char out[static DIGEST_SIZE])
{
	struct hmac_sha256_ctx context;
	hmac_sha256_set_key(&context, key.len, bytes(key));
	hmac_sha256_update(&context, data.len, bytes(data));
	hmac_sha256_digest(&context, DIGEST_SIZE, out);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return memeql_sec(a, b, len) != 0;
}

void random_bytes(void *out, size_t len)
{
	unsigned char *at = out;
	while (len > 0) {
		const ssize_t got = getrandom(at, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		len -= (size_t)got;
	}
}
