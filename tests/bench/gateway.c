#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "pgp/home.h"
#include "store/certificates.h"
#include "store/people.h"
#include "bench/gateway.h"

enum { SHARD = 300, READY_S = 30 };

static const char PUBLISHER[] = "publisher@example.org";

static void in_dir(
    const struct gateway *gateway, const char *name, char out[static GATEWAY_FILE_SIZE])
{
	if (snprintf(out, GATEWAY_FILE_SIZE, "%s/%s", gateway->dir, name) >= GATEWAY_FILE_SIZE)
		give_up("too long a path: %s", name);
}

static void write_configuration(const struct gateway *gateway, int64_t smarthost_port)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct err err;
	buf_printf(&text,
	    "state = \"%s/state\";\ndrop = \"%s/drop\";\nlog_level = \"warning\";\n"
	    "gateway: { name = \"Bench\"; prefix = \"DEW\"; address = \"gateway@example.org\";\n"
	    "  list = \"officials@example.org\"; return_path = \"bounce@example.org\"; };\n"
	    "smarthost: { host = \"127.0.0.1\"; port = %lld; tls = \"none\"; };\n",
	    gateway->dir, gateway->dir, (long long)smarthost_port);
	must(file_write(gateway->configuration, buf_view(&text), 0600, &err), &err);
	buf_release(&text);
}

static void initialise(const struct bench *bench, struct gateway *gateway)
{
	char dewctl[BENCH_PATH_SIZE + 8];
	snprintf(dewctl, sizeof dewctl, "%s/dewctl", bench->build);
	char *const argv[] = {dewctl, "-c", gateway->configuration, "init", NULL};
	if (!child_run(argv))
		give_up("dewctl init failed");
}

/* The publisher's home: a key of its own, and the gateway's certificate. */
static void make_publisher(struct gateway *gateway, const char *certificate_file)
{
	char user_id[] = "Publisher <publisher@example.org>";
	char gateway_file[GATEWAY_FILE_SIZE];
	char gnupg[GATEWAY_FILE_SIZE];
	struct home home;
	struct buf certificate = BUF_EMPTY(BUF_SMALL);
	struct err err;
	in_dir(gateway, "gateway.asc", gateway_file);
	in_dir(gateway, "state/gnupg", gnupg);
	must(home_open(gnupg, &home, &err), &err);
	must(home_export_key(&home, true, &certificate, &err), &err);
	must(file_write(gateway_file, buf_view(&certificate), 0600, &err), &err);
	buf_release(&certificate);
	snprintf(gateway->fingerprint, sizeof gateway->fingerprint, "%s", home.gateway);
	must(file_make_dir(gateway->publisher, 0700, &err), &err);
	char file[GATEWAY_FILE_SIZE];
	snprintf(file, sizeof file, "%s", certificate_file);
	char *const make[] = {"gpg", "--homedir", gateway->publisher, "--batch", "--quiet",
	    "--passphrase", "", "--quick-generate-key", user_id, "future-default", "default",
	    "never", NULL};
	char *const import[] = {"gpg", "--homedir", gateway->publisher, "--batch", "--quiet",
	    "--import", gateway_file, NULL};
	char *const export[] = {"gpg", "--homedir", gateway->publisher, "--batch", "--quiet",
	    "--output", file, "--export", user_id, NULL};
	if (!child_run(make) || !child_run(import) || !child_run(export))
		give_up("gpg cannot make a publisher");
}

static void put_certificate(struct store *store, const struct bench_certificate *certificate)
{
	char clash[FINGERPRINT_SIZE];
	bool is_new;
	bool moved;
	struct err err;
	must(store_certificate_put(store, &certificate->facts, buf_view(&certificate->minimal),
		 SHARD, &is_new, clash, &err),
	    &err);
	if (clash[0] != '\0')
		return; /* another's key ID: this one takes no part */
	must(store_certificate_move(store, certificate->facts.fingerprint, "confirm", &moved, &err),
	    &err);
}

static void add_member(
    struct store *store, size_t number, const struct bench_certificate *certificate)
{
	struct member member = {.kind = "national", .state = "active", .added_at = clock_now()};
	struct contact contact = {.clearance = "RED", .rank = 1, .added_at = clock_now()};
	bool added;
	struct err err;
	snprintf(member.id, sizeof member.id, "m%zu", number);
	snprintf(member.name, sizeof member.name, "Member %zu", number);
	snprintf(contact.member, sizeof contact.member, "%s", member.id);
	snprintf(contact.address, sizeof contact.address, "official-%zu@example.org", number);
	snprintf(
	    contact.fingerprint, sizeof contact.fingerprint, "%s", certificate->facts.fingerprint);
	put_certificate(store, certificate);
	must(store_member_add(store, &member, &added, &err), &err);
	must(store_contact_add(store, &contact, &added, &err), &err);
}

static void add_publisher(struct store *store, const struct bench_certificate *certificate)
{
	struct publisher publisher = {.name = "Publisher", .added_at = clock_now()};
	bool added;
	struct err err;
	snprintf(publisher.address, sizeof publisher.address, "%s", PUBLISHER);
	snprintf(publisher.fingerprint, sizeof publisher.fingerprint, "%s",
	    certificate->facts.fingerprint);
	put_certificate(store, certificate);
	must(store_publisher_add(store, &publisher, &added, &err), &err);
}

/* Not through dewctl: a thousand runs of it would take longer than all that is measured. */
static void add_people(struct gateway *gateway, const struct certificates *officials,
    const struct certificates *publisher)
{
	char path[GATEWAY_FILE_SIZE];
	struct err err;
	in_dir(gateway, "state/store.db", path);
	must(store_open(path, &gateway->store, &err), &err);
	must(store_begin(gateway->store, &err), &err);
	add_publisher(gateway->store, &publisher->list[0]);
	for (size_t i = 0; i < officials->count; i++)
		add_member(gateway->store, i, &officials->list[i]);
	must(store_commit(gateway->store, &err), &err);
}

void gateway_make(const struct bench *bench, int64_t smarthost_port,
    const struct certificates *certificates, struct gateway *gateway)
{
	char file[GATEWAY_FILE_SIZE];
	struct certificates publisher;
	struct err err;
	*gateway = (struct gateway){.daemon = -1};
	snprintf(gateway->dir, sizeof gateway->dir, "%s/gw", bench->scratch);
	in_dir(gateway, "dewline.cfg", gateway->configuration);
	in_dir(gateway, "pub", gateway->publisher);
	in_dir(gateway, "publisher.pgp", file);
	must(file_make_dir(gateway->dir, 0700, &err), &err);
	write_configuration(gateway, smarthost_port);
	initialise(bench, gateway);
	make_publisher(gateway, file);
	certificates_admit(bench, file, 1, &publisher);
	if (publisher.count != 1)
		give_up("the publisher's certificate is not admitted");
	add_people(gateway, certificates, &publisher);
	certificates_release(&publisher);
}

/* The daemon says READY=1 as to systemd. */
static int listen_for_ready(const struct gateway *gateway)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = READY_S};
	char path[GATEWAY_FILE_SIZE];
	in_dir(gateway, "notify", path);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !view_copy(view_of(path), where.sun_path, sizeof where.sun_path) ||
	    bind(fd, (const struct sockaddr *)&where, sizeof where) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
		give_up("cannot listen on %s: %s", path, strerror(errno));
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

void gateway_start(const struct bench *bench, struct gateway *gateway)
{
	char dewlined[BENCH_PATH_SIZE + 16];
	char said[256];
	ssize_t len;
	const int ready = listen_for_ready(gateway);
	snprintf(dewlined, sizeof dewlined, "%s/dewlined", bench->build);
	char *const argv[] = {dewlined, "-c", gateway->configuration, NULL};
	gateway->daemon = child_start(argv, NULL);
	unsetenv("NOTIFY_SOCKET");
	do {
		len = recv(ready, said, sizeof said - 1, 0);
		if (len < 0)
			give_up("dewlined is not ready within %d s", READY_S);
		said[len] = '\0';
	} while (strstr(said, "READY=1") == NULL);
	close(ready);
}

static void add_encrypted_mail(struct buf *mail, struct view armored)
{
	struct view line;
	buf_add_text(mail,
	    "From: publisher@example.org\r\nTo: gateway@example.org\r\nSubject: ...\r\n"
	    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/encrypted; boundary=\"=_b\";\r\n"
	    " protocol=\"application/pgp-encrypted\"\r\n\r\n"
	    "--=_b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
	    "--=_b\r\nContent-Type: application/octet-stream\r\n\r\n");
	while (view_next_line(&armored, &line)) {
		buf_add_view(mail, line);
		buf_add_text(mail, "\r\n");
	}
	buf_add_text(mail, "\r\n--=_b--\r\n");
}

static void encrypt(const struct gateway *gateway, struct view plaintext, struct buf *armored)
{
	char from[GATEWAY_FILE_SIZE];
	char to[GATEWAY_FILE_SIZE];
	char home[GATEWAY_FILE_SIZE];
	char recipient[FINGERPRINT_SIZE];
	struct err err;
	in_dir(gateway, "plain", from);
	in_dir(gateway, "cipher.asc", to);
	in_dir(gateway, "pub", home);
	snprintf(recipient, sizeof recipient, "%s", gateway->fingerprint);
	must(file_write(from, plaintext, 0600, &err), &err);
	char *const argv[] = {"gpg", "--homedir", home, "--batch", "--quiet", "--yes", "--armor",
	    "--trust-model", "always", "--recipient", recipient, "--output", to, "--sign",
	    "--encrypt", from, NULL};
	if (!child_run(argv))
		give_up("gpg cannot sign and encrypt");
	must(file_read(to, armored, &err), &err);
}

static void drop_path(const struct gateway *gateway, const char *part, const char *name,
    char out[static GATEWAY_FILE_SIZE])
{
	char path[GATEWAY_FILE_SIZE];
	snprintf(path, sizeof path, "drop/%s/%s", part, name);
	in_dir(gateway, path, out);
}

void gateway_write_mail(
    const struct gateway *gateway, const char *title, struct view text, const char *name)
{
	char path[GATEWAY_FILE_SIZE];
	struct buf entity = BUF_EMPTY(BUF_SMALL);
	struct buf armored = BUF_EMPTY(BUF_SMALL);
	struct buf mail = BUF_EMPTY(2 * BUF_SMALL);
	struct err err;
	buf_printf(&entity,
	    "Subject: %s\r\n"
	    "Content-Type: text/plain; charset=utf-8; protected-headers=\"v1\"\r\n\r\n",
	    title);
	buf_add_view(&entity, text);
	encrypt(gateway, buf_view(&entity), &armored);
	add_encrypted_mail(&mail, buf_view(&armored));
	drop_path(gateway, "tmp", name, path);
	must(file_write(path, buf_view(&mail), 0600, &err), &err);
	buf_release(&entity);
	buf_release(&armored);
	buf_release(&mail);
}

void gateway_deliver(const struct gateway *gateway, const char *name)
{
	char from[GATEWAY_FILE_SIZE];
	char to[GATEWAY_FILE_SIZE];
	drop_path(gateway, "tmp", name, from);
	drop_path(gateway, "new", name, to);
	if (rename(from, to) != 0)
		give_up("%s: %s", to, strerror(errno));
}

void gateway_end(struct gateway *gateway)
{
	char *const end[] = {
	    "gpgconf", "--homedir", gateway->publisher, "--kill", "gpg-agent", NULL};
	store_close(gateway->store);
	kill(gateway->daemon, SIGTERM);
	if (!child_wait(gateway->daemon))
		give_up("dewlined ended badly");
	child_run(end);
}
