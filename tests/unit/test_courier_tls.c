#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "courier/dialogue.h"
#include "unit/courier_fixture.h"

static const struct connection_limits quick = {
    .connect = 2000,
    .opening = 2000,
    .step = 2000,
    .final_dot = 2000,
    .idle = 200,
    .least_rate = 16 * 1024,
};

static struct config config;

/* One message over a new connection. */
static struct courier_result send_over(struct connection *connection)
{
	const struct courier_delivery delivery = {
	    .id = 1, .sender = "s@gw.example", .recipient = "r@a.example"};
	struct courier_message message = {.bytes = BUF_EMPTY(BUF_SMALL), .size = 8};
	struct courier_result result;
	buf_add_text(&message.bytes, "A: b\r\n\r\n");
	dialogue_send(connection, &delivery, &message, &result);
	message_release(&message);
	return result;
}

static struct courier_result send_one(void)
{
	struct connection *connection = connection_new(&config, &quick);
	const struct courier_result result = send_over(connection);
	connection_free(connection);
	return result;
}

static void expect_sent(void)
{
	const struct courier_result result = send_one();
	if (result.outcome != COURIER_SENT)
		fail_msg("%s", result.text);
}

/* All trouble of TLS and AUTH defers, concerns the smarthost, says what it is, and offers no mail.
 */
static void expect_refused(const char *words)
{
	const struct courier_result result = send_one();
	if (result.outcome != COURIER_DEFERRED || !result.smarthost_down ||
	    strstr(result.text, words) == NULL)
		fail_msg("outcome %d, down %d: %s; wanted %s", (int)result.outcome,
		    result.smarthost_down, result.text, words);
	if (access(peer_path("log"), F_OK) == 0)
		assert_int_equal(peer_said("MAIL"), 0);
}

static void start(enum config_tls tls, const char *certificate, const char *more, const char *value)
{
	char pem[32];
	char key[32];
	snprintf(pem, sizeof pem, "%s.pem", certificate);
	snprintf(key, sizeof key, "%s.key", certificate);
	const char *const options[] = {"--tls", tls == CONFIG_TLS_TLS ? "tls" : "starttls",
	    "--cert", peer_path(pem), "--key", peer_path(key), more, value, NULL};
	peer_start(&config, tls, options);
}

static const enum config_tls both[] = {CONFIG_TLS_STARTTLS, CONFIG_TLS_TLS};

static void good_certificate_delivers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		start(both[i], "good", NULL, NULL);
		expect_sent();
		assert_int_equal(peer_count(), 1);
		/* What was offered before TLS is asked for again within it. */
		assert_int_equal(peer_said("EHLO"), both[i] == CONFIG_TLS_TLS ? 1 : 2);
		peer_stop();
	}
}

static void test_ca_is_not_in_the_trust_store_of_the_system(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", NULL, NULL);
	config.smarthost.ca_file[0] = '\0';
	expect_refused("");
}

static void certificate_counts_for_the_configured_host(void **state)
{
	(void)state;
	start(CONFIG_TLS_TLS, "good", NULL, NULL);
	strcpy(config.smarthost.host, "127.0.0.1");
	expect_refused("certificate of 127.0.0.1 is not trusted: it is for another name");
}

static void tls_before_1_2_is_refused(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT");
	expect_refused("TLS handshake with localhost failed");
	peer_stop();
	start(CONFIG_TLS_STARTTLS, "good", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2");
	expect_sent();
}

/* I10. */
static void plain_text_behind_starttls_is_refused(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", NULL, NULL);
	peer_script("starttls * * say 220 2.0.0 go\\r\\n250 2.0.0 injected\\r\\n");
	expect_refused("plain text was injected behind STARTTLS");
}

static void silence_within_the_handshake_times_out(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", NULL, NULL);
	/* A plain server where TLS is expected waits for a command that never ends. */
	config.smarthost.tls = CONFIG_TLS_TLS;
	expect_refused("TLS handshake with localhost");
}

static void silence_where_both_wait_is_explained(void **state)
{
	(void)state;
	start(CONFIG_TLS_TLS, "good", NULL, NULL);
	config.smarthost.tls = CONFIG_TLS_STARTTLS;
	expect_refused("the greeting: timed out (does it expect TLS from the first byte?)");
}

static void set_login(const char *user, const char *password)
{
	strcpy(config.smarthost.user, user);
	peer_write("password", view_of(password));
	strcpy(config.smarthost.password_file, peer_path("password"));
}

static void password_is_given_within_tls(void **state)
{
	static const char *const mechanisms[] = {"PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *const options[] = {"--tls", "starttls", "--cert", peer_path("good.pem"),
		    "--key", peer_path("good.key"), "--auth", "gateway:se cret", "--mechanisms",
		    mechanisms[i], NULL};
		peer_start(&config, CONFIG_TLS_STARTTLS, options);
		set_login("gateway", "se cret\n");
		expect_sent();
		assert_int_equal(peer_said("AUTH LOGIN"), i == 1 ? 1 : 0);
		peer_stop();
	}
}

/* I10. */
static void password_is_never_given_in_the_clear(void **state)
{
	const char *const options[] = {"--auth", "gateway:secret", NULL};
	(void)state;
	peer_start(&config, CONFIG_TLS_NONE, options);
	set_login("gateway", "secret\n");
	expect_refused("AUTH: a password is never sent without TLS");
	assert_int_equal(peer_said("AUTH"), 0);
}

static void missing_password_defers_until_it_is_there(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", "--auth", "gateway:secret");
	set_login("gateway", "\n");
	struct connection *connection = connection_new(&config, &quick);
	struct courier_result result = send_over(connection);
	assert_int_equal(result.outcome, COURIER_DEFERRED);
	assert_true(result.smarthost_down);
	assert_non_null(strstr(result.text, "no secret in the first line of"));
	peer_write("password", VIEW("secret\n"));
	result = send_over(connection);
	assert_int_equal(result.outcome, COURIER_SENT);
	connection_free(connection);
}

static void missing_ca_file_defers(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", NULL, NULL);
	strcpy(config.smarthost.ca_file, peer_path("no-such-file"));
	expect_refused("no CA certificate in");
}

static void connection_is_kept_while_used_and_renewed_when_idle(void **state)
{
	(void)state;
	start(CONFIG_TLS_STARTTLS, "good", NULL, NULL);
	struct connection *connection = connection_new(&config, &quick);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_over(connection).outcome, COURIER_SENT);
	assert_int_equal(peer_said("STARTTLS"), 1);
	usleep(300 * 1000);
	assert_int_equal(send_over(connection).outcome, COURIER_SENT);
	assert_int_equal(peer_said("STARTTLS"), 2);
	connection_free(connection);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(good_certificate_delivers, peer_teardown),
	    cmocka_unit_test_teardown(
		test_ca_is_not_in_the_trust_store_of_the_system, peer_teardown),
	    cmocka_unit_test_teardown(certificate_counts_for_the_configured_host, peer_teardown),
	    cmocka_unit_test_teardown(tls_before_1_2_is_refused, peer_teardown),
	    cmocka_unit_test_teardown(plain_text_behind_starttls_is_refused, peer_teardown),
	    cmocka_unit_test_teardown(silence_within_the_handshake_times_out, peer_teardown),
	    cmocka_unit_test_teardown(silence_where_both_wait_is_explained, peer_teardown),
	    cmocka_unit_test_teardown(password_is_given_within_tls, peer_teardown),
	    cmocka_unit_test_teardown(password_is_never_given_in_the_clear, peer_teardown),
	    cmocka_unit_test_teardown(missing_password_defers_until_it_is_there, peer_teardown),
	    cmocka_unit_test_teardown(missing_ca_file_defers, peer_teardown),
	    cmocka_unit_test_teardown(
		connection_is_kept_while_used_and_renewed_when_idle, peer_teardown),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    "courier_tls", tests, peer_group_setup, peer_group_teardown);
}
