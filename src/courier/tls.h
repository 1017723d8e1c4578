/* TLS towards a mail server: 1.2 or newer, chain and name always verified (RFC 8314, RFC 7817). */
#ifndef DEWLINE_COURIER_TLS_H
#define DEWLINE_COURIER_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* The certification authorities that we believe. */
struct tls_trust;
/* Reads a PEM file, or the system's trust store when `ca_file` is empty. ERR_DAEMON on failure. */
int tls_trust_new(const char *ca_file, struct tls_trust **out, struct err *err);
void tls_trust_free(struct tls_trust *trust);

struct tls;

/* Shakes hands over the non-blocking socket `fd`, which stays the caller's, until `deadline`
 * (clock_monotonic_ms). The certificate must be a server's, for `host`, a name or an address. On
 * failure err (ERR_PEER) says what was wrong with the certificate or the handshake. `trust` and
 * `host` must outlive the connection. */
int tls_connect(int fd, const char *host, const struct tls_trust *trust, int64_t deadline,
    struct tls **out, struct err *err);
/* Appends "TLS1.3, certificate valid until 2026-11-25". */
void tls_describe(const struct tls *tls, struct buf *out);
/* Says goodbye without waiting for an answer, and frees. */
void tls_free(struct tls *tls);

/* Like recv and send on a non-blocking socket: 0 at the end of the stream; -1 with errno EAGAIN
 * when the caller must wait for tls_wants; -1 with errno EPROTO when TLS broke (tls_failure says
 * how). After EAGAIN a write must be repeated with the same bytes. */
ssize_t tls_read(struct tls *tls, void *data, size_t len);
ssize_t tls_write(struct tls *tls, const void *data, size_t len);
short tls_wants(struct tls *tls); /* POLLIN or POLLOUT */
/* "" where it is no more than a closed connection. */
const char *tls_failure(const struct tls *tls);

#endif
