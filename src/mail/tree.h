/* A raw mail as a tree of MIME entities, cut in one pass between its boundary lines.
 *
 * Every slice is exact: it points into the raw bytes and nothing is rewritten, which is what a
 * signature needs (RFC 3156 section 5). libetpan's own parser is not used for this: it rewrites
 * line ends, takes quadratic time on nested multiparts, and two parsers that disagree about where
 * a signed part ends are an attack. A message/rfc822 is a leaf: its inside is not looked at. */
#ifndef DEWLINE_MAIL_TREE_H
#define DEWLINE_MAIL_TREE_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "mail/reader.h"

#define TREE_NONE SIZE_MAX

struct tree_entity {
	char type[MAIL_TYPE_SIZE]; /* lower case; what RFC 2045 section 5.2 says when absent */
	struct view header; /* its fields, without the empty line */
	struct view body; /* undecoded; of a multipart all up to the end of its last part */
	struct view whole; /* header and body, without the line end before the next boundary */
	struct view epilogue; /* of a multipart: what stands behind its closing boundary */
	bool multipart;
	size_t parent; /* indexes into entities, TREE_NONE when there is none */
	size_t first; /* first child */
	size_t next; /* next child of the same parent */
	size_t end; /* one behind the last descendant */
};

struct tree {
	struct tree_entity *entities; /* a parent before its children; [0] is the mail itself */
	size_t count;
};

/* Cuts `raw`, which must outlive the tree. False, a reason and an empty tree when it is over a
 * limit or malformed. */
bool tree_read(struct view raw, const struct mail_limits *limits, struct tree *tree,
    char reason[static MAIL_REASON_SIZE]);
void tree_free(struct tree *tree);

/* True when the entity's type is the given one, "multipart/signed". */
bool tree_is(const struct tree_entity *entity, const char *type);

/* Appends bytes with every bare LF brought to CR LF (RFC 3156 section 5). */
void tree_add_canonical(struct buf *out, struct view bytes);

#endif
