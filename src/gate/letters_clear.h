/* The texts about answers that travelled in the clear. As letters.h: pure, UTF-8, LF, our own lines
 * at most 76 wide. They hold neither title nor token. */
#ifndef DEWLINE_GATE_LETTERS_CLEAR_H
#define DEWLINE_GATE_LETTERS_CLEAR_H

#include "base/buf.h"
#include "store/advisories.h"
#include "store/clear.h"

struct letter_clear {
	const char *fingerprint; /* of the gateway's key */
	const struct advisory *advisory;
	const struct revision *revision;
	int64_t now;
};

/* "[DEW-2026-0007 r1] Your answer travelled in the open". */
void letter_clear_subject(struct buf *out, const struct letter_clear *letter);
/* To the contact whose answer it was. */
void letter_clear_text(
    struct buf *out, const struct letter_clear *letter, const struct clear_answer *answer);

/* Label, drill, number: what each of these letters begins with. */
void letter_add_head(struct buf *out, const struct letter_clear *letter);
/* What it means that somebody else may have read what has this label. */
void letter_add_consequence(struct buf *out, const char *tlp);

/* The lines about one answer, and the letter to publisher and admins around them. */
void letter_add_clear(struct buf *out, const struct clear_answer *answer);
void letter_clear_alarm_subject(struct buf *out, const struct letter_clear *letter, size_t count);
void letter_clear_alarm_text(
    struct buf *out, const struct letter_clear *letter, struct view answers);

#endif
