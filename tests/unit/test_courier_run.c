#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "courier/courier.h"
#include "unit/courier_fixture.h"
#include "worker/frame.h"
#include "worker/pool.h"
#include "worker/spawn.h"

enum { RUN = 6, OUT_MAX = 1024 * 1024 };

static const char *const plain[] = {NULL};

struct worker {
	struct config config;
	pid_t pid;
	int fd;
};

static void start_worker(struct worker *worker)
{
	const struct worker_program program = {courier_main, &worker->config};
	struct frame ready;
	struct err err;
	if (process_start("courier", program, &worker->pid, &worker->fd, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(frame_receive(worker->fd, &ready, &err), 1);
	assert_int_equal(ready.type, POOL_READY);
	frame_release(&ready);
}

/* The exit status of the worker after its socket was closed. */
static int end_worker(struct worker *worker)
{
	int status;
	close(worker->fd);
	assert_int_equal(waitpid(worker->pid, &status, 0), worker->pid);
	return status;
}

static void ask(struct worker *worker, uint32_t number)
{
	static const char pkesks[] = "ABCDEF";
	struct courier_run run = {
	    .head = VIEW("Subject: x\r\n\r\n"),
	    .data = VIEW("the data that all share"),
	    .tail = VIEW(""),
	    .count = RUN,
	};
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct err err;
	for (size_t i = 0; i < RUN; i++) {
		run.deliveries[i].id = (int64_t)(100 + i);
		run.deliveries[i].pkesk = (struct view){&pkesks[i], 1};
		strcpy(run.deliveries[i].sender, "s@gw.example");
		snprintf(run.deliveries[i].recipient, COURIER_ADDRESS_SIZE, "r%zu@a.example", i);
	}
	courier_put_run(&body, &run);
	assert_int_equal(
	    frame_send(worker->fd, COURIER_REQUEST_SEND, number, buf_view(&body), &err), 0);
	buf_release(&body);
}

/* A result for each delivery in the order of the run, then the end of the answer. */
static void answer(struct worker *worker, uint32_t number, struct courier_result results[RUN])
{
	struct frame frame;
	struct err err;
	for (size_t i = 0; i <= RUN; i++) {
		assert_int_equal(frame_receive(worker->fd, &frame, &err), 1);
		assert_int_equal(frame.number, number);
		if (i < RUN) {
			assert_int_equal(frame.type, POOL_PROGRESS);
			assert_true(courier_take_result(frame.body, &results[i]));
			assert_int_equal(results[i].id, 100 + i);
		} else {
			assert_int_equal(frame.type, POOL_ANSWER);
			assert_int_equal(frame.body.len, 0);
		}
		frame_release(&frame);
	}
}

static void whole_run_is_sent_in_order_and_reported_one_by_one(void **state)
{
	struct worker worker;
	struct courier_result results[RUN];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	start_worker(&worker);
	for (uint32_t number = 1; number <= 2; number++) {
		ask(&worker, number);
		answer(&worker, number, results);
		for (size_t i = 0; i < RUN; i++)
			assert_int_equal(results[i].outcome, COURIER_SENT);
	}
	assert_int_equal(peer_count(), 2 * RUN);
	assert_int_equal(peer_said("EHLO"), 1);
	assert_int_equal(end_worker(&worker), 0);
}

/* I4. */
static void message_sent_again_is_the_same_to_the_last_byte(void **state)
{
	struct worker worker;
	struct courier_result results[RUN];
	struct buf first = BUF_EMPTY(OUT_MAX);
	struct buf again = BUF_EMPTY(OUT_MAX);
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	for (uint32_t number = 1; number <= 2; number++) {
		start_worker(&worker);
		ask(&worker, number);
		answer(&worker, number, results);
		assert_int_equal(end_worker(&worker), 0);
	}
	for (size_t i = 1; i <= RUN; i++) {
		buf_clear(&first);
		buf_clear(&again);
		peer_read(i, &first);
		peer_read(RUN + i, &again);
		assert_true(first.len > 100);
		assert_string_equal(buf_text(&first), buf_text(&again));
	}
	buf_release(&first);
	buf_release(&again);
}

/* I21. */
static void one_refused_recipient_holds_up_nobody(void **state)
{
	struct worker worker;
	struct courier_result results[RUN];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	peer_script("rcpt r2@* * reply 550 5.1.1 unknown\nrcpt r4@* * reply 451 4.7.1 later\n");
	start_worker(&worker);
	ask(&worker, 1);
	answer(&worker, 1, results);
	for (size_t i = 0; i < RUN; i++) {
		assert_int_equal(results[i].outcome, i == 2   ? COURIER_FAILED
						     : i == 4 ? COURIER_DEFERRED
							      : COURIER_SENT);
		assert_false(results[i].smarthost_down);
	}
	assert_int_equal(results[2].code, 550);
	assert_int_equal(peer_count(), RUN - 2);
	assert_int_equal(end_worker(&worker), 0);
}

static void expect_rest_deferred(const struct courier_result results[RUN], size_t from)
{
	for (size_t i = from; i < RUN; i++) {
		assert_int_equal(results[i].outcome, COURIER_DEFERRED);
		assert_true(results[i].smarthost_down);
		assert_int_equal(strncmp(results[i].text, "not tried: ", 11), 0);
	}
}

static void broken_connection_defers_the_rest_untried(void **state)
{
	struct worker worker;
	struct courier_result results[RUN];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	peer_script("dot r2@* 1 drop-after-store\n");
	start_worker(&worker);
	ask(&worker, 1);
	answer(&worker, 1, results);
	assert_int_equal(results[1].outcome, COURIER_SENT);
	assert_int_equal(results[2].outcome, COURIER_AMBIGUOUS);
	assert_string_equal(results[2].text, "the final dot: closed by the server");
	expect_rest_deferred(results, 3);
	assert_string_equal(results[5].text, "not tried: the final dot: closed by the server");
	assert_int_equal(peer_said("RCPT"), 3);
	ask(&worker, 2);
	answer(&worker, 2, results);
	assert_int_equal(results[5].outcome, COURIER_SENT);
	assert_int_equal(end_worker(&worker), 0);
}

static void dead_smarthost_is_tried_once_for_a_run(void **state)
{
	struct worker worker;
	struct courier_result results[RUN];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	peer_script("connect * * reply 554 5.7.1 no\n");
	start_worker(&worker);
	ask(&worker, 1);
	answer(&worker, 1, results);
	assert_int_equal(results[0].outcome, COURIER_DEFERRED);
	assert_string_equal(results[0].text, "the greeting: 554 5.7.1 no");
	expect_rest_deferred(results, 1);
	assert_int_equal(end_worker(&worker), 0);
}

enum { STEPS_MOST = 2 + COURIER_PROBE_MAX };

/* One probe; how many steps it had, and what each found. */
static size_t probe(
    struct worker *worker, uint32_t number, struct courier_result results[STEPS_MOST])
{
	const struct courier_probe asked = {.sender = "bounce+0.A@gw.example",
	    .count = 2,
	    .recipients = {"gw@gw.example", "admin@example.net"}};
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct frame frame;
	struct err err;
	size_t count = 0;
	courier_put_probe(&body, &asked);
	assert_int_equal(
	    frame_send(worker->fd, COURIER_REQUEST_PROBE, number, buf_view(&body), &err), 0);
	buf_release(&body);
	for (;;) {
		assert_int_equal(frame_receive(worker->fd, &frame, &err), 1);
		assert_int_equal(frame.number, number);
		if (frame.type == POOL_ANSWER)
			break;
		assert_true(count < STEPS_MOST);
		assert_true(courier_take_result(frame.body, &results[count++]));
		frame_release(&frame);
	}
	frame_release(&frame);
	return count;
}

static void probe_goes_as_far_as_the_recipients_and_sends_nothing(void **state)
{
	struct worker worker;
	struct courier_result results[RUN + STEPS_MOST];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	start_worker(&worker);
	assert_int_equal(probe(&worker, 1, results), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(results[i].outcome, COURIER_SENT);
	assert_non_null(strstr(results[0].text, "no TLS"));
	assert_int_equal(
	    strncmp(results[1].text, "MAIL FROM:<bounce+0.A@gw.example>: 250", 38), 0);
	assert_int_equal(strncmp(results[3].text, "RCPT TO:<admin@example.net>: 250", 32), 0);
	assert_int_equal(peer_said("RSET"), 1);
	assert_int_equal(peer_said("DATA"), 0);
	ask(&worker, 2);
	answer(&worker, 2, results);
	assert_int_equal(results[0].outcome, COURIER_SENT);
	assert_int_equal(end_worker(&worker), 0);
}

/* Postfix says what it has against our HELO, or our address, only to RCPT TO. */
static void probe_tells_each_refusal_in_the_words_of_the_server(void **state)
{
	static const struct {
		const char *script;
		size_t steps;
		enum courier_outcome outcome;
		const char *text;
	} cases[] = {
	    {"connect * * reply 554 5.7.1 no\n", 1, COURIER_DEFERRED,
		"the greeting: 554 5.7.1 no"},
	    {"ehlo * * reply 554 5.7.1 no\n", 1, COURIER_DEFERRED, "EHLO: 554 5.7.1 no"},
	    {"mail * * reply 550 5.1.8 who are you\n", 2, COURIER_FAILED,
		"MAIL FROM:<bounce+0.A@gw.example>: 550 5.1.8 who are you"},
	    {"mail * * reply 421 4.3.2 bye\n", 2, COURIER_DEFERRED,
		"MAIL FROM:<bounce+0.A@gw.example>: 421 4.3.2 bye"},
	    {"rcpt admin@* * reply 504 5.5.2 Helo command rejected\n", 4, COURIER_FAILED,
		"RCPT TO:<admin@example.net>: 504 5.5.2 Helo command rejected"},
	    {"rcpt admin@* * reply 450 4.7.1 come back later\n", 4, COURIER_DEFERRED,
		"RCPT TO:<admin@example.net>: 450 4.7.1 come back later"},
	    {"rcpt admin@* * drop\n", 4, COURIER_DEFERRED,
		"RCPT TO:<admin@example.net>: closed by the server"},
	};
	struct worker worker;
	struct courier_result results[STEPS_MOST];
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	start_worker(&worker);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		peer_script(cases[i].script);
		const size_t steps = probe(&worker, (uint32_t)i + 1, results);
		assert_int_equal(steps, cases[i].steps);
		assert_string_equal(results[steps - 1].text, cases[i].text);
		assert_int_equal(results[steps - 1].outcome, cases[i].outcome);
	}
	assert_int_equal(peer_said("DATA"), 0);
	assert_int_equal(end_worker(&worker), 0);
}

static void malformed_request_ends_the_worker(void **state)
{
	struct worker worker;
	struct frame frame;
	struct err err;
	(void)state;
	peer_start(&worker.config, CONFIG_TLS_NONE, plain);
	start_worker(&worker);
	assert_int_equal(
	    frame_send(worker.fd, COURIER_REQUEST_SEND, 1, VIEW("nothing of the kind"), &err), 0);
	assert_int_equal(frame_receive(worker.fd, &frame, &err), 0);
	assert_int_not_equal(end_worker(&worker), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		whole_run_is_sent_in_order_and_reported_one_by_one, peer_teardown),
	    cmocka_unit_test_teardown(
		message_sent_again_is_the_same_to_the_last_byte, peer_teardown),
	    cmocka_unit_test_teardown(one_refused_recipient_holds_up_nobody, peer_teardown),
	    cmocka_unit_test_teardown(broken_connection_defers_the_rest_untried, peer_teardown),
	    cmocka_unit_test_teardown(dead_smarthost_is_tried_once_for_a_run, peer_teardown),
	    cmocka_unit_test_teardown(
		probe_goes_as_far_as_the_recipients_and_sends_nothing, peer_teardown),
	    cmocka_unit_test_teardown(
		probe_tells_each_refusal_in_the_words_of_the_server, peer_teardown),
	    cmocka_unit_test_teardown(malformed_request_ends_the_worker, peer_teardown),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    "courier_run", tests, peer_group_setup, peer_group_teardown);
}
