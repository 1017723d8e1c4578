/* One response of an IMAP server (RFC 3501 section 7), taken apart. Pure.
 *
 * Not libetpan's parser: that one calls itself for every "(", so that 20 kB of them from a server
 * end the process by a stack overflow; it gives up the connection over any attribute of a message
 * that it does not know; and it keeps no order among EXISTS, EXPUNGE and FETCH. What we ask for
 * needs little: this one walks each response once, without recursion, and passes over the rest. */
#ifndef DEWLINE_COURIER_IMAP_RESPONSE_H
#define DEWLINE_COURIER_IMAP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum imap_kind {
	IMAP_OK, /* these three may be tagged: then they end a command */
	IMAP_NO,
	IMAP_BAD,
	IMAP_BYE,
	IMAP_PREAUTH,
	IMAP_CONTINUE, /* "+" */
	IMAP_CAPABILITY,
	IMAP_EXISTS,
	IMAP_EXPUNGE,
	IMAP_FETCH,
	IMAP_OTHER, /* well-formed as far as we care, and none of ours */
};

/* What a FETCH says about one message. */
struct imap_fetch {
	uint32_t uid; /* 0: not said */
	bool has_size;
	uint64_t size; /* RFC822.SIZE, bytes */
	bool has_body; /* BODY[] with a string; NIL is none */
	struct view body; /* the whole message */
};

struct imap_response {
	enum imap_kind kind;
	struct view tag; /* empty: untagged */
	uint32_t number; /* of EXISTS, EXPUNGE, FETCH */
	struct view code; /* what stands in [ ] of OK, NO, BAD, BYE, PREAUTH, or empty */
	struct view text; /* for people; the words of CAPABILITY */
	struct imap_fetch fetch;
};

/* Takes a response apart. `text` is all its lines without their line ends, where each literal is
 * left out but for its "{123}"; `literals` is the bytes of the literals, one behind the other.
 * Views point into both. False when it is malformed. */
bool imap_take_response(struct view text, struct view literals, struct imap_response *out);

/* The length of the literal that a line announces at its end, "{123}" (RFC 3501 section 4.3).
 * `line` is the response so far. False where there is none: a status response is text to its end,
 * whatever that looks like. */
bool imap_literal_follows(struct view line, uint64_t *len);

/* The number behind a code of this name ("UIDVALIDITY 3857529045"); false when the code is another
 * or its number not from 1 to 2^32 - 1. */
bool imap_code_number(struct view code, const char *name, uint32_t *number);

/* True when a word of that name stands among the words, ASCII case ignored. */
bool imap_has_word(struct view words, const char *name);

#endif
