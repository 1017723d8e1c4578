/* Finding OpenPGP ASCII armor in text (RFC 9580 sections 6.2 and 7). */
#ifndef DEWLINE_MAIL_ARMOR_H
#define DEWLINE_MAIL_ARMOR_H

#include <stdbool.h>

#include "base/buf.h"

enum armor_kind {
	ARMOR_NONE,
	ARMOR_MESSAGE, /* encrypted, or signed in one piece */
	ARMOR_SIGNED, /* cleartext signed text, with its signature */
	ARMOR_BROKEN, /* begins and does not end */
	ARMOR_MANY, /* more than one of them */
};

struct armor {
	enum armor_kind kind;
	struct view block; /* from its first to its last line, with the line end */
	bool alone; /* nothing but white space around it */
};

/* Only a marker at the start of a line counts, so quoted armor is none. Keys are no armor here. */
void armor_find(struct view text, struct armor *out);

#endif
