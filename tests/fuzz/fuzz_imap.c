/* Emptying a mailbox of a server that says whatever it likes. The socket is a pair of ours, TLS is
 * taken to have worked, and the drop is a list in memory.
 *
 * The input's first byte holds flags. The rest is what the server says: what stands behind a byte
 * 0x1d comes after the handshake, and 0x1e ends a connection; the next request gets what follows.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "courier/codec.h"
#include "courier/deposit.h"
#include "courier/socket.h"
#include "courier/stream.h"
#include "courier/watch.h"

#include "fuzz.h"

#define SECRET "open-sesame"
#define SECRET_PLAIN "AGdhdGV3YXkAb3Blbi1zZXNhbWU="

enum {
	STARTTLS = 1,
	MOVING = 2,
	HANDSHAKE = 0x1d,
	CONNECTION_END = 0x1e,
	REQUESTS = 3,
	MESSAGE_MAX = 4096,
	DEPOSITS_MAX = 4096,
	SAID_MAX = 4 * 1024 * 1024,
};

static const struct imap_limits limits = {.connect = 5000, .step = 20, .least_rate = 16 * 1024};

static struct config configs[4]; /* by STARTTLS and MOVING */

/* One run's world. */
static struct {
	struct view script;
	struct view inner; /* for after the handshake */
	int peer; /* the server's end, -1: none */
	int gate; /* of our service: hung up, so that nothing waits */
	bool encrypted;
	struct buf clear; /* what the server was told */
	struct buf inside;
	uint32_t deposits[DEPOSITS_MAX]; /* UIDs in the drop */
	size_t count;
	size_t synced; /* of them, safe */
	bool ended; /* the last part was said */
} world;

int __wrap_socket_open(
    const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err);
int __wrap_stream_start_tls(
    struct stream *stream, const struct tls_trust *trust, const char *host, struct err *err);
int __wrap_tls_trust_new(const char *ca_file, struct tls_trust **out, struct err *err);
int __wrap_secret_read(const char *name, const char *setting, struct buf *out, struct err *err);
int __wrap_deposit(const char *drop, const char *name, struct view message, struct err *err);
int __wrap_deposit_sync(const char *drop, struct err *err);
void __wrap_deposit_clean(const char *drop);
int __wrap_pool_reply(
    struct pool_service *service, enum pool_event event, struct view body, struct err *err);

/* One that was closed before all was read says so once, and then gives what was said. */
static void hear(void)
{
	char bytes[16 * 1024];
	ssize_t got = 1;
	while (world.peer >= 0 && (got > 0 || (got < 0 && errno == ECONNRESET))) {
		got = recv(world.peer, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got > 0)
			buf_add(world.encrypted ? &world.inside : &world.clear, bytes, (size_t)got);
	}
}

static void say(struct view words)
{
	if (words.len > 0)
		send(world.peer, words.data, words.len, MSG_NOSIGNAL);
}

static void hang_up(void)
{
	hear();
	if (world.peer >= 0)
		close(world.peer);
	world.peer = -1;
}

int __wrap_socket_open(
    const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err)
{
	struct view said = VIEW("");
	int ends[2];
	(void)host;
	(void)port;
	(void)connect_ms;
	world.encrypted = false;
	if (!view_next_field(&world.script, CONNECTION_END, &said))
		return err_set(err, ERR_PEER, ERR_LATER, "nobody there");
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	world.peer = ends[1];
	world.inner = said;
	view_next_field(&world.inner, HANDSHAKE, &said);
	say(said);
	if (world.inner.len == 0)
		shutdown(world.peer, SHUT_WR);
	*fd = ends[0];
	return 0;
}

int __wrap_stream_start_tls(
    struct stream *stream, const struct tls_trust *trust, const char *host, struct err *err)
{
	(void)stream;
	(void)trust;
	(void)host;
	(void)err;
	hear();
	world.encrypted = true;
	say(world.inner);
	shutdown(world.peer, SHUT_WR);
	return 0;
}

int __wrap_tls_trust_new(const char *ca_file, struct tls_trust **out, struct err *err)
{
	(void)ca_file;
	(void)err;
	*out = NULL;
	return 0;
}

int __wrap_secret_read(const char *name, const char *setting, struct buf *out, struct err *err)
{
	(void)name;
	(void)setting;
	(void)err;
	buf_add_text(out, SECRET);
	return 0;
}

int __wrap_deposit(const char *drop, const char *name, struct view message, struct err *err)
{
	unsigned long validity = 0;
	unsigned long uid = 0;
	(void)drop;
	FUZZ_CHECK(message.len <= MESSAGE_MAX);
	FUZZ_CHECK(sscanf(name, "imap-%lu-%lu-", &validity, &uid) == 2 && validity > 0 && uid > 0);
	if (world.count == DEPOSITS_MAX)
		return err_set(err, ERR_DAEMON, ERR_LATER, "the drop is full");
	world.deposits[world.count++] = (uint32_t)uid;
	return 0;
}

int __wrap_deposit_sync(const char *drop, struct err *err)
{
	(void)drop;
	(void)err;
	world.synced = world.count;
	return 0;
}

void __wrap_deposit_clean(const char *drop)
{
	(void)drop;
}

int __wrap_pool_reply(
    struct pool_service *service, enum pool_event event, struct view body, struct err *err)
{
	struct courier_watch part;
	(void)service;
	(void)err;
	FUZZ_CHECK(!world.ended);
	FUZZ_CHECK(courier_take_watch(body, &part));
	FUZZ_CHECK(fuzz_is_shown(part.text));
	world.ended = event == POOL_ANSWER;
	FUZZ_CHECK(world.ended == (part.what >= COURIER_WATCH_ENDED));
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int ends[2];
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof configs / sizeof configs[0]; i++) {
		struct config *config = &configs[i];
		config->imap.tls = i & STARTTLS ? CONFIG_IMAP_STARTTLS : CONFIG_IMAP_IMPLICIT;
		config->imap.idle = config->imap.poll = 1;
		config->limits.message = MESSAGE_MAX;
		view_copy(VIEW("imap.example"), config->imap.server, CONFIG_TEXT_SIZE);
		view_copy(VIEW("gateway"), config->imap.user, CONFIG_TEXT_SIZE);
		view_copy(VIEW("INBOX"), config->imap.mailbox, CONFIG_TEXT_SIZE);
		view_copy(i & MOVING ? VIEW("move:Taken") : VIEW("delete"), config->imap.after,
		    CONFIG_TEXT_SIZE);
	}
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	close(ends[1]);
	world.gate = ends[0];
	log_open("fuzz", LOG_LEVEL_ERROR);
	return 0;
}

static bool was_said(const struct buf *said, struct view what)
{
	return view_find(buf_view(said), what) != SIZE_MAX;
}

static bool is_safe(uint32_t uid)
{
	for (size_t i = 0; i < world.synced; i++) {
		if (world.deposits[i] == uid)
			return true;
	}
	return false;
}

/* The UIDs behind a verb that takes messages away are safe in the drop. */
static void check_removed(struct view line, const char *verb)
{
	struct view set, uid;
	int64_t number = 0;
	const size_t at = view_find(line, view_of(verb));
	if (at == SIZE_MAX)
		return;
	line = view_part(line, at + strlen(verb), line.len);
	FUZZ_CHECK(view_next_field(&line, ' ', &set));
	while (view_next_field(&set, ',', &uid)) {
		FUZZ_CHECK(text_number(uid, 1, UINT32_MAX, &number));
		FUZZ_CHECK(is_safe((uint32_t)number));
	}
}

static void check_said(void)
{
	struct view rest = buf_view(&world.inside);
	struct view line;
	FUZZ_CHECK(!was_said(&world.clear, VIEW("LOGIN")));
	FUZZ_CHECK(!was_said(&world.clear, VIEW("AUTH")));
	FUZZ_CHECK(!was_said(&world.clear, VIEW(SECRET_PLAIN)));
	FUZZ_CHECK(!was_said(&world.clear, VIEW("SELECT")));
	while (view_next_line(&rest, &line)) {
		check_removed(line, " UID STORE ");
		check_removed(line, " UID EXPUNGE ");
		check_removed(line, " UID MOVE ");
		FUZZ_CHECK(view_find(line, VIEW(" CLOSE")) == SIZE_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = fuzz_view(data, size);
	const unsigned flags = fuzz_byte(&rest) & (STARTTLS | MOVING);
	struct err err;
	world.script = rest;
	world.peer = -1;
	world.clear = world.inside = BUF_EMPTY(SAID_MAX);
	world.count = world.synced = 0;
	struct watch *watch = watch_new(&configs[flags], &limits);
	for (int i = 0; i < REQUESTS; i++) {
		struct pool_service service = {.fd = world.gate};
		world.ended = false;
		FUZZ_CHECK(watch_serve(watch, &service, &err) == 0);
		FUZZ_CHECK(world.ended);
		hang_up();
	}
	watch_free(watch);
	check_said();
	buf_release(&world.clear);
	buf_release(&world.inside);
	return 0;
}
