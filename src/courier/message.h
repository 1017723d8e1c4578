/* One message ready for the wire: put together, and made transparent for DATA. */
#ifndef DEWLINE_COURIER_MESSAGE_H
#define DEWLINE_COURIER_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "courier/armor.h"
#include "courier/courier.h"

struct courier_message {
	struct buf bytes; /* dots doubled (RFC 5321 section 4.5.2), ends with CR LF, no final dot */
	size_t size; /* bytes before the doubling: what SIZE counts (RFC 1870) */
};

/* True when every line ends with CR LF, the last one too, with no other CR or LF and no NUL, and is
 * at most 998 characters long (RFC 5322 section 2.1.1). Empty text is true. */
bool message_is_lines(struct view text);

/* Puts delivery `index` of the run into `message`, whose former content is dropped and whose memory
 * is used again. `message` begins as all zero bytes. */
void message_put(struct courier_message *message, const struct armor_tables *tables,
    const struct courier_run *run, size_t index);
void message_release(struct courier_message *message);

#endif
