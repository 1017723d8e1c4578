#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/text.h"
#include "unit/courier_fixture.h"

enum {
	PATHS = 64,
	ARGUMENTS_MAX = 32,
	WAIT_TRIES = 1000,
	WAIT_US = 5000,
	DAY_S = 86400,
	PEM_MAX = 64 * 1024
};

static char directory[] = "/tmp/dl.XXXXXX";
static pid_t smarthost;

const char *peer_path(const char *name)
{
	/* One place for each name: a path stays valid, however often another is asked for. */
	static char paths[PATHS][PEER_PATH_SIZE];
	char path[PEER_PATH_SIZE];
	size_t i = 0;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	while (i < PATHS && paths[i][0] != '\0' && strcmp(paths[i], path) != 0)
		i++;
	assert_true(i < PATHS);
	return strcpy(paths[i], path);
}

void peer_write(const char *name, struct view content)
{
	struct err err;
	if (file_write(peer_path(name), content, 0600, &err) != 0)
		fail_msg("%s", err.text);
}

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
};

static void write_pem(const char *name, const char *suffix, gnutls_datum_t *pem)
{
	char file[64];
	snprintf(file, sizeof file, "%s.%s", name, suffix);
	peer_write(file, (struct view){(const char *)pem->data, pem->size});
	gnutls_free(pem->data);
}

/* A certificate for host, valid from yesterday until so many days from now. */
static struct identity make_identity(
    const char *name, const char *host, const struct identity *signer, int days)
{
	struct identity made;
	gnutls_datum_t pem;
	static unsigned char serial;
	const time_t now = time(NULL);
	serial++;
	gnutls_x509_privkey_init(&made.key);
	gnutls_x509_privkey_generate(
	    made.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&made.certificate);
	gnutls_x509_crt_set_version(made.certificate, 3);
	gnutls_x509_crt_set_serial(made.certificate, &serial, 1);
	gnutls_x509_crt_set_activation_time(made.certificate, now - 2 * DAY_S);
	gnutls_x509_crt_set_expiration_time(made.certificate, now + days * DAY_S);
	gnutls_x509_crt_set_dn(made.certificate, host, NULL);
	gnutls_x509_crt_set_key(made.certificate, made.key);
	if (signer == NULL)
		gnutls_x509_crt_set_basic_constraints(made.certificate, 1, -1);
	else
		gnutls_x509_crt_set_subject_alt_name(made.certificate, GNUTLS_SAN_DNSNAME, host + 3,
		    (unsigned)strlen(host + 3), GNUTLS_FSAN_SET);
	if (gnutls_x509_crt_sign2(made.certificate,
		signer == NULL ? made.certificate : signer->certificate,
		signer == NULL ? made.key : signer->key, GNUTLS_DIG_SHA256, 0) != 0)
		abort();
	gnutls_x509_crt_export2(made.certificate, GNUTLS_X509_FMT_PEM, &pem);
	write_pem(name, "pem", &pem);
	gnutls_x509_privkey_export2(made.key, GNUTLS_X509_FMT_PEM, &pem);
	write_pem(name, "key", &pem);
	return made;
}

static void free_identity(struct identity identity)
{
	gnutls_x509_crt_deinit(identity.certificate);
	gnutls_x509_privkey_deinit(identity.key);
}

int peer_group_setup(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	const struct identity ca = make_identity("ca", "CN=Test CA", NULL, 30);
	const struct identity strange = make_identity("strange-ca", "CN=Strange CA", NULL, 30);
	free_identity(make_identity("good", "CN=localhost", &ca, 30));
	free_identity(make_identity("other", "CN=mail.other.example", &ca, 30));
	free_identity(make_identity("expired", "CN=localhost", &ca, -1));
	free_identity(make_identity("stranger", "CN=localhost", &strange, 30));
	free_identity(ca);
	free_identity(strange);
	return 0;
}

int peer_group_teardown(void **state)
{
	struct err err;
	(void)state;
	return file_remove_tree(directory, &err);
}

/* The smarthost was built beside this test. */
static void find_smarthost(char *out, size_t size)
{
	const ssize_t len = readlink("/proc/self/exe", out, size - sizeof "/smarthost");
	if (len < 0)
		abort();
	out[len] = '\0';
	snprintf(strrchr(out, '/'), sizeof "/smarthost", "/smarthost");
}

static void run_smarthost(const char *const options[])
{
	char program[4096];
	const char *arguments[ARGUMENTS_MAX] = {"smarthost", "--port-file", peer_path("port"),
	    "--store", peer_path("store"), "--script", peer_path("script"), "--log",
	    peer_path("log")};
	size_t count = 9;
	for (; *options != NULL && count < ARGUMENTS_MAX - 1; options++)
		arguments[count++] = *options;
	find_smarthost(program, sizeof program);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fclose(stdout);
	execv(program, (char *const *)(uintptr_t)arguments);
	perror(program);
	_exit(127);
}

static int64_t wait_for_port(void)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct err err;
	int64_t port = 0;
	for (int i = 0; i < WAIT_TRIES && port == 0; i++) {
		buf_clear(&text);
		if (file_read(peer_path("port"), &text, &err) == 0)
			text_number(view_trim(buf_view(&text)), 1, 65535, &port);
		else
			usleep(WAIT_US);
	}
	buf_release(&text);
	assert_int_not_equal(port, 0);
	return port;
}

void peer_start(struct config *config, enum config_tls tls, const char *const options[])
{
	struct err err;
	unlink(peer_path("port"));
	unlink(peer_path("log"));
	assert_int_equal(file_remove_tree(peer_path("store"), &err), 0);
	assert_int_equal(file_make_dir(peer_path("store"), 0700, &err), 0);
	peer_script("");
	smarthost = fork();
	if (smarthost == 0)
		run_smarthost(options);
	memset(config, 0, sizeof *config);
	strcpy(config->smarthost.host, "localhost");
	strcpy(config->smarthost.helo, "gateway.example");
	strcpy(config->smarthost.ca_file, peer_path("ca.pem"));
	config->smarthost.tls = tls;
	config->smarthost.port = wait_for_port();
}

void peer_stop(void)
{
	if (smarthost <= 0)
		return;
	kill(smarthost, SIGTERM);
	waitpid(smarthost, NULL, 0);
	smarthost = 0;
}

int peer_teardown(void **state)
{
	(void)state;
	peer_stop();
	return 0;
}

void peer_script(const char *rules)
{
	peer_write("script", view_of(rules));
}

/* Valid until the next call: there may be many. */
static const char *message_path(size_t number)
{
	static char path[PEER_PATH_SIZE];
	snprintf(path, sizeof path, "%s/%06zu.eml", peer_path("store"), number);
	return path;
}

size_t peer_count(void)
{
	size_t count = 0;
	while (access(message_path(count + 1), F_OK) == 0)
		count++;
	return count;
}

void peer_read(size_t number, struct buf *out)
{
	struct err err;
	if (file_read(message_path(number), out, &err) != 0)
		fail_msg("%s", err.text);
}

void peer_log(struct buf *out)
{
	struct err err;
	if (file_read(peer_path("log"), out, &err) != 0)
		fail_msg("%s", err.text);
}

size_t peer_said(const char *text)
{
	struct buf log = BUF_EMPTY(PEM_MAX);
	size_t count = 0;
	peer_log(&log);
	struct view rest = buf_view(&log);
	for (size_t at; (at = view_find(rest, view_of(text))) != SIZE_MAX; count++)
		rest = view_part(rest, at + strlen(text), rest.len);
	buf_release(&log);
	return count;
}
