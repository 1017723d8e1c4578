#include "config.h"

#include <stdio.h>
#include <string.h>

#include "mail/armor.h"
#include "mail/dsn.h"
#include "mail/exposed.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/part.h"
#include "mail/shape.h"

enum {
	CONTAINERS_MAX =
	    3, /* multiparts around an OpenPGP part: a list's, a gateway's, the sender's */
};

/* The one OpenPGP part of a mail, and what was seen on the way to it. */
struct finder {
	const struct tree *tree;
	struct mail_outline *out;
	struct buf *store;
	size_t found; /* OpenPGP parts */
	size_t attached; /* attachments that are OpenPGP parts, should there be no other */
	bool text_beside; /* something outside the OpenPGP part would be shown */
	bool lost; /* a signature that stands beside what it may once have been over */
	bool smime;
	bool tnef;
	bool attached_beside; /* an attachment that is no OpenPGP part */
	enum mail_shape attached_shape;
	struct span message;
	struct span signature;
};

struct view span_view(struct span span, const struct buf *store)
{
	return view_part(buf_view(store), span.from, span.len);
}

static bool has_parameter(const struct tree_entity *entity, const char *name)
{
	struct field_structured field;
	struct buf ignored = BUF_EMPTY(BUF_SMALL);
	part_type(entity, &field);
	const bool has = field_parameter(&field, name, &ignored);
	buf_release(&ignored);
	return has;
}

/* The child of that number, from 0 on; TREE_NONE when there is none. */
static size_t child(const struct tree *tree, size_t index, size_t number)
{
	size_t at = tree->entities[index].first;
	while (at != TREE_NONE && number-- > 0)
		at = tree->entities[at].next;
	return at;
}

static bool child_is(const struct tree *tree, size_t index, size_t number, const char *type)
{
	const size_t at = child(tree, index, number);
	return at != TREE_NONE && tree_is(&tree->entities[at], type);
}

bool shape_is_signed(const struct tree *tree, size_t index)
{
	const struct tree_entity *entity = &tree->entities[index];
	return tree_is(entity, "multipart/signed") &&
	       child_is(tree, index, 1, "application/pgp-signature") &&
	       (part_type_is(entity, "protocol", "application/pgp-signature") ||
		   !has_parameter(entity, "protocol"));
}

bool shape_has_beside(const struct tree *tree, size_t index)
{
	return child(tree, index, 2) != TREE_NONE ||
	       view_trim(tree->entities[index].epilogue).len > 0;
}

void shape_cut_signed(const struct tree *tree, size_t index, struct buf *store,
    struct span *message, struct span *signature)
{
	message->from = store->len;
	tree_add_canonical(store, tree->entities[child(tree, index, 0)].whole);
	message->len = store->len - message->from;
	signature->from = store->len;
	part_decode(&tree->entities[child(tree, index, 1)], store);
	signature->len = store->len - signature->from;
}

bool shape_is_report(const struct tree *tree, size_t index)
{
	const struct tree_entity *entity = &tree->entities[index];
	if (!tree_is(entity, "multipart/report"))
		return false;
	if (part_type_is(entity, "report-type", "delivery-status") ||
	    part_type_is(entity, "report-type", "disposition-notification"))
		return true;
	for (size_t at = entity->first; at != TREE_NONE; at = tree->entities[at].next)
		if (tree_is(&tree->entities[at], "message/delivery-status") ||
		    tree_is(&tree->entities[at], "message/global-delivery-status") ||
		    tree_is(&tree->entities[at], "message/disposition-notification") ||
		    tree_is(&tree->entities[at], "message/global-disposition-notification"))
			return true;
	return false;
}

static void found_one(struct finder *finder, enum mail_shape shape)
{
	finder->found++;
	finder->out->shape = shape;
}

static void refuse(struct finder *finder, enum mail_shape shape, const char *why)
{
	finder->out->shape = shape;
	limits_refuse(finder->out->reason, "%s", why);
}

/* Armor into the store. Its last line may have lost its end to a boundary. */
static struct span store_armor(struct buf *store, struct view block)
{
	struct span span = {store->len, 0};
	buf_add_view(store, block);
	if (block.len > 0 && block.data[block.len - 1] != '\n')
		buf_add_char(store, '\n');
	span.len = store->len - span.from;
	return span;
}

static struct span store_bytes(struct buf *store, struct view bytes)
{
	struct span span = {store->len, 0};
	buf_add_view(store, bytes);
	span.len = store->len - span.from;
	return span;
}

/* An encrypted message as its own part: armored, or binary as it is. */
static void take_encrypted(struct finder *finder, size_t index)
{
	struct buf data = BUF_EMPTY(finder->store->max);
	struct armor armor;
	found_one(finder, MAIL_ENCRYPTED);
	part_decode(&finder->tree->entities[index], &data);
	armor_find(buf_view(&data), &armor);
	if (armor.kind == ARMOR_MANY)
		refuse(finder, MAIL_MANY, "more than one armored message in the encrypted part");
	finder->message = armor.kind == ARMOR_MESSAGE ? store_armor(finder->store, armor.block)
						      : store_bytes(finder->store, buf_view(&data));
	finder->store->overflow = finder->store->overflow || data.overflow;
	buf_release(&data);
}

/* Webmail writes the empty line below an armor's headers, and whatever follows a blank, as a blank
 * that does not break: U+00A0 in UTF-8, or the one byte of Latin charsets. What is encrypted has
 * neither of them. */
static void blank_unbreakable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\xa0' ||
		    (text[i] == '\xc2' && i + 1 < len && text[i + 1] == '\xa0'))
			text[i] = ' ';
}

/* Armor in the text of a part, whose bytes must stay as they were signed: no charset is undone. */
static void take_inline(struct finder *finder, const struct armor *armor)
{
	finder->message = store_armor(finder->store, armor->block);
	if (armor->kind == ARMOR_MESSAGE && !finder->store->overflow)
		blank_unbreakable(finder->store->data + finder->message.from, finder->message.len);
	finder->text_beside = finder->text_beside || !armor->alone;
	if (armor->kind == ARMOR_BROKEN)
		refuse(finder, MAIL_BROKEN, "an armored message without its end");
	else if (armor->kind == ARMOR_MANY)
		refuse(finder, MAIL_MANY, "more than one armored message in the text");
}

static void look_at_text(struct finder *finder, size_t index)
{
	struct buf text = BUF_EMPTY(finder->store->max);
	struct armor armor;
	part_decode(&finder->tree->entities[index], &text);
	armor_find(buf_view(&text), &armor);
	if (armor.kind == ARMOR_NONE) {
		finder->text_beside = finder->text_beside || view_trim(buf_view(&text)).len > 0;
	} else {
		found_one(finder,
		    armor.kind == ARMOR_SIGNED ? MAIL_INLINE_SIGNED : MAIL_INLINE_ENCRYPTED);
		if (finder->found == 1)
			take_inline(finder, &armor);
	}
	finder->store->overflow = finder->store->overflow || text.overflow;
	buf_release(&text);
}

/* HTML is either the other face of an armored text, or all there is of it, or text beside it. A
 * signature does not survive it. */
static void look_at_html(struct finder *finder, size_t index, bool alternative)
{
	struct buf text = BUF_EMPTY(finder->store->max);
	struct armor armor;
	part_text(&finder->tree->entities[index], &text);
	armor_find(buf_view(&text), &armor);
	if (armor.kind == ARMOR_NONE || (alternative && finder->found > 0)) {
		finder->text_beside = finder->text_beside || !armor.alone;
	} else if (armor.kind == ARMOR_MESSAGE) {
		found_one(finder, MAIL_INLINE_ENCRYPTED);
		if (finder->found == 1)
			take_inline(finder, &armor);
	} else {
		finder->text_beside = true;
		finder->lost = finder->lost || armor.kind == ARMOR_SIGNED;
	}
	finder->store->overflow = finder->store->overflow || text.overflow;
	buf_release(&text);
}

static bool is_one_of(const struct tree_entity *entity, const char *const *types)
{
	for (; *types != NULL; types++)
		if (tree_is(entity, *types))
			return true;
	return false;
}

/* Attached armor is the mail's OpenPGP part only when there is no other: with an inline message
 * come attachments that were encrypted each on its own. */
static void look_at_attachment(struct finder *finder, const struct tree_entity *entity)
{
	static const char *const types[] = {
	    "application/octet-stream", "application/pgp-encrypted", NULL};
	struct buf data = BUF_EMPTY(finder->store->max);
	struct armor armor = {ARMOR_NONE, {"", 0}, false};
	if (is_one_of(entity, types)) {
		part_decode(entity, &data);
		armor_find(buf_view(&data), &armor);
	}
	const bool version = tree_is(entity, "application/pgp-encrypted") &&
			     view_is(view_trim(buf_view(&data)), "Version: 1");
	if ((armor.kind == ARMOR_MESSAGE || armor.kind == ARMOR_SIGNED) && armor.alone) {
		finder->attached++;
		if (finder->found == 0 && finder->attached == 1) {
			finder->message = store_armor(finder->store, armor.block);
			finder->attached_shape = armor.kind == ARMOR_SIGNED
						     ? MAIL_ATTACHED_SIGNED
						     : MAIL_ATTACHED_ENCRYPTED;
		}
	} else if (!version && view_trim(entity->body).len > 0) {
		finder->attached_beside = true;
	}
	finder->store->overflow = finder->store->overflow || data.overflow;
	buf_release(&data);
}

/* What else it may be, for a name when it is nothing of OpenPGP. */
static void look_for_others(struct finder *finder, const struct tree_entity *entity)
{
	static const char *const smime[] = {"application/pkcs7-mime", "application/x-pkcs7-mime",
	    "application/pkcs7-signature", "application/x-pkcs7-signature", NULL};
	static const char *const tnef[] = {"application/ms-tnef", "application/vnd.ms-tnef", NULL};
	finder->lost = finder->lost || tree_is(entity, "application/pgp-signature");
	finder->smime = finder->smime || is_one_of(entity, smime);
	finder->tnef = finder->tnef || is_one_of(entity, tnef);
}

static bool is_exchange_version(const struct tree *tree, size_t index)
{
	const struct tree_entity *entity = &tree->entities[index];
	return tree_is(entity, "application/pgp-encrypted") && entity->next != TREE_NONE &&
	       tree_is(&tree->entities[entity->next], "application/octet-stream");
}

static void look_at_leaf(struct finder *finder, size_t index, bool alternative)
{
	const struct tree_entity *entity = &finder->tree->entities[index];
	look_for_others(finder, entity);
	if (tree_is(entity, "text/plain") || tree_is(entity, "application/pgp"))
		look_at_text(finder, index);
	else if (tree_is(entity, "text/html"))
		look_at_html(finder, index, alternative);
	else
		look_at_attachment(finder, entity);
}

static bool is_container(const struct tree_entity *entity)
{
	return tree_is(entity, "multipart/mixed") || tree_is(entity, "multipart/alternative") ||
	       tree_is(entity, "multipart/related");
}

static void look_at(struct finder *finder, size_t index, size_t containers, bool alternative);

/* The parts of a multipart from `at` on; behind them nothing may hide. */
static void look_at_parts(
    struct finder *finder, size_t index, size_t at, size_t containers, bool alternative)
{
	const struct tree *tree = finder->tree;
	for (; at != TREE_NONE; at = tree->entities[at].next) {
		if (is_exchange_version(tree, at)) {
			at = tree->entities[at].next;
			take_encrypted(finder, at);
		} else {
			look_at(finder, at, containers, alternative);
		}
	}
	if (view_trim(tree->entities[index].epilogue).len > 0)
		finder->text_beside = true;
}

static void look_at_multipart(
    struct finder *finder, size_t index, size_t containers, bool alternative)
{
	const struct tree *tree = finder->tree;
	const struct tree_entity *entity = &tree->entities[index];
	size_t rest = entity->first;
	if (tree_is(entity, "multipart/encrypted")) {
		if (!child_is(tree, index, 0, "application/pgp-encrypted") ||
		    child(tree, index, 1) == TREE_NONE) {
			found_one(finder, MAIL_ENCRYPTED);
			refuse(finder, MAIL_BROKEN, "a multipart/encrypted that is not OpenPGP's");
			return;
		}
		take_encrypted(finder, child(tree, index, 1));
		rest = child(tree, index, 2);
	} else if (shape_is_signed(tree, index)) {
		found_one(finder, MAIL_SIGNED);
		shape_cut_signed(tree, index, finder->store, &finder->message, &finder->signature);
		rest = child(tree, index, 2);
	} else if (!is_container(entity) || containers == CONTAINERS_MAX) {
		finder->text_beside = true; /* not a place where OpenPGP is looked for */
		for (; rest != TREE_NONE; rest = tree->entities[rest].next)
			look_for_others(finder, &tree->entities[rest]);
		return;
	}
	look_at_parts(finder, index, rest, containers + 1,
	    alternative || tree_is(entity, "multipart/alternative"));
}

static void look_at(struct finder *finder, size_t index, size_t containers, bool alternative)
{
	if (finder->tree->entities[index].multipart)
		look_at_multipart(finder, index, containers, alternative);
	else
		look_at_leaf(finder, index, alternative);
}

bool shape_is_openpgp(enum mail_shape shape)
{
	switch (shape) {
	case MAIL_ENCRYPTED:
	case MAIL_SIGNED:
	case MAIL_INLINE_ENCRYPTED:
	case MAIL_INLINE_SIGNED:
	case MAIL_ATTACHED_ENCRYPTED:
	case MAIL_ATTACHED_SIGNED:
		return true;
	case MAIL_PLAIN:
	case MAIL_REPORT:
	case MAIL_MANY:
	case MAIL_BROKEN:
	case MAIL_SIGNATURE_LOST:
	case MAIL_SMIME:
	case MAIL_TNEF:
	case MAIL_REFUSED:
		break;
	}
	return false;
}

/* No part is OpenPGP by its type or text. */
static void decide_without(struct finder *finder)
{
	struct mail_outline *out = finder->out;
	finder->text_beside = finder->text_beside || finder->attached_beside;
	if (finder->attached > 0)
		out->shape = finder->attached_shape;
	else if (finder->lost)
		out->shape = MAIL_SIGNATURE_LOST;
	else if (finder->smime)
		out->shape = MAIL_SMIME;
	else if (finder->tnef)
		out->shape = MAIL_TNEF;
}

static void decide(struct finder *finder)
{
	struct mail_outline *out = finder->out;
	if (shape_is_report(finder->tree, 0)) {
		out->shape = MAIL_REPORT;
		out->automatic = true;
		return;
	}
	look_at(finder, 0, 0, false);
	if (finder->found == 0)
		decide_without(finder);
	else
		finder->text_beside =
		    finder->text_beside || finder->attached_beside || finder->attached > 0;
	if (finder->found > 1 || (finder->found == 0 && finder->attached > 1))
		refuse(finder, MAIL_MANY, "more than one OpenPGP part");
	if (finder->store->overflow)
		refuse(finder, MAIL_REFUSED, "too large");
	if (!shape_is_openpgp(out->shape))
		return;
	out->whole = !finder->text_beside;
	out->message = span_view(finder->message, finder->store);
	out->signature = span_view(finder->signature, finder->store);
}

void mail_read_outline(
    struct view raw, const struct mail_limits *limits, struct buf *store, struct mail_outline *out)
{
	struct tree tree;
	memset(out, 0, sizeof *out);
	out->message = out->signature = view_of("");
	if (!tree_read(raw, limits, &tree, out->reason)) {
		out->shape = MAIL_REFUSED;
		dsn_read_unsound(raw, limits, out);
		return;
	}
	out->automatic = field_automatic(tree.entities[0].header);
	if (part_subject(tree.entities[0].header, out->subject))
		token_find(view_of(out->subject), &out->subject_tokens);
	exposed_find(&tree, limits, &out->tokens);
	dsn_read_addresses(tree.entities[0].header, out);
	dsn_read(&tree, limits, &out->bounce);
	struct finder finder = {.tree = &tree, .out = out, .store = store};
	decide(&finder);
	tree_free(&tree);
}
