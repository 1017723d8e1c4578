#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "config/secret.h"

#include "pgp/passphrase.h"

struct passphrase passphrase_from(passphrase_fn *find, void *context)
{
	return (struct passphrase){.find = find, .context = context, .text = SECRET_EMPTY};
}

int passphrase_get(struct passphrase *passphrase, struct err *err)
{
	if (passphrase->text.len > 0)
		return 0;
	return passphrase->find(passphrase->context, &passphrase->text, err);
}

void passphrase_release(struct passphrase *passphrase)
{
	buf_release(&passphrase->text);
}

void passphrase_make(char out[static PASSPHRASE_SIZE])
{
	unsigned char random[PASSPHRASE_BYTES];
	random_bytes(random, sizeof random);
	text_base32(random, sizeof random, out);
	explicit_bzero(random, sizeof random);
}

int passphrase_configured(void *context, struct buf *out, struct err *err)
{
	const struct config *config = context;
	return secret_read(SECRET_GATEWAY, config->gateway.passphrase_file, out, err);
}
