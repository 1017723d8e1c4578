/* Runs of gpg that are given something to read. Internal to this room.
 *
 * Each does what GPGME's own operation of that name does, but waits by itself. GPGME gives gpg its
 * input through a pipe, and waits for room in it: when gpg ends before it has read all and the pipe
 * is full, GPGME's own wait (1.18) goes round for ever at full load, because it does not look at the
 * error that the pipe then reports. So whoever can make gpg give up early, which any damaged
 * certificate of more than a pipe's 64 KiB does, could stop us. No other file calls these
 * operations; those that read nothing may be called anywhere. */
#ifndef DEWLINE_PGP_FEED_H
#define DEWLINE_PGP_FEED_H

#include <gpgme.h>

/* All return what the operation comes to; what it found is asked of GPGME as ever. `in` and the like
 * are engine_source, `out` and `plaintext` engine_sink (or any other data of GPGME's). */
gpgme_error_t feed_import(gpgme_ctx_t ctx, gpgme_data_t certificates);
/* A detached signature over `text`, or, with text NULL, a signed message that gives `plaintext`. */
gpgme_error_t feed_verify(
    gpgme_ctx_t ctx, gpgme_data_t signature, gpgme_data_t text, gpgme_data_t plaintext);
gpgme_error_t feed_decrypt(
    gpgme_ctx_t ctx, gpgme_decrypt_flags_t flags, gpgme_data_t in, gpgme_data_t out);
/* `recipients` are full fingerprints, a line each, and nobody besides them. */
gpgme_error_t feed_encrypt(
    gpgme_ctx_t ctx, const char *recipients, gpgme_data_t in, gpgme_data_t out);
gpgme_error_t feed_encrypt_sign(
    gpgme_ctx_t ctx, const char *recipients, gpgme_data_t in, gpgme_data_t out);
gpgme_error_t feed_sign(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t signature);

#endif
