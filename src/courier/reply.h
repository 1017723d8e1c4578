/* What the server said, or how the connection broke, and lines about it for people. */
#ifndef DEWLINE_COURIER_REPLY_H
#define DEWLINE_COURIER_REPLY_H

#include "base/buf.h"
#include "courier/classify.h"
#include "courier/courier.h"

struct courier_reply {
	enum courier_phase phase;
	int code; /* 0: no reply; then `text` is a reason */
	char text[COURIER_TEXT_SIZE]; /* the reply's lines behind the code, put on one line */
};

/* Prints one line that a terminal or a log can show: control characters are made visible, and what
 * does not fit is cut off between characters. */
void courier_print(char out[static COURIER_TEXT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The lines of a reply without their codes. */
void reply_set(struct courier_reply *reply, enum courier_phase phase, int code, struct view lines);
/* No reply, and why. */
void reply_set_reason(struct courier_reply *reply, enum courier_phase phase, const char *reason);

#endif
