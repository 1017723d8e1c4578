/* What of an answer is quoted from the mail that it answers. Pure.
 *
 * Better a quotation taken for the sender's own words than the sender's own words lost. */
#ifndef DEWLINE_RULES_QUOTING_H
#define DEWLINE_RULES_QUOTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The mark in front of quoted lines, when it is another than ">". */
struct quoting {
	struct view mark; /* "|", "AB>", or empty */
};

/* Finds the mark by the line that quotes the token, `Token: ABCD...`, which the gateway wrote and
 * every line of whose mail the same mark stands in front of. */
struct quoting quoting_find(struct view text);

/* True for a quoted line. */
bool quoting_is(const struct quoting *quoting, struct view line);

/* "On Monday, somebody wrote:" and its like, before a quotation: one line that ends with a colon,
 * or up to three that were wrapped, or of which the first is a date alone. Whatever the language,
 * the colon is there; of several lines the first must begin as introductions do, or hold a date or
 * an address, so that the sender's own words above one are not taken for its beginning. Returns how
 * many lines of `text`, from its first, are such; 0: none. */
size_t quoting_introduction(const struct quoting *quoting, struct view text);

/* True when a mail program that wraps lines may have cut between the two: the first is no longer
 * than they allow, and the first word of the next one did not fit on it. */
bool quoting_is_wrapped(struct view line, struct view next);

/* True when at the front of `text` begins the original mail as some programs put it below an
 * answer, without a mark on each line: "-----Original Message-----", or the original's header with
 * a Subject that holds a token. */
bool quoting_is_original(struct view text);

#endif
