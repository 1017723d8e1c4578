/* Whose certificate is taken, and what is said of one that is not: a table of certificates, each
 * shown by a TLS server at the other end of a socket pair. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "courier/tls.h"
#include "patience.h"

enum { DAY_S = 86400, DEADLINE_MS = 20 * 1000, PATH_SIZE = 64 };

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
};

struct kind {
	const char *common_name;
	int san; /* GNUTLS_SAN_..., -1: none */
	const char *name;
	size_t len;
	int from; /* days from now */
	int until;
	const char *purpose; /* NULL: none is named */
	bool self_signed;
};

static struct identity authority;
static char directory[] = "/tmp/dl.XXXXXX";
static char ca_path[PATH_SIZE];

/* The extension byte by byte, since GnuTLS cuts a name off at its NUL (RFC 5280 section 4.2.1.6).
 */
static void name_it(gnutls_x509_crt_t certificate, const struct kind *kind)
{
	enum { SEQUENCE = 0x30, DNS_NAME = 0x82, IP_ADDRESS = 0x87, SHORT = 127 };
	struct buf der = BUF_EMPTY(SHORT);
	assert_true(kind->len + 2 < SHORT);
	buf_add_char(&der, SEQUENCE);
	buf_add_char(&der, (char)(kind->len + 2));
	buf_add_char(&der, (char)(kind->san == GNUTLS_SAN_DNSNAME ? DNS_NAME : IP_ADDRESS));
	buf_add_char(&der, (char)kind->len);
	buf_add(&der, kind->name, kind->len);
	assert_int_equal(
	    gnutls_x509_crt_set_extension_by_oid(certificate, "2.5.29.17", der.data, der.len, 0),
	    0);
	buf_release(&der);
}

static struct identity make_identity(const struct kind *kind, const struct identity *signer)
{
	static unsigned char serial;
	const time_t now = time(NULL);
	struct identity made;
	serial++;
	gnutls_x509_privkey_init(&made.key);
	gnutls_x509_privkey_generate(
	    made.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&made.certificate);
	gnutls_x509_crt_set_version(made.certificate, 3);
	gnutls_x509_crt_set_serial(made.certificate, &serial, 1);
	gnutls_x509_crt_set_activation_time(made.certificate, now + kind->from * DAY_S);
	gnutls_x509_crt_set_expiration_time(made.certificate, now + kind->until * DAY_S);
	gnutls_x509_crt_set_dn_by_oid(made.certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
	    kind->common_name, (unsigned)strlen(kind->common_name));
	gnutls_x509_crt_set_key(made.certificate, made.key);
	if (signer == NULL && !kind->self_signed)
		gnutls_x509_crt_set_basic_constraints(made.certificate, 1, -1);
	if (kind->san >= 0)
		name_it(made.certificate, kind);
	if (kind->purpose != NULL)
		gnutls_x509_crt_set_key_purpose_oid(made.certificate, kind->purpose, 0);
	const struct identity *by = signer == NULL ? &made : signer;
	assert_int_equal(
	    gnutls_x509_crt_sign2(made.certificate, by->certificate, by->key, GNUTLS_DIG_SHA256, 0),
	    0);
	return made;
}

static void free_identity(struct identity identity)
{
	gnutls_x509_privkey_deinit(identity.key);
	gnutls_x509_crt_deinit(identity.certificate);
}

/* The other side, in a process of its own: one handshake, then one byte. */
static void serve(int fd, struct identity identity)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	int code;
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_certificate_set_x509_key(credentials, &identity.certificate, 1, identity.key);
	gnutls_init(&session, GNUTLS_SERVER);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	do
		code = gnutls_handshake(session);
	while (code < 0 && gnutls_error_is_fatal(code) == 0);
	_exit(0);
}

/* "" when the server was trusted, else why not. */
static void connect_to(const struct kind *kind, const char *host, char text[static ERR_TEXT_SIZE])
{
	const struct identity identity = make_identity(kind, kind->self_signed ? NULL : &authority);
	struct tls_trust *trust = NULL;
	struct tls *tls = NULL;
	struct err err;
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	const pid_t server = fork();
	if (server == 0) {
		close(ends[0]);
		serve(ends[1], identity);
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(tls_trust_new(ca_path, &trust, &err), 0);
	text[0] = '\0';
	if (tls_connect(ends[0], host, trust, clock_monotonic_ms() + patient(DEADLINE_MS), &tls, &err) != 0)
		snprintf(text, ERR_TEXT_SIZE, "%s", err.text);
	tls_free(tls);
	tls_trust_free(trust);
	close(ends[0]);
	waitpid(server, NULL, 0);
	free_identity(identity);
}

static void expect_trusted(const struct kind *kind, const char *host)
{
	char text[ERR_TEXT_SIZE];
	connect_to(kind, host, text);
	if (text[0] != '\0')
		fail_msg("%s: %s", host, text);
}

static void expect_refused(const struct kind *kind, const char *host, const char *words)
{
	char text[ERR_TEXT_SIZE];
	connect_to(kind, host, text);
	if (strstr(text, words) == NULL || strstr(text, "is not trusted: ") == NULL)
		fail_msg("%s: wanted \"%s\", not \"%s\"", host, words, text);
}

#define FINE .from = -1, .until = 30
#define DNS(text) .san = GNUTLS_SAN_DNSNAME, .name = (text), .len = sizeof(text) - 1
#define ADDRESS(bytes) .san = GNUTLS_SAN_IPADDRESS, .name = (bytes), .len = sizeof(bytes) - 1

static void name_that_was_asked_for_is_trusted(void **state)
{
	const struct kind kind = {.common_name = "x", DNS("mail.a.example"), FINE};
	const struct kind purpose = {
	    .common_name = "x", DNS("mail.a.example"), FINE, .purpose = GNUTLS_KP_TLS_WWW_SERVER};
	(void)state;
	expect_trusted(&kind, "mail.a.example");
	expect_trusted(&kind, "MAIL.A.example");
	expect_trusted(&purpose, "mail.a.example");
	expect_refused(&kind, "mail.b.example",
	    "it is for another name (it names mail.a.example, expected mail.b.example)");
	expect_refused(&kind, "a.example", "expected a.example");
	expect_refused(&kind, "mail.a.example.b", "it is for another name");
}

static void wildcard_stands_for_one_label(void **state)
{
	const struct kind kind = {.common_name = "x", DNS("*.a.example"), FINE};
	const struct kind top = {.common_name = "x", DNS("*.example"), FINE};
	const struct kind all = {.common_name = "x", DNS("*"), FINE};
	(void)state;
	expect_trusted(&kind, "mail.a.example");
	expect_refused(&kind, "a.example", "(it names *.a.example, expected a.example)");
	expect_refused(&kind, "mail.relay.a.example", "it is for another name");
	expect_refused(&top, "a.example", "it is for another name");
	expect_refused(&all, "localhost", "it is for another name");
}

static void name_with_nul_is_no_name(void **state)
{
	const struct kind san = {.common_name = "x", DNS("mail.a.example\0.evil.example"), FINE};
	(void)state;
	expect_refused(&san, "mail.a.example", "it is for another name");
}

static void address_counts_only_as_address(void **state)
{
	const struct kind here = {.common_name = "x", ADDRESS("\x7f\0\0\1"), FINE};
	const struct kind six = {
	    .common_name = "x", ADDRESS("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), FINE};
	const struct kind other = {.common_name = "x", ADDRESS("\x7f\0\0\2"), FINE};
	const struct kind words = {.common_name = "x", DNS("127.0.0.1"), FINE};
	(void)state;
	expect_trusted(&here, "127.0.0.1");
	expect_trusted(&six, "::1");
	expect_refused(&other, "127.0.0.1", "(it names 127.0.0.2, expected 127.0.0.1)");
	expect_refused(&here, "localhost", "(it names 127.0.0.1, expected localhost)");
	expect_refused(&words, "127.0.0.1", "it is for another name");
}

static void dates_are_told(void **state)
{
	const struct kind over = {
	    .common_name = "x", DNS("mail.a.example"), .from = -9, .until = -2};
	const struct kind early = {
	    .common_name = "x", DNS("mail.a.example"), .from = 2, .until = 30};
	char day[TEXT_TIME_SIZE];
	char words[ERR_TEXT_SIZE];
	(void)state;
	text_format_time(clock_now() - 2 * DAY_S, day);
	snprintf(words, sizeof words, "it has expired (on %.10s)", day);
	expect_refused(&over, "mail.a.example", words);
	text_format_time(clock_now() + 2 * DAY_S, day);
	snprintf(words, sizeof words, "it is not valid yet (not before %.10s)", day);
	expect_refused(&early, "mail.a.example", words);
}

static void unknown_issuer_is_named(void **state)
{
	const struct kind self = {
	    .common_name = "x", DNS("mail.a.example"), FINE, .self_signed = true};
	const struct kind kind = {.common_name = "x", DNS("mail.a.example"), FINE};
	const struct kind strange = {.common_name = "Strange\x1b CA", .san = -1, FINE};
	const struct identity ours = authority;
	(void)state;
	expect_refused(&self, "mail.a.example", "its CA is unknown (it is self-signed)");
	authority = make_identity(&strange, NULL);
	expect_refused(&kind, "mail.a.example", "its CA is unknown (issued by CN=Strange");
	free_identity(authority);
	authority = ours;
}

static void certificate_of_a_client_is_none_of_a_server(void **state)
{
	const struct kind kind = {
	    .common_name = "x", DNS("mail.a.example"), FINE, .purpose = GNUTLS_KP_TLS_WWW_CLIENT};
	(void)state;
	expect_refused(&kind, "mail.a.example", "it is not for servers");
}

static void all_that_is_wrong_is_told(void **state)
{
	const struct kind kind = {.common_name = "x",
	    DNS("mail.b.example"),
	    .from = -9,
	    .until = -2,
	    .self_signed = true};
	char text[ERR_TEXT_SIZE];
	(void)state;
	connect_to(&kind, "mail.a.example", text);
	assert_non_null(strstr(text, "it names mail.b.example, expected mail.a.example"));
	assert_non_null(strstr(text, "it is self-signed"));
}

static void names_of_a_stranger_are_shown_safely(void **state)
{
	const struct kind kind = {.common_name = "evil\x1b[2J\nDEW-1: sent", .san = -1, FINE};
	char text[ERR_TEXT_SIZE];
	(void)state;
	connect_to(&kind, "mail.a.example", text);
	assert_non_null(strstr(text, "it names evil"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\n'));
}

static int setup(void **state)
{
	const struct kind kind = {.common_name = "Test CA", .san = -1, FINE};
	gnutls_datum_t pem;
	struct err err;
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(ca_path, sizeof ca_path, "%s/ca.pem", directory);
	authority = make_identity(&kind, NULL);
	gnutls_x509_crt_export2(authority.certificate, GNUTLS_X509_FMT_PEM, &pem);
	const int result =
	    file_write(ca_path, (struct view){(const char *)pem.data, pem.size}, 0600, &err);
	gnutls_free(pem.data);
	return result;
}

static int teardown(void **state)
{
	struct err err;
	(void)state;
	free_identity(authority);
	return file_remove_tree(directory, &err);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name_that_was_asked_for_is_trusted),
	    cmocka_unit_test(wildcard_stands_for_one_label),
	    cmocka_unit_test(name_with_nul_is_no_name),
	    cmocka_unit_test(address_counts_only_as_address),
	    cmocka_unit_test(dates_are_told),
	    cmocka_unit_test(unknown_issuer_is_named),
	    cmocka_unit_test(certificate_of_a_client_is_none_of_a_server),
	    cmocka_unit_test(all_that_is_wrong_is_told),
	    cmocka_unit_test(names_of_a_stranger_are_shown_safely),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_names", tests, setup, teardown);
}
