/* The files in which people hand certificates over, as their programs and mailboxes leave them:
 * binary, or armored blocks with any text around them. Internal but for keyfile_is.
 *
 * What is a message is read strictly (armor.h), because what was signed must be what a person saw. A
 * certificate proves itself, so its armor may look as it likes while it is clear what stands in it:
 * UTF-8 and UTF-16 with or without a byte order mark, every kind of line end, no empty line below
 * BEGIN or one of blanks, blanks and ">" in front, dashes escaped by a signature around it, HTML,
 * "=3D" of a mail's source, no checksum or a wrong one. */
#ifndef DEWLINE_PGP_KEYFILE_H
#define DEWLINE_PGP_KEYFILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define KEYFILE_SECRET                                                                             \
	"this is a secret key: never send it; export the public certificate (gpg --export)"

struct keyfile {
	struct view rest; /* what is left of it */
	struct buf plain; /* all of it brought to ASCII, where it was not */
	size_t line; /* how many lines were cut off */
	bool binary;
	bool in_signed; /* a text with a signature around it has begun */
};

struct keyfile_block {
	size_t line; /* of its BEGIN line, from 1; 0: the file is binary, and this is all of it */
	struct buf packets; /* the caller's */
	bool whole;
	struct err fault; /* ERR_MESSAGE, where it is not */
};

/* The content must stay where it is until keyfile_close. */
void keyfile_open(struct keyfile *file, struct view content);
void keyfile_close(struct keyfile *file);

/* The next block of a certificate, or of what is none and says so. False: there is no more. */
bool keyfile_next(struct keyfile *file, struct keyfile_block *block);

/* Fills err (ERR_MESSAGE) for a file that has no block at all: with what it may be. Returns -1. */
int keyfile_nothing(struct view content, struct err *err);

/* Whether a certificate begins somewhere in it, armored. */
bool keyfile_is(struct view content);

#endif
