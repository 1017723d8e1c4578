/* What admins and publishers are told of mail that the smarthost does not take. */
#ifndef DEWLINE_GATE_LETTERS_UNSENT_H
#define DEWLINE_GATE_LETTERS_UNSENT_H

#include "base/buf.h"
#include "store/messages.h"

/* Appends who it is, of which member ("": of none), since when, and the smarthost's last words. */
void letter_add_not_taken(
    struct buf *out, const struct delivery *delivery, const char *member, int64_t now);

struct letter_not_taken {
	const char *what; /* "DEW-2026-0007 r1", or "" for what is no advisory */
	struct view waiting; /* lines of letter_add_not_taken */
	struct view failed; /* likewise */
	size_t waiting_count; /* not all of whom need to be named */
	size_t failed_count;
};

void letter_not_taken(struct buf *out, const struct letter_not_taken *letter);

#endif
