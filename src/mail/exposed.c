#include "config.h"

#include "mail/exposed.h"
#include "mail/part.h"

enum { INSIDE_MAX = 3 }; /* mails in mails */

static void find_in(const struct tree *tree, const struct mail_limits *limits, int inside,
    struct token_list *list);

static void look_inside(
    struct view mail, const struct mail_limits *limits, int inside, struct token_list *list)
{
	struct tree tree;
	char ignored[MAIL_REASON_SIZE];
	char subject[MAIL_SUBJECT_SIZE];
	if (!tree_read(mail, limits, &tree, ignored))
		return;
	if (part_subject(tree.entities[0].header, subject))
		token_find(view_of(subject), list);
	find_in(&tree, limits, inside + 1, list);
	tree_free(&tree);
}

static void look_at_leaf(const struct tree_entity *entity, const struct mail_limits *limits,
    int inside, struct token_list *list)
{
	/* A byte of an old charset grows to three at most. */
	struct buf text = BUF_EMPTY(entity->whole.len * 3 + 1);
	if (tree_is(entity, "text/plain") || tree_is(entity, "text/html"))
		part_text(entity, &text);
	else
		part_decode(entity, &text);
	token_find(buf_view(&text), list);
	if (tree_is(entity, "message/rfc822") && inside < INSIDE_MAX)
		look_inside(buf_view(&text), limits, inside, list);
	buf_release(&text);
}

static void find_in(const struct tree *tree, const struct mail_limits *limits, int inside,
    struct token_list *list)
{
	for (size_t at = 0; at < tree->count; at++) {
		if (!tree->entities[at].multipart)
			look_at_leaf(&tree->entities[at], limits, inside, list);
	}
}

void exposed_find(
    const struct tree *tree, const struct mail_limits *limits, struct token_list *list)
{
	find_in(tree, limits, 0, list);
}
