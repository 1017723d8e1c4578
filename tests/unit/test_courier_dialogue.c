#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "courier/dialogue.h"
#include "unit/patience.h"
#include "unit/courier_fixture.h"

static const struct connection_limits quick = {
    .connect = 2000,
    .opening = 2000,
    .step = 700,
    .final_dot = 900,
    .idle = 30000,
    .least_rate = 16 * 1024,
};

static const char *const plain[] = {NULL};
static const char *const step_by_step[] = {"--no-pipelining", NULL};
/* As it is to arrive. */
#define TEXT "Subject: test\r\n\r\n.dot\r\nbody\r\n"

struct bench {
	struct config config;
	struct connection *connection;
};

static void open_bench(struct bench *bench, enum config_tls tls, const char *const options[])
{
	peer_start(&bench->config, tls, options);
	bench->connection = connection_new(&bench->config, &quick);
}

static void close_bench(struct bench *bench)
{
	connection_free(bench->connection);
	peer_stop();
}

static struct courier_result send_to(struct bench *bench, const char *sender, const char *recipient)
{
	struct courier_delivery delivery = {.id = 5};
	struct courier_message message = {.bytes = BUF_EMPTY(BUF_SMALL), .size = sizeof TEXT - 1};
	struct courier_result result;
	snprintf(delivery.sender, sizeof delivery.sender, "%s", sender);
	snprintf(delivery.recipient, sizeof delivery.recipient, "%s", recipient);
	buf_add_text(&message.bytes, "Subject: test\r\n\r\n..dot\r\nbody\r\n");
	dialogue_send(bench->connection, &delivery, &message, &result);
	message_release(&message);
	assert_int_equal(result.id, 5);
	return result;
}

static struct courier_result send_one(struct bench *bench)
{
	return send_to(bench, "bounce+x@gw.example", "one@a.example");
}

static void expect(
    struct courier_result result, enum courier_outcome outcome, bool down, const char *words)
{
	if (result.outcome != outcome || result.smarthost_down != down ||
	    strstr(result.text, words) == NULL)
		fail_msg("outcome %d, down %d, %d: %s; wanted %d, %d, %s", (int)result.outcome,
		    result.smarthost_down, result.code, result.text, (int)outcome, down, words);
}

static void expect_arrival(const char *const options[])
{
	struct bench bench;
	struct buf got = BUF_EMPTY(BUF_SMALL);
	open_bench(&bench, CONFIG_TLS_NONE, options);
	expect(send_one(&bench), COURIER_SENT, false, "250 2.0.0 kept");
	expect(send_to(&bench, "", "two@a.example"), COURIER_SENT, false, "250 2.0.0 kept");
	assert_int_equal(peer_count(), 2);
	peer_read(1, &got);
	assert_string_equal(buf_text(&got),
	    "X-Envelope-From: bounce+x@gw.example\r\nX-Envelope-To: one@a.example\r\n" TEXT);
	assert_int_equal(peer_said("EHLO gateway.example\n"), 1);
	assert_int_equal(peer_said("MAIL FROM:<bounce+x@gw.example> RET=HDRS SIZE=29\n"), 1);
	assert_int_equal(peer_said("MAIL FROM:<> RET=HDRS SIZE=29\n"), 1);
	assert_int_equal(peer_said("RCPT TO:<one@a.example> NOTIFY=FAILURE,DELAY\n"), 1);
	buf_release(&got);
	close_bench(&bench);
	assert_int_equal(peer_said("QUIT\n"), 1);
}

static void message_arrives_as_it_is_with_its_envelope(void **state)
{
	(void)state;
	expect_arrival(plain);
	expect_arrival(step_by_step);
}

/* RFC 2920 section 3.1: the server may wait for a message that has no recipient. */
static void message_without_recipient_is_not_sent(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench, CONFIG_TLS_NONE, plain);
	peer_script("rcpt * 1 reply 550 5.1.1 unknown\ndata * 1 reply 354 go on\n");
	expect(send_one(&bench), COURIER_FAILED, false, "RCPT TO: 550 5.1.1 unknown");
	assert_false(connection_is_open(bench.connection));
	expect(send_one(&bench), COURIER_SENT, false, "250");
	assert_int_equal(peer_count(), 1);
	close_bench(&bench);
}

static void large_message_arrives_whole(void **state)
{
	enum { LARGE = 3 * 1000 * 1000 };
	struct bench bench;
	struct courier_delivery delivery = {
	    .id = 1, .sender = "s@gw.example", .recipient = "r@a.example"};
	struct courier_message message = {.bytes = BUF_EMPTY(LARGE + 100)};
	struct buf got = BUF_EMPTY(2 * LARGE);
	struct courier_result result;
	const char *const tls[] = {"--tls", "starttls", "--cert", peer_path("good.pem"), "--key",
	    peer_path("good.key"), NULL};
	(void)state;
	for (int number = 0; message.bytes.len < LARGE; number++)
		buf_printf(&message.bytes, "line number %d of a long message\r\n", number);
	message.size = message.bytes.len;
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		open_bench(&bench, encrypted ? CONFIG_TLS_STARTTLS : CONFIG_TLS_NONE,
		    encrypted ? tls : plain);
		dialogue_send(bench.connection, &delivery, &message, &result);
		expect(result, COURIER_SENT, false, "250");
		buf_clear(&got);
		peer_read(1, &got);
		assert_true(got.len > message.bytes.len);
		assert_memory_equal(got.data + (got.len - message.bytes.len), message.bytes.data,
		    message.bytes.len);
		close_bench(&bench);
	}
	message_release(&message);
	buf_release(&got);
}

static void stale_connection_is_opened_anew(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench, CONFIG_TLS_NONE, plain);
	expect(send_one(&bench), COURIER_SENT, false, "250");
	peer_stop();
	/* On the same port: what the server that is gone had said is not believed. */
	char port[16];
	snprintf(port, sizeof port, "%d", (int)bench.config.smarthost.port);
	const char *const same_port[] = {"--port", port, NULL};
	struct config again;
	peer_start(&again, CONFIG_TLS_NONE, same_port);
	expect(send_one(&bench), COURIER_SENT, false, "250");
	assert_int_equal(peer_count(), 1);
	close_bench(&bench);
}

static void nobody_listening_defers(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench, CONFIG_TLS_NONE, plain);
	peer_stop();
	expect(send_one(&bench), COURIER_DEFERRED, true, "connecting: cannot connect to localhost");
	strcpy(bench.config.smarthost.host, "no-such-host.invalid");
	expect(send_one(&bench), COURIER_DEFERRED, true, "cannot find the address of no-such-host");
	connection_free(bench.connection);
}

static void message_beyond_the_size_is_not_offered(void **state)
{
	const char *const small[] = {"--size", "28", NULL};
	const char *const enough[] = {"--size", "29", NULL};
	struct bench bench;
	(void)state;
	open_bench(&bench, CONFIG_TLS_NONE, small);
	expect(
	    send_one(&bench), COURIER_FAILED, false, "29 bytes, the mail server takes at most 28");
	assert_int_equal(peer_said("MAIL"), 0);
	close_bench(&bench);
	open_bench(&bench, CONFIG_TLS_NONE, enough);
	expect(send_one(&bench), COURIER_SENT, false, "250");
	close_bench(&bench);
}

/* RFC 5321 section 2.3.5. */
static void greeting_has_a_domain_whatever_the_machine_is_called(void **state)
{
	struct bench bench;
	char machine[64] = "";
	char expected[128];
	(void)state;
	gethostname(machine, sizeof machine - 1);
	snprintf(expected, sizeof expected, "EHLO %s\n",
	    strchr(machine, '.') != NULL ? machine : "gw.example");
	peer_start(&bench.config, CONFIG_TLS_NONE, plain);
	bench.config.smarthost.helo[0] = '\0';
	strcpy(bench.config.gateway.address, "gateway@gw.example");
	bench.connection = connection_new(&bench.config, &quick);
	expect(send_one(&bench), COURIER_SENT, false, "250");
	assert_int_equal(peer_said(expected), 1);
	close_bench(&bench);
}

static void address_that_holds_a_command_never_reaches_the_server(void **state)
{
	static const char *const bad[] = {
	    "a@b.example>\r\nRCPT TO:<evil@c.example",
	    "a@b.example> NOTIFY=NEVER",
	    "a@b.example\nDATA",
	    "<a@b.example>",
	    "a b@c.example",
	    "\"a\"@b.example",
	    "a@[127.0.0.1]",
	    "a@b@c.example",
	    "@b.example",
	    "a",
	};
	struct bench bench;
	(void)state;
	open_bench(&bench, CONFIG_TLS_NONE, plain);
	expect(send_one(&bench), COURIER_SENT, false, "250");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect(
		    send_to(&bench, "s@gw.example", bad[i]), COURIER_FAILED, false, "recipient ");
		expect(send_to(&bench, bad[i], "r@a.example"), COURIER_DEFERRED, false, "sender ");
	}
	expect(send_to(&bench, "s@gw.example", ""), COURIER_FAILED, false, "recipient ");
	assert_int_equal(peer_said("MAIL"), 1);
	assert_int_equal(peer_count(), 1);
	close_bench(&bench);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(message_arrives_as_it_is_with_its_envelope, peer_teardown),
	    cmocka_unit_test_teardown(message_without_recipient_is_not_sent, peer_teardown),
	    cmocka_unit_test_teardown(large_message_arrives_whole, peer_teardown),
	    cmocka_unit_test_teardown(stale_connection_is_opened_anew, peer_teardown),
	    cmocka_unit_test_teardown(nobody_listening_defers, peer_teardown),
	    cmocka_unit_test_teardown(message_beyond_the_size_is_not_offered, peer_teardown),
	    cmocka_unit_test_teardown(
		address_that_holds_a_command_never_reaches_the_server, peer_teardown),
	    cmocka_unit_test_teardown(
		greeting_has_a_domain_whatever_the_machine_is_called, peer_teardown),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    "courier_dialogue", tests, peer_group_setup, peer_group_teardown);
}
