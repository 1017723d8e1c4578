/* Marks that tell one copy of a text from another. Pure.
 *
 * Each copy has a secret mark, 16 random bytes. From it and the words around a place follows what
 * stands in that place: which of four zero-width characters at the end of a word, a straight or a
 * curly apostrophe, how long a rule of our frame is. No place depends on another, so any part of
 * the text, reflowed, quoted and changed here and there, still speaks: this is a random code, read
 * by maximum likelihood. Without the mark nobody can say what would have to stand there, so nobody
 * can make a copy look like another's.
 *
 * Words that may be meant for a machine are left alone: only between two words of letters, in a
 * line that is not indented, stands a mark. Scripts without blanks between words bear none. */
#ifndef DEWLINE_RULES_TRACE_H
#define DEWLINE_RULES_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	TRACE_MARK_SIZE = 16,
	TRACE_TEXT_MAX = 1024 * 1024, /* bytes of a text that is marked */
	TRACE_SURE_PERMILLE = 990, /* from this confidence on a copy is named */
};

/* Appends the text with its marks. Returns how many there are. */
size_t trace_mark_text(
    struct buf *out, struct view text, const unsigned char mark[static TRACE_MARK_SIZE]);
/* Appends the whole letter, its rules (lines of hyphens) drawn at the lengths of this copy. */
void trace_mark_rules(
    struct buf *out, struct view letter, const unsigned char mark[static TRACE_MARK_SIZE]);

/* What stands in one place of a text that is looked into. */
struct trace_site {
	uint64_t anchor; /* of the words around it */
	unsigned kind;
	unsigned symbol;
};
struct trace_sites {
	struct trace_site *sites; /* each anchor once; freed by trace_release */
	size_t count;
};
void trace_read(struct view text, struct trace_sites *out);
void trace_release(struct trace_sites *sites);

/* How well a copy's mark explains what was read. */
struct trace_score {
	size_t matches;
	size_t sites; /* of so many */
	int64_t evidence; /* thousandths of a bit, against a text that came by chance */
};
struct trace_score trace_score(
    const struct trace_sites *sites, const unsigned char mark[static TRACE_MARK_SIZE]);

/* The copy that explains it best, and with what probability it is that one (0 to 1000) and neither
 * another nor none of them. Below TRACE_SURE_PERMILLE one cannot tell. 0 where too many places
 * disagree, as in a text that was put together from several copies. */
void trace_decide(const struct trace_score *scores, size_t count, size_t *best, unsigned *permille);

#endif
