#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/pool.h"
#include "courier/codec.h"
#include "courier/courier.h"
#include "courier/dialogue.h"
#include "courier/message.h"
#include "courier/socket.h"
#include "courier/watch.h"

struct courier {
	struct armor_tables *tables;
	struct connection *connection;
	struct courier_message message;
	struct watch *watch; /* NULL: no mailbox is configured */
};

static int report(
    struct pool_service *service, const struct courier_result *result, struct err *err)
{
	struct buf body = BUF_EMPTY(BUF_SMALL);
	courier_put_result(&body, result);
	const int sent = pool_reply(service, POOL_PROGRESS, buf_view(&body), err);
	buf_release(&body);
	return sent;
}

/* A result for every delivery of the run, whatever happens. Against a smarthost that is down the
 * rest is not tried one by one: it shares the reason, and is deferred. */
static int send_run(struct courier *courier, struct pool_service *service,
    const struct courier_run *run, struct err *err)
{
	struct courier_result result = {.smarthost_down = false};
	bool down = false;
	for (size_t i = 0; i < run->count; i++) {
		if (down) {
			result.id = run->deliveries[i].id;
			result.outcome = COURIER_DEFERRED;
			result.code = 0;
		} else {
			message_put(&courier->message, courier->tables, run, i);
			dialogue_send(
			    courier->connection, &run->deliveries[i], &courier->message, &result);
		}
		if (report(service, &result, err) != 0)
			return -1;
		if (!down && result.smarthost_down) {
			char why[COURIER_TEXT_SIZE];
			memcpy(why, result.text, sizeof why);
			courier_print(result.text, "not tried: %s", why);
			down = true;
		}
	}
	return pool_reply(service, POOL_ANSWER, VIEW(""), err);
}

/* As far as one can go without a mail. */
static int probe_envelope(struct courier *courier, struct pool_service *service,
    const struct courier_probe *asked, struct err *err)
{
	struct courier_result result;
	bool goes_on =
	    dialogue_probe(courier->connection, COURIER_STEP_SENDER, asked->sender, &result);
	int sent = report(service, &result, err);
	for (size_t i = 0; sent == 0 && goes_on && i < asked->count; i++) {
		goes_on = dialogue_probe(
		    courier->connection, COURIER_STEP_RECIPIENT, asked->recipients[i], &result);
		sent = report(service, &result, err);
	}
	dialogue_end_probe(courier->connection);
	return sent;
}

/* Somebody waits for the answer, so it comes sooner than a delivery would give up. */
static int probe(struct courier *courier, struct pool_service *service,
    const struct courier_probe *asked, struct err *err)
{
	static const struct connection_limits impatient = {
	    .connect = COURIER_PROBE_CONNECT_S * 1000,
	    .opening = COURIER_PROBE_OPENING_S * 1000,
	    .step = COURIER_PROBE_OPENING_S * 1000,
	    .final_dot = COURIER_PROBE_OPENING_S * 1000,
	    .least_rate = COURIER_LEAST_RATE,
	};
	struct courier_reply reply = {.code = 0};
	struct courier_result result = {
	    .id = COURIER_STEP_CONNECTION, .outcome = COURIER_SENT};
	const bool open = connection_probe(courier->connection, &impatient, &reply) == 0;
	if (open)
		courier_print(result.text, "%s", reply.text);
	else
		dialogue_judge(&reply, &result);
	int sent = report(service, &result, err);
	if (open && sent == 0)
		sent = probe_envelope(courier, service, asked, err);
	connection_end_probe(courier->connection);
	return sent == 0 ? pool_reply(service, POOL_ANSWER, VIEW(""), err) : -1;
}

/* Waits for the next request as long as an idle connection may live. */
static void idle(struct courier *courier, int fd)
{
	if (connection_is_open(courier->connection) &&
	    !socket_wait(
		fd, POLLIN, clock_monotonic_ms() + connection_limits_of(courier->connection)->idle))
		connection_close(courier->connection, true);
}

static int serve(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	struct courier *courier = context;
	struct courier_run run;
	struct courier_probe asked;
	if (type == COURIER_REQUEST_PROBE && courier_take_probe(body, &asked))
		return probe(courier, service, &asked, err);
	if (type == COURIER_REQUEST_WATCH && body.len == 0 && courier->watch != NULL)
		return watch_serve(courier->watch, service, err);
	if (type != COURIER_REQUEST_SEND || !courier_take_run(body, &run))
		return err_set(err, ERR_PEER, ERR_NEVER, "malformed request to the courier");
	if (send_run(courier, service, &run, err) != 0)
		return -1;
	idle(courier, service->fd);
	return 0;
}

int courier_main(const void *settings, int fd)
{
	const struct config *config = settings;
	struct courier courier = {
	    .tables = armor_tables_new(),
	    .connection = connection_new(config, &connection_limits_default),
	};
	struct err err;
	int status = EXIT_FAILURE;
	if (config->imap.server[0] != '\0')
		courier.watch = watch_new(config, &imap_limits_default);
	if (courier_confine(config, &err) == 0)
		status = pool_serve(fd, serve, &courier);
	else
		log_error("%s", err.text);
	connection_free(courier.connection);
	watch_free(courier.watch);
	message_release(&courier.message);
	armor_tables_free(courier.tables);
	return status;
}
