#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "bench/certificates.h"

/* GnuPG slows down with the keys of a home, so that many are made in several. */
enum { KEYS_A_HOME = CERTIFICATES_GENERATED / 20 };

static const char KEYRING[] = "/usr/share/keyrings/debian-keyring.gpg";
#define CONTENT_MAX ((size_t)256 * 1024 * 1024)

struct reading {
	struct certificates *out;
	size_t most;
	bool full;
};

static int take_verdict(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct reading *reading = context;
	struct certificates *out = reading->out;
	if (verdict->reason[0] != '\0')
		return 0;
	if (out->count == reading->most) {
		reading->full = true;
		return err_set(err, ERR_MESSAGE, ERR_NEVER, "that is enough");
	}
	struct bench_certificate *certificate = &out->list[out->count++];
	certificate->facts = verdict->facts;
	certificate->minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	buf_add_view(&certificate->minimal, verdict->minimal);
	return 0;
}

void certificates_admit(
    const struct bench *bench, const char *path, size_t most, struct certificates *out)
{
	struct buf content = BUF_EMPTY(CONTENT_MAX);
	struct reading reading = {.out = out, .most = most};
	struct err err;
	out->count = 0;
	out->list = calloc(most, sizeof *out->list);
	if (out->list == NULL)
		abort();
	must(file_read(path, &content, &err), &err);
	if (certificate_read(buf_view(&content), clock_now(), bench->scratch, NULL, take_verdict,
		&reading, NULL, &err) != 0 &&
	    !reading.full)
		give_up("%s: %s", path, err.text);
	buf_release(&content);
}

static void keep(const char *path, const struct certificates *certificates)
{
	struct buf content = BUF_EMPTY(CONTENT_MAX);
	struct err err;
	for (size_t i = 0; i < certificates->count; i++)
		buf_add_view(&content, buf_view(&certificates->list[i].minimal));
	must(file_write(path, buf_view(&content), 0600, &err), &err);
	buf_release(&content);
}

void certificates_real(const struct bench *bench, size_t most, struct certificates *out)
{
	char path[BENCH_PATH_SIZE + 64];
	char keyring[PATH_MAX]; /* the name is a link on Debian 13, and file_read follows none */
	snprintf(path, sizeof path, "%s/real.pgp", bench->cache);
	*out = (struct certificates){.count = 0};
	if (realpath(KEYRING, keyring) == NULL) {
		note("package debian-keyring is not installed: made keys alone are measured");
		return;
	}
	const double begin = seconds_now();
	const bool kept = access(path, R_OK) == 0;
	certificates_admit(bench, kept ? path : keyring, most, out);
	if (!kept)
		keep(path, out);
	note("%zu certificates of %s admitted in %.1f s", out->count, kept ? path : keyring,
	    seconds_now() - begin);
}

static void write_parameters(const char *path, size_t from, size_t count)
{
	struct buf text = BUF_EMPTY((size_t)1024 * 1024);
	struct err err;
	buf_add_text(&text, "%no-protection\n%transient-key\n");
	for (size_t i = 0; i < count; i++)
		buf_printf(&text,
		    "Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: cert,sign\n"
		    "Subkey-Type: ecdh\nSubkey-Curve: cv25519\nSubkey-Usage: encrypt\n"
		    "Name-Real: Official %zu\nName-Email: official-%zu@example.org\n"
		    "Expire-Date: 0\n%%commit\n",
		    from + i, from + i);
	must(file_write(path, buf_view(&text), 0600, &err), &err);
	buf_release(&text);
}

/* Makes keys in a home of their own and appends their certificates. */
static void generate_some(const struct bench *bench, size_t from, size_t count, struct buf *content)
{
	char home[BENCH_PATH_SIZE + 16];
	char parameters[BENCH_PATH_SIZE + 16];
	char result[BENCH_PATH_SIZE + 16];
	struct err err;
	snprintf(home, sizeof home, "%s/keys", bench->scratch);
	snprintf(parameters, sizeof parameters, "%s/parameters", bench->scratch);
	snprintf(result, sizeof result, "%s/keys.pgp", bench->scratch);
	must(file_make_dir(home, 0700, &err), &err);
	write_parameters(parameters, from, count);
	char *const make[] = {"gpg", "--homedir", home, "--batch", "--quiet", "--trust-model",
	    "always", "--no-auto-check-trustdb", "--generate-key", parameters, NULL};
	char *const export[] = {"gpg", "--homedir", home, "--batch", "--quiet", "--yes",
	    "--export-options", "export-minimal", "--output", result, "--export", NULL};
	char *const end[] = {"gpgconf", "--homedir", home, "--kill", "gpg-agent", NULL};
	const bool made = child_run(make) && child_run(export);
	child_run(end);
	if (!made)
		give_up("gpg cannot make keys");
	must(file_read(result, content, &err), &err);
	must(file_remove_tree(home, &err), &err);
	unlink(parameters);
	unlink(result);
}

static void generate(const struct bench *bench, const char *path)
{
	struct buf content = BUF_EMPTY(CONTENT_MAX);
	const double begin = seconds_now();
	struct err err;
	for (size_t at = 0; at < CERTIFICATES_GENERATED; at += KEYS_A_HOME)
		generate_some(bench, at, KEYS_A_HOME, &content);
	must(file_write(path, buf_view(&content), 0600, &err), &err);
	buf_release(&content);
	note("%d certificates generated in %.1f s, kept in %s", CERTIFICATES_GENERATED,
	    seconds_now() - begin, path);
}

void certificates_generated(const struct bench *bench, size_t count, struct certificates *out)
{
	char path[BENCH_PATH_SIZE + 64];
	snprintf(path, sizeof path, "%s/generated.pgp", bench->cache);
	if (access(path, R_OK) != 0)
		generate(bench, path);
	const double begin = seconds_now();
	certificates_admit(bench, path, count, out);
	if (out->count != count)
		give_up("%s holds %zu usable certificates and not %zu", path, out->count, count);
	note("%zu generated certificates admitted in %.1f s", count, seconds_now() - begin);
}

void certificates_release(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		buf_release(&certificates->list[i].minimal);
	free(certificates->list);
	*certificates = (struct certificates){.count = 0};
}
