#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/text.h"
#include "courier/distrust.h"
#include "courier/socket.h"
#include "courier/tls.h"

struct tls_trust {
	gnutls_certificate_credentials_t credentials;
};

enum { EXPECTED_NAME, EXPECTED_PURPOSE, EXPECTED };

struct tls {
	gnutls_session_t session;
	gnutls_typed_vdata_st expected[EXPECTED]; /* GnuTLS reads it when it verifies */
	int failure; /* of the last read or write */
};

static const char tls_priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

int tls_trust_new(const char *ca_file, struct tls_trust **out, struct err *err)
{
	struct tls_trust *trust = calloc(1, sizeof *trust);
	if (trust == NULL || gnutls_certificate_allocate_credentials(&trust->credentials) != 0)
		abort();
	const int count = ca_file[0] == '\0'
			      ? gnutls_certificate_set_x509_system_trust(trust->credentials)
			      : gnutls_certificate_set_x509_trust_file(
				    trust->credentials, ca_file, GNUTLS_X509_FMT_PEM);
	if (count > 0) {
		*out = trust;
		return 0;
	}
	tls_trust_free(trust);
	return err_set(err, ERR_DAEMON, ERR_LATER, "no CA certificate in %s: %s",
	    ca_file[0] == '\0' ? "the system's trust store" : ca_file,
	    count == 0 ? "it is empty" : gnutls_strerror(count));
}

void tls_trust_free(struct tls_trust *trust)
{
	if (trust == NULL)
		return;
	gnutls_certificate_free_credentials(trust->credentials);
	free(trust);
}

static int explain_handshake(gnutls_session_t session, int code, const char *host, struct err *err)
{
	struct buf words = BUF_EMPTY(BUF_SMALL);
	if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
		distrust_certificate(
		    &words, session, gnutls_session_get_verify_cert_status(session), host);
		err_set(err, ERR_PEER, ERR_LATER, "the certificate of %s is not trusted: %s", host,
		    buf_text(&words));
	} else {
		distrust_handshake(&words, session, code);
		err_set(err, ERR_PEER, ERR_LATER, "TLS handshake with %s failed: %s", host,
		    buf_text(&words));
	}
	buf_release(&words);
	return -1;
}

static bool is_address_literal(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The certificate of a server, by the name or address `host`. */
static void expect_server(struct tls *tls, const char *host)
{
	gnutls_typed_vdata_st *name = &tls->expected[EXPECTED_NAME];
	gnutls_typed_vdata_st *purpose = &tls->expected[EXPECTED_PURPOSE];
	name->type = GNUTLS_DT_DNS_HOSTNAME;
	name->data = (unsigned char *)(uintptr_t)host;
	purpose->type = GNUTLS_DT_KEY_PURPOSE_OID;
	purpose->data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_session_set_verify_cert2(tls->session, tls->expected, EXPECTED, 0);
}

static int tls_init(int fd, const char *host, const struct tls_trust *trust, struct tls **out)
{
	struct tls *tls = calloc(1, sizeof *tls);
	if (tls == NULL)
		abort();
	*out = tls;
	int code = gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (code == 0)
		code = gnutls_priority_set_direct(tls->session, tls_priority, NULL);
	if (code == 0)
		code = gnutls_credentials_set(
		    tls->session, GNUTLS_CRD_CERTIFICATE, trust->credentials);
	/* An address is never sent as server name (RFC 6066 section 3). */
	if (code == 0 && !is_address_literal(host))
		code = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, host, strlen(host));
	if (code == 0) {
		expect_server(tls, host);
		gnutls_transport_set_int(tls->session, fd);
		gnutls_handshake_set_timeout(tls->session, GNUTLS_INDEFINITE_TIMEOUT);
	}
	return code;
}

int tls_connect(int fd, const char *host, const struct tls_trust *trust, int64_t deadline,
    struct tls **out, struct err *err)
{
	struct tls *tls = NULL;
	int result = 0;
	int code = tls_init(fd, host, trust, &tls);
	if (code != 0) {
		result = explain_handshake(tls->session, code, host, err);
		goto done;
	}
	while ((code = gnutls_handshake(tls->session)) != 0) {
		if (gnutls_error_is_fatal(code)) {
			result = explain_handshake(tls->session, code, host, err);
			goto done;
		}
		if (code == GNUTLS_E_AGAIN && !socket_wait(fd, tls_wants(tls), deadline)) {
			result = err_set(
			    err, ERR_PEER, ERR_LATER, "TLS handshake with %s timed out", host);
			goto done;
		}
	}
	*out = tls;
	tls = NULL;
done:
	tls_free(tls);
	return result;
}

void tls_describe(const struct tls *tls, struct buf *out)
{
	enum { DAY_LEN = sizeof "2026-11-25" - 1 };
	char until[TEXT_TIME_SIZE];
	text_format_time(gnutls_certificate_expiration_time_peers(tls->session), until);
	buf_printf(out, "%s, certificate valid until %.*s",
	    gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session)), (int)DAY_LEN,
	    until);
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->session != NULL) {
		gnutls_bye(tls->session, GNUTLS_SHUT_WR);
		gnutls_deinit(tls->session);
	}
	free(tls);
}

static ssize_t tls_result(struct tls *tls, ssize_t result)
{
	if (result >= 0)
		return result;
	tls->failure = (int)result;
	errno = gnutls_error_is_fatal((int)result) ? EPROTO : EAGAIN;
	return -1;
}

ssize_t tls_read(struct tls *tls, void *data, size_t len)
{
	return tls_result(tls, gnutls_record_recv(tls->session, data, len));
}

ssize_t tls_write(struct tls *tls, const void *data, size_t len)
{
	return tls_result(tls, gnutls_record_send(tls->session, data, len));
}

short tls_wants(struct tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 0 ? POLLIN : POLLOUT;
}

const char *tls_failure(const struct tls *tls)
{
	return distrust_is_closed(tls->failure) ? "" : gnutls_strerror(tls->failure);
}
