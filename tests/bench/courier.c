/* Handing messages over: our courier workers, driven through the pool, against Postfix's own load
 * generator smtp-source, to the same sink, with as many connections and messages of the same size.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "config/config.h"
#include "worker/frame.h"
#include "worker/pool.h"
#include "courier/armor.h"
#include "courier/courier.h"
#include "bench/bench.h"

enum {
	ROUNDS = 7,
	CONNECTIONS = 2,
	RUN = 32, /* deliveries in one request, as the gate does it */
	RUNS = 400,
	MESSAGES = RUNS * RUN,
	PKESK_LEN = 94, /* bytes, for a cv25519 key */
	DATA_LEN = 6800,
	DEADLINE_MS = 60000,
};

static const char HEAD[] = "From: Early warning <gateway@example.org>\r\n"
			   "To: Officials <officials@example.org>\r\n"
			   "Subject: [...]\r\n"
			   "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
			   "Message-ID: <0123456789abcdef0123456789abcdef@example.org>\r\n"
			   "Auto-Submitted: auto-generated\r\n"
			   "MIME-Version: 1.0\r\n"
			   "Content-Type: multipart/encrypted; boundary=\"=_bench\";\r\n"
			   " protocol=\"application/pgp-encrypted\"\r\n"
			   "\r\n"
			   "--=_bench\r\n"
			   "Content-Type: application/pgp-encrypted\r\n"
			   "\r\n"
			   "Version: 1\r\n"
			   "\r\n"
			   "--=_bench\r\n"
			   "Content-Type: application/octet-stream\r\n"
			   "\r\n";
static const char TAIL[] = "\r\n--=_bench--\r\n";

struct drive {
	struct loop *loop;
	unsigned open; /* requests that are not over */
	unsigned sent; /* deliveries */
	bool died;
};

static bool take_answer(void *context, enum pool_event event, struct view body)
{
	struct drive *drive = context;
	struct courier_result result;
	if (event == POOL_PROGRESS) {
		if (!courier_take_result(body, &result))
			return false;
		if (result.outcome != COURIER_SENT)
			note("not sent: %s", result.text);
		drive->sent += result.outcome == COURIER_SENT;
		return true;
	}
	drive->died = drive->died || event == POOL_DIED;
	if (--drive->open == 0)
		loop_stop(drive->loop);
	return true;
}

static void ask(struct drive *drive, struct pool *pool, const struct courier_run *run)
{
	struct pool_request request = {.type = COURIER_REQUEST_SEND,
	    .body = BUF_EMPTY(FRAME_BODY_MAX),
	    .deadline_ms = DEADLINE_MS,
	    .attempts = 1,
	    .in_parts = true,
	    .answer = take_answer,
	    .context = drive};
	courier_put_run(&request.body, run);
	drive->open++;
	pool_ask(pool, &request);
}

static void fill_run(struct courier_run *run, const unsigned char *random)
{
	run->head = VIEW(HEAD);
	run->tail = VIEW(TAIL);
	run->data = (struct view){(const char *)random, DATA_LEN};
	run->count = RUN;
	for (size_t i = 0; i < run->count; i++) {
		struct courier_delivery *delivery = &run->deliveries[i];
		delivery->id = (int64_t)i;
		snprintf(delivery->sender, sizeof delivery->sender, "bounce+%zu@example.org", i);
		snprintf(
		    delivery->recipient, sizeof delivery->recipient, "official-%zu@example.org", i);
		delivery->pkesk = (struct view){(const char *)random + i, PKESK_LEN};
	}
}

/* Messages a second, from the first request to the last answer: starting the workers and
 * connecting included. */
static double our_rate(const struct config *config, const struct courier_run *run)
{
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_COURIER] = {courier_main, config},
	};
	struct drive drive = {.loop = loop_new()};
	struct starter *starter = starter_direct(programs);
	struct pool *pool = pool_new(drive.loop, starter, WORKER_COURIER, CONNECTIONS);
	struct err err;
	const double begin = seconds_now();
	for (int i = 0; i < RUNS; i++)
		ask(&drive, pool, run);
	must(loop_run(drive.loop, &err), &err);
	const double took = seconds_now() - begin;
	if (drive.died || drive.sent != MESSAGES)
		give_up("only %u of %d messages were handed over", drive.sent, MESSAGES);
	pool_free(pool);
	starter_free(starter);
	loop_free(drive.loop);
	return MESSAGES / took;
}

static double their_rate(char *program, int64_t port, size_t size)
{
	char sessions[16];
	char messages[16];
	char length[24];
	char server[64];
	snprintf(sessions, sizeof sessions, "%d", CONNECTIONS);
	snprintf(messages, sizeof messages, "%d", MESSAGES);
	snprintf(length, sizeof length, "%zu", size);
	snprintf(server, sizeof server, "inet:127.0.0.1:%lld", (long long)port);
	char *const argv[] = {program, "-d", "-s", sessions, "-m", messages, "-l", length, "-f",
	    "bounce@example.org", "-t", "official@example.org", server, NULL};
	const double begin = seconds_now();
	if (!child_run(argv))
		give_up("%s failed", program);
	return MESSAGES / (seconds_now() - begin);
}

static bool find_smtp_source(char path[static BENCH_PATH_SIZE])
{
	const char *given = getenv("SMTP_SOURCE");
	if (given != NULL && given[0] != '\0') {
		snprintf(path, BENCH_PATH_SIZE, "%s", given);
		return true;
	}
	return program_find("smtp-source", path);
}

static void report(const struct samples *ours, const struct samples *theirs)
{
	struct samples ratios = {.count = 0};
	figure_of("courier.rate", ours, "messages/s");
	if (theirs->count == 0)
		return;
	figure_of("smtp_source.rate", theirs, "messages/s");
	for (size_t i = 0; i < ours->count; i++)
		samples_add(&ratios, ours->values[i] / theirs->values[i]);
	figure_at_least("courier.ratio", samples_median(&ratios), "x", 0.7);
}

void bench_courier(const struct bench *bench)
{
	static unsigned char random[DATA_LEN + RUN];
	static struct courier_run run;
	static struct config config = {
	    .smarthost = {
		.host = "127.0.0.1", .tls = CONFIG_TLS_NONE, .helo = "bench.example.org"}};
	char smtp_source[BENCH_PATH_SIZE];
	struct samples ours = {.count = 0};
	struct samples theirs = {.count = 0};
	struct sink sink;
	const bool has_theirs = find_smtp_source(smtp_source);
	random_bytes(random, sizeof random);
	fill_run(&run, random);
	const size_t size = sizeof HEAD - 1 + armor_size(PKESK_LEN + DATA_LEN) + sizeof TAIL - 1;
	note("courier: %d rounds of %d messages of %zu bytes over %d connections", ROUNDS, MESSAGES,
	    size, CONNECTIONS);
	if (!has_theirs) {
		skip("smtp_source.rate", "smtp-source is not installed (package postfix)");
		skip("courier.ratio", "smtp-source is not installed (package postfix)");
	}
	sink_start(bench, &sink);
	config.smarthost.port = sink.port;
	config.smarthost.connections = CONNECTIONS;
	for (int round = 0; round < ROUNDS; round++) {
		samples_add(&ours, our_rate(&config, &run));
		if (has_theirs)
			samples_add(&theirs, their_rate(smtp_source, sink.port, size));
	}
	const unsigned long accepted = sink_stop(&sink);
	if (accepted != (unsigned long)(ours.count + theirs.count) * MESSAGES)
		give_up("the sink accepted %lu messages", accepted);
	report(&ours, &theirs);
}
