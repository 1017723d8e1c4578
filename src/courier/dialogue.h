/* Handing one message over: MAIL, RCPT, DATA (RFC 5321 section 3.3). */
#ifndef DEWLINE_COURIER_DIALOGUE_H
#define DEWLINE_COURIER_DIALOGUE_H

#include <stdbool.h>

#include "courier/connection.h"
#include "courier/courier.h"
#include "courier/message.h"

/* Opens the connection when needed, sends, and fills all of `result`. Afterwards the connection is
 * either ready for the next message or closed. A server may end a connection between two messages
 * (a limit, an idle time-out): then it is opened anew, once, and nothing is lost. When the result
 * says smarthost_down, what else waits for the smarthost should not be tried now. */
void dialogue_send(struct connection *connection, const struct courier_delivery *delivery,
    const struct courier_message *message, struct courier_result *result);

/* One step of a probe on a connection that is open, with the address it is about. Fills all of
 * `result`, the id with the step. True when the dialogue may go on. dialogue_end_probe makes the server
 * forget what was said. */
bool dialogue_probe(struct connection *connection, enum courier_step step, const char *address,
    struct courier_result *result);
void dialogue_end_probe(struct connection *connection);

/* Fills all of `result` but the id from a reply that ended an attempt. */
void dialogue_judge(const struct courier_reply *reply, struct courier_result *result);

#endif
