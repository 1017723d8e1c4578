/* The dialogue with a smarthost that says whatever it likes. The socket is a pair of ours, and TLS
 * is taken to have worked, so that what follows it is reached as well.
 *
 * The input's first byte holds flags. The rest is what the server says: a byte 0x1d ends a packet,
 * 0x1e a connection; another attempt to connect gets what comes behind it. */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "courier/classify.h"
#include "courier/codec.h"
#include "courier/dialogue.h"
#include "courier/reply.h"
#include "courier/socket.h"

#include "fuzz.h"

#define TEXT "Subject: test\r\n\r\n..dot\r\nbody\r\n"
#define SECRET "open-sesame"
#define SECRET_BASE64 "b3Blbi1zZXNhbWU="

enum {
	STARTTLS = 1,
	WITH_USER = 2,
	PACKET_END = 0x1d,
	CONNECTION_END = 0x1e,
	CONNECTIONS_MAX = 8,
	SENDS = 2,
	SAID_MAX = 1024 * 1024,
};

static const struct connection_limits limits = {.connect = 5000,
    .opening = 5000,
    .step = 5000,
    .final_dot = 5000,
    .idle = 30000,
    .least_rate = 16 * 1024};

static struct config configs[4]; /* by STARTTLS and WITH_USER */

/* One run's world: what the server will say, what it was told in the clear and after TLS. */
static struct {
	struct view script;
	size_t connections;
	int peers[CONNECTIONS_MAX];
	bool encrypted;
	struct buf clear;
	struct buf inside;
} world;

int __wrap_socket_open(
    const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err);
int __wrap_stream_start_tls(
    struct stream *stream, const struct tls_trust *trust, const char *host, struct err *err);
bool __wrap_stream_is_encrypted(const struct stream *stream);
int __wrap_tls_trust_new(const char *ca_file, struct tls_trust **out, struct err *err);
int __wrap_secret_read(const char *name, const char *setting, struct buf *out, struct err *err);

/* Takes what the client has said on the connection that is open. One that was closed before all was
 * read says so once, and then gives what was said. */
static void hear(void)
{
	char bytes[8 * 1024];
	ssize_t got = 1;
	while (world.connections > 0 && (got > 0 || (got < 0 && errno == ECONNRESET))) {
		got = recv(world.peers[world.connections - 1], bytes, sizeof bytes, MSG_DONTWAIT);
		if (got > 0)
			buf_add(world.encrypted ? &world.inside : &world.clear, bytes, (size_t)got);
	}
}

/* Packets, so that what stands in one is not read together with the next. */
int __wrap_socket_open(
    const char *host, uint16_t port, int64_t connect_ms, int *fd, struct err *err)
{
	struct view said, packet;
	int ends[2];
	(void)host;
	(void)port;
	(void)connect_ms;
	hear();
	world.encrypted = false;
	if (world.connections == CONNECTIONS_MAX ||
	    !view_next_field(&world.script, CONNECTION_END, &said))
		return err_set(err, ERR_PEER, ERR_LATER, "nobody there");
	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	while (view_next_field(&said, PACKET_END, &packet))
		if (packet.len > 0)
			send(ends[1], packet.data, packet.len, MSG_NOSIGNAL);
	shutdown(ends[1], SHUT_WR);
	world.peers[world.connections++] = ends[1];
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
	return 0;
}

bool __wrap_stream_is_encrypted(const struct stream *stream)
{
	(void)stream;
	return world.encrypted;
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

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof configs / sizeof configs[0]; i++) {
		struct config *config = &configs[i];
		config->smarthost.tls = i & STARTTLS ? CONFIG_TLS_STARTTLS : CONFIG_TLS_NONE;
		view_copy(VIEW("mx.example"), config->smarthost.host, CONFIG_TEXT_SIZE);
		view_copy(VIEW("gw.example"), config->smarthost.helo, CONFIG_TEXT_SIZE);
		if (i & WITH_USER) {
			view_copy(VIEW("gateway"), config->smarthost.user, CONFIG_TEXT_SIZE);
			view_copy(VIEW("password"), config->smarthost.password_file,
			    sizeof config->smarthost.password_file);
		}
	}
	log_open("fuzz", LOG_LEVEL_ERROR);
	return 0;
}

static bool was_said(const struct buf *said, struct view what)
{
	return view_find(buf_view(said), what) != SIZE_MAX;
}

static void check_result(const struct courier_result *result)
{
	struct courier_result taken;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	FUZZ_CHECK(result->outcome <= COURIER_AMBIGUOUS);
	FUZZ_CHECK(result->code == 0 || (result->code >= 200 && result->code <= 599));
	FUZZ_CHECK(result->text[0] != '\0' && fuzz_is_shown(result->text));
	FUZZ_CHECK(result->outcome != COURIER_SENT || result->code / 100 == 2);
	FUZZ_CHECK(result->outcome != COURIER_AMBIGUOUS || result->smarthost_down);
	courier_put_result(&body, result);
	FUZZ_CHECK(courier_take_result(buf_view(&body), &taken));
	FUZZ_CHECK(strcmp(taken.text, result->text) == 0 && taken.code == result->code);
	buf_release(&body);
}

/* A message counts as sent only when all of it was said, and what the server may have taken is
 * never given as not sent. */
static void send_one(struct connection *connection)
{
	const struct courier_delivery delivery = {
	    .id = 7, .sender = "bounce+x@gw.example", .recipient = "one@a.example"};
	struct courier_message message = {.bytes = BUF_EMPTY(BUF_SMALL), .size = sizeof TEXT - 2};
	struct courier_result result = {.id = 0};
	hear();
	buf_clear(&world.clear);
	buf_clear(&world.inside);
	buf_add_text(&message.bytes, TEXT);
	dialogue_send(connection, &delivery, &message, &result);
	hear();
	const struct view whole = VIEW(TEXT ".\r\n");
	const bool out = was_said(&world.clear, whole) || was_said(&world.inside, whole);
	FUZZ_CHECK(result.id == delivery.id);
	check_result(&result);
	FUZZ_CHECK(out || (result.outcome != COURIER_SENT && result.outcome != COURIER_AMBIGUOUS));
	FUZZ_CHECK(!out || result.code != 0 || result.outcome == COURIER_AMBIGUOUS);
	message_release(&message);
}

static void check_secrets(unsigned flags)
{
	FUZZ_CHECK(!was_said(&world.clear, VIEW("AUTH")));
	FUZZ_CHECK(!was_said(&world.clear, VIEW(SECRET_BASE64)));
	FUZZ_CHECK((flags & STARTTLS) == 0 || !was_said(&world.clear, VIEW("MAIL FROM")));
	FUZZ_CHECK((flags & STARTTLS) == 0 || !was_said(&world.clear, VIEW("body")));
}

static void check_reply(struct view lines)
{
	struct courier_reply reply;
	char printed[COURIER_TEXT_SIZE];
	const int code = (int)(lines.len % 700);
	for (int phase = 0; phase < PHASES; phase++) {
		reply_set(&reply, (enum courier_phase)phase, code, lines);
		FUZZ_CHECK(fuzz_is_shown(reply.text));
		const struct courier_verdict verdict =
		    classify(reply.phase, reply.code, view_of(reply.text));
		FUZZ_CHECK(verdict.outcome <= COURIER_AMBIGUOUS);
		FUZZ_CHECK(verdict.outcome != COURIER_SENT ||
			   (phase == PHASE_DOT && reply.code / 100 == 2));
		FUZZ_CHECK(verdict.outcome != COURIER_FAILED || reply.code / 100 == 5);
	}
	courier_print(printed, "%.*s", (int)(lines.len < 2000 ? lines.len : 2000), lines.data);
	FUZZ_CHECK(fuzz_is_shown(printed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = fuzz_view(data, size);
	const unsigned flags = fuzz_byte(&rest) & (STARTTLS | WITH_USER);
	world.script = rest;
	world.connections = 0;
	world.encrypted = false;
	world.clear = world.inside = BUF_EMPTY(SAID_MAX);
	struct connection *connection = connection_new(&configs[flags], &limits);
	for (int i = 0; i < SENDS; i++) {
		send_one(connection);
		check_secrets(flags);
	}
	connection_free(connection);
	hear();
	check_secrets(flags);
	for (size_t i = 0; i < world.connections; i++)
		close(world.peers[i]);
	buf_release(&world.clear);
	buf_release(&world.inside);
	check_reply(rest);
	return 0;
}
