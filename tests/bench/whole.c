/* The whole way: from the publisher's mail in the drop until the sink has accepted the last
 * official's copy, through the real daemon. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/advisories.h"
#include "bench/gateway.h"

enum {
	ROUNDS = 3,
	RECIPIENTS = 1000,
	REAL = 500, /* of package debian-keyring, as far as it has so many */
	TEXT_LEN = 7000,
	LOOK_US = 10000,
	PATIENCE_S = 60,
};

static int take_advisory(void *context, const struct advisory *advisory, struct err *err)
{
	(void)err;
	*(int64_t *)context = advisory->id;
	return 0;
}

static int take_message(void *context, const struct revision *revision, struct err *err)
{
	(void)err;
	*(int64_t *)context = revision->message;
	return 0;
}

/* The message of the newest advisory, if that is newer than `former`; 0 otherwise. */
static int64_t newest_message(struct store *store, int64_t former, int64_t *advisory)
{
	int64_t message = 0;
	struct err err;
	*advisory = 0;
	must(store_advisory_each(store, 1, take_advisory, advisory, &err), &err);
	if (*advisory > former)
		must(store_revision_each(store, *advisory, take_message, &message, &err), &err);
	return message;
}

/* When each stage was over, in seconds from the beginning. */
struct times {
	double judged;
	double sealed;
	double sent;
};

static void look(const struct delivery_counts *counts, double since, struct times *times)
{
	if (counts->total < RECIPIENTS)
		return;
	if (times->judged == 0)
		times->judged = since;
	if (times->sealed == 0 && counts->unsealed == 0)
		times->sealed = since;
	if (counts->failed > 0 || counts->bounced > 0)
		give_up("%lld deliveries failed", (long long)counts->failed);
	if (counts->sent == RECIPIENTS)
		times->sent = since;
}

/* One advisory; *advisory is the ID of the one before, and then of this one. */
static struct times publish(const struct gateway *gateway, struct view text, int64_t *advisory)
{
	struct times times = {0};
	const int64_t former = *advisory;
	int64_t message = 0;
	struct delivery_counts counts;
	struct err err;
	char title[64];
	/* No two alike: what was signed twice in one second would be a duplicate. */
	snprintf(title, sizeof title, "A hole in everything, number %lld", (long long)former + 1);
	gateway_write_mail(gateway, title, text, "advisory");
	const double begin = seconds_now();
	gateway_deliver(gateway, "advisory");
	while (times.sent == 0) {
		const double since = seconds_now() - begin;
		if (since > PATIENCE_S)
			give_up("the advisory is not out after %d s", PATIENCE_S);
		if (message == 0)
			message = newest_message(gateway->store, former, advisory);
		if (message != 0) {
			must(store_delivery_count(gateway->store, message, &counts, &err), &err);
			look(&counts, since, &times);
		}
		if (times.sent == 0)
			usleep(LOOK_US);
	}
	note("whole: judged after %.2f s, sealed after %.2f s, all accepted after %.2f s",
	    times.judged, times.sealed, times.sent);
	return times;
}

/* Real ones first, then generated ones up to RECIPIENTS. */
static void gather(const struct bench *bench, struct certificates *out)
{
	struct certificates generated;
	certificates_real(bench, REAL, out);
	certificates_generated(bench, RECIPIENTS, &generated);
	out->list = reallocarray(out->list, RECIPIENTS, sizeof *out->list);
	if (out->list == NULL)
		abort();
	for (size_t i = 0; i < generated.count; i++) {
		if (out->count < RECIPIENTS)
			out->list[out->count++] = generated.list[i];
		else
			buf_release(&generated.list[i].minimal);
	}
	free(generated.list);
}

static void write_text(struct buf *text)
{
	buf_add_text(text, "Advisory: new\r\nTLP: AMBER\r\nAudience: all\r\n\r\n");
	while (text->len < TEXT_LEN)
		buf_printf(
		    text, "Line %06zu of an advisory about nothing in particular.\r\n", text->len);
}

void bench_whole(const struct bench *bench)
{
	struct certificates officials;
	struct gateway gateway;
	struct sink sink;
	struct samples seconds = {.count = 0};
	struct buf text = BUF_EMPTY(BUF_SMALL);
	int64_t advisory = 0;
	gather(bench, &officials);
	write_text(&text);
	sink_start(bench, &sink);
	gateway_make(bench, sink.port, &officials, &gateway);
	gateway_start(bench, &gateway);
	/* The first one after certificates changed builds the keyrings on its way. */
	const struct times first = publish(&gateway, buf_view(&text), &advisory);
	for (int round = 0; round < ROUNDS; round++)
		samples_add(&seconds, publish(&gateway, buf_view(&text), &advisory).sent);
	gateway_end(&gateway);
	const unsigned long accepted = sink_stop(&sink);
	if (accepted < (unsigned long)(ROUNDS + 1) * RECIPIENTS)
		give_up("the sink accepted %lu messages only", accepted);
	figure("whole.first_seconds", first.sent, "s");
	figure_of("whole.seconds", &seconds, "s");
	figure("whole.rate", RECIPIENTS / samples_median(&seconds), "messages/s");
	buf_release(&text);
	certificates_release(&officials);
}
