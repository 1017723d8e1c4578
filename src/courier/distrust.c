#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/clock.h"
#include "base/text.h"
#include "courier/distrust.h"

enum {
	NAMES_SHOWN = 3,
	NAME_SIZE = 256,
	NAME_SHOWN = 64, /* bytes of one name in a text */
	CHAIN_MOST = 16,
	DAY_LEN = sizeof "2026-11-25" - 1,
};

/* What the server showed us. */
struct shown {
	gnutls_x509_crt_t chain[CHAIN_MOST]; /* the first is its own */
	unsigned count;
	const char *host;
};

static void read_chain(struct shown *shown, gnutls_session_t session)
{
	unsigned count = 0;
	const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);
	for (unsigned i = 0; i < count && i < CHAIN_MOST; i++) {
		if (gnutls_x509_crt_init(&shown->chain[i]) != 0)
			break;
		shown->count++;
		if (gnutls_x509_crt_import(shown->chain[i], &peers[i], GNUTLS_X509_FMT_DER) != 0)
			break;
	}
}

static void add_name(struct buf *words, const char *name, size_t len)
{
	text_add_shown(words, view_part((struct view){name, len}, 0, NAME_SHOWN));
}

static void add_alternative(struct buf *words, int type, const char *name, size_t len)
{
	char address[INET6_ADDRSTRLEN] = "an address";
	if (type != GNUTLS_SAN_IPADDRESS) {
		add_name(words, name, len);
		return;
	}
	if (len == sizeof(struct in_addr))
		inet_ntop(AF_INET, name, address, sizeof address);
	else if (len == sizeof(struct in6_addr))
		inet_ntop(AF_INET6, name, address, sizeof address);
	buf_add_text(words, address);
}

static void add_common_name(struct buf *words, gnutls_x509_crt_t certificate)
{
	char name[NAME_SIZE];
	size_t len = sizeof name;
	if (gnutls_x509_crt_get_dn_by_oid(
		certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) == 0)
		add_name(words, name, len);
	else
		buf_add_text(words, "none");
}

static void explain_name(struct buf *words, const struct shown *shown)
{
	unsigned named = 0;
	buf_add_text(words, " (it names ");
	for (unsigned i = 0;; i++) {
		char name[NAME_SIZE];
		size_t len = sizeof name;
		const int type =
		    gnutls_x509_crt_get_subject_alt_name(shown->chain[0], i, name, &len, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS) {
			if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
				break;
			continue;
		}
		if (++named > NAMES_SHOWN) {
			buf_add_text(words, " and more");
			break;
		}
		buf_add_text(words, named > 1 ? ", " : "");
		add_alternative(words, type, name, len);
	}
	if (named == 0)
		add_common_name(words, shown->chain[0]);
	buf_printf(words, ", expected %s)", shown->host);
}

static void explain_issuer(struct buf *words, const struct shown *shown)
{
	char name[NAME_SIZE];
	size_t len = sizeof name;
	const gnutls_x509_crt_t last = shown->chain[shown->count - 1];
	if (gnutls_x509_crt_check_issuer(shown->chain[0], shown->chain[0]) != 0) {
		buf_add_text(words, " (it is self-signed)");
		return;
	}
	if (gnutls_x509_crt_get_issuer_dn(last, name, &len) != 0)
		return;
	buf_add_text(words, " (issued by ");
	add_name(words, name, strnlen(name, len));
	buf_add_text(words, ")");
}

static void add_day(struct buf *words, const char *before, int64_t seconds)
{
	char time[TEXT_TIME_SIZE];
	text_format_time(seconds, time);
	buf_printf(words, " (%s %.*s)", before, (int)DAY_LEN, time);
}

static void explain_expiry(struct buf *words, const struct shown *shown)
{
	for (unsigned i = 0; i < shown->count; i++) {
		const int64_t until = gnutls_x509_crt_get_expiration_time(shown->chain[i]);
		if (until < clock_now()) {
			add_day(words, i == 0 ? "on" : "the one above it on", until);
			return;
		}
	}
}

static void explain_beginning(struct buf *words, const struct shown *shown)
{
	add_day(words, "not before", gnutls_x509_crt_get_activation_time(shown->chain[0]));
}

static const struct {
	unsigned flag;
	const char *words;
	void (*explain)(struct buf *words, const struct shown *shown);
} reasons[] = {
    {GNUTLS_CERT_UNEXPECTED_OWNER, "it is for another name", explain_name},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, "its CA is unknown", explain_issuer},
    {GNUTLS_CERT_SIGNER_NOT_CA, "its signer is no CA", NULL},
    {GNUTLS_CERT_EXPIRED, "it has expired", explain_expiry},
    {GNUTLS_CERT_NOT_ACTIVATED, "it is not valid yet", explain_beginning},
    {GNUTLS_CERT_REVOKED, "it is revoked", NULL},
    {GNUTLS_CERT_INSECURE_ALGORITHM, "it uses a weak algorithm", NULL},
    {GNUTLS_CERT_SIGNATURE_FAILURE, "its signature is wrong", NULL},
    {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "its CA may not issue it", NULL},
    {GNUTLS_CERT_PURPOSE_MISMATCH, "it is not for servers", NULL},
    {GNUTLS_CERT_MISMATCH, "it does not match what was expected", NULL},
    {GNUTLS_CERT_INVALID_OCSP_STATUS, "its OCSP status is wrong", NULL},
    {GNUTLS_CERT_MISSING_OCSP_STATUS, "its OCSP status is missing", NULL},
    {GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "it has unknown critical extensions", NULL},
};

void distrust_certificate(
    struct buf *words, gnutls_session_t session, unsigned status, const char *host)
{
	struct shown shown = {.count = 0, .host = host};
	const size_t before = words->len;
	read_chain(&shown, session);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if ((status & reasons[i].flag) == 0)
			continue;
		buf_printf(words, "%s%s", words->len > before ? ", " : "", reasons[i].words);
		if (reasons[i].explain != NULL && shown.count > 0)
			reasons[i].explain(words, &shown);
	}
	if (words->len == before)
		buf_add_text(words, "it is invalid");
	for (unsigned i = 0; i < shown.count; i++)
		gnutls_x509_crt_deinit(shown.chain[i]);
}

bool distrust_is_closed(int code)
{
	return code == GNUTLS_E_PREMATURE_TERMINATION || code == GNUTLS_E_PULL_ERROR ||
	       code == GNUTLS_E_PUSH_ERROR;
}

void distrust_handshake(struct buf *words, gnutls_session_t session, int code)
{
	const bool alerted = code == GNUTLS_E_FATAL_ALERT_RECEIVED;
	const gnutls_alert_description_t alert = gnutls_alert_get(session);
	if (code == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ||
	    (alerted && alert == GNUTLS_A_PROTOCOL_VERSION))
		buf_add_text(words, "it offers no TLS 1.2 or newer");
	else if (code == GNUTLS_E_UNEXPECTED_PACKET)
		buf_add_text(words, "it answered in plain text");
	else if (distrust_is_closed(code))
		buf_add_text(words, "closed by the server");
	else if (alerted && gnutls_alert_get_name(alert) != NULL)
		buf_printf(words, "%s: %s", gnutls_strerror(code), gnutls_alert_get_name(alert));
	else
		buf_add_text(words, gnutls_strerror(code));
}
