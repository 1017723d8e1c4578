#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mail/charset.h"
#include "mail/csaf.h"
#include "mail/exposed.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/part.h"
#include "mail/shape.h"

#define INNER_MARK "pEp-Wrapped-Message-Info: INNER"

/* A reading under way. Views are made at the end, when the store moves no more. */
struct reading {
	const struct tree *tree;
	const struct mail_limits *limits;
	struct buf *store;
	struct mail_content *out;
	size_t text_part; /* entity that the text is taken from, or TREE_NONE */
	struct span text;
	struct span message;
	struct span signature;
	struct span csaf;
	struct span parts[MAIL_PARTS_MAX];
};

static void unreadable(struct mail_content *out, const char *why)
{
	out->readable = false;
	limits_refuse(out->reason, "%s", why);
}

/* Plaintext of inline OpenPGP is bare text, and a control block looks like a header. A MIME entity
 * is what has a field of MIME's own among its first lines. */
static bool is_entity(struct view bytes)
{
	struct view line;
	struct view name;
	struct view value;
	while (view_next_line(&bytes, &line) && line.len > 0) {
		const bool continued = line.data[0] == ' ' || line.data[0] == '\t';
		struct view rest = line;
		if (!continued && !field_next(&rest, &name, &value))
			return false;
		if (!continued &&
		    (view_is_nocase(name, "Content-Type") || view_is_nocase(name, "MIME-Version") ||
			view_is_nocase(name, "Content-Transfer-Encoding")))
			return true;
	}
	return false;
}

static bool is_attached(const struct tree_entity *entity)
{
	struct view value;
	struct field_structured field;
	field_find(entity->header, "Content-Disposition", &value);
	field_structure(value, &field);
	return strcmp(field.word, "attachment") == 0;
}

/* Old mailers repeat the protected headers as a part to be shown ("memory hole", and the Legacy
 * Display part of draft-autocrypt-lamps-protected-headers). */
static bool is_repeated_header(const struct tree *tree, size_t index)
{
	const struct tree_entity *entity = &tree->entities[index];
	return index > 0 && !entity->multipart &&
	       part_type_is(entity, "protected-headers", "v1") &&
	       (tree_is(entity, "text/rfc822-headers") || tree_is(entity, "text/plain"));
}

static bool is_shown_text(const struct tree *tree, size_t index, const char *type)
{
	return tree_is(&tree->entities[index], type) && !is_attached(&tree->entities[index]) &&
	       !is_repeated_header(tree, index);
}

/* The first text with something in it: plain before HTML, an empty one only for want of a better.
 */
static size_t choose_text(const struct tree *tree)
{
	static const char *const types[] = {"text/plain", "text/html"};
	size_t empty = TREE_NONE;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		for (size_t at = 0; at < tree->count; at++) {
			if (!is_shown_text(tree, at, types[i]))
				continue;
			if (view_trim(tree->entities[at].body).len > 0)
				return at;
			if (empty == TREE_NONE)
				empty = at;
		}
	}
	return empty;
}

/* Text, plain or HTML, in the same multipart/alternative as the chosen text says the same again. */
static bool is_same_again(const struct reading *reading, size_t index)
{
	const struct tree *tree = reading->tree;
	if (!is_shown_text(tree, index, "text/plain") && !is_shown_text(tree, index, "text/html"))
		return false;
	size_t at = tree->entities[index].parent;
	for (; at != TREE_NONE; at = tree->entities[at].parent)
		if (tree_is(&tree->entities[at], "multipart/alternative") &&
		    reading->text_part > at && reading->text_part < tree->entities[at].end)
			return true;
	return false;
}

/* RFC 9788 section 5.2.2: such a text begins with header lines for old readers, up to an empty
 * line. */
static struct view without_legacy_display(struct view text)
{
	struct view rest = text;
	struct view line;
	while (view_next_line(&rest, &line))
		if (line.len == 0)
			return rest;
	return text;
}

/* pEp writes its mark above the text, with the Subject, and an empty line. */
static struct view without_inner_mark(struct view text)
{
	return view_starts_nocase(text, INNER_MARK) ? without_legacy_display(text) : text;
}

static void read_text(struct reading *reading)
{
	if (reading->text_part == TREE_NONE)
		return;
	const struct tree_entity *entity = &reading->tree->entities[reading->text_part];
	struct buf text = BUF_EMPTY(reading->store->max);
	part_text(entity, &text);
	struct view shown = without_inner_mark(buf_view(&text));
	if (part_type_is(entity, "hp-legacy-display", "1"))
		shown = without_legacy_display(shown);
	reading->text.from = reading->store->len;
	buf_add_view(reading->store, shown);
	reading->text.len = reading->store->len - reading->text.from;
	reading->store->overflow = reading->store->overflow || text.overflow;
	reading->out->has_text = true;
	buf_release(&text);
}

/* The last part of a path, without what could deceive the eye. */
static void clean_name(struct view name, char out[static MAIL_NAME_SIZE])
{
	size_t used = 0;
	for (size_t i = name.len; i > 0; i--)
		if (name.data[i - 1] == '/' || name.data[i - 1] == '\\') {
			name = view_part(name, i, name.len);
			break;
		}
	name = view_trim(name);
	while (name.len > 0) {
		const size_t len = charset_character(name);
		const bool bad = len == 0 || charset_is_deceiving(name.data, len);
		if (!bad && used + len >= MAIL_NAME_SIZE)
			break;
		if (!bad) {
			memcpy(out + used, name.data, len);
			used += len;
		}
		name = view_part(name, len == 0 ? 1 : len, name.len);
	}
	out[used] = '\0';
	if (strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
		out[0] = '\0';
}

static void read_name(const struct tree_entity *entity, char out[static MAIL_NAME_SIZE])
{
	struct view value;
	struct field_structured field;
	struct buf name = BUF_EMPTY(BUF_SMALL);
	field_find(entity->header, "Content-Disposition", &value);
	field_structure(value, &field);
	if (!field_parameter(&field, "filename", &name)) {
		field_find(entity->header, "Content-Type", &value);
		field_structure(value, &field);
		field_parameter(&field, "name", &name);
	}
	clean_name(buf_view(&name), out);
	buf_release(&name);
}

static bool read_attachment(struct reading *reading, size_t index)
{
	const struct tree_entity *entity = &reading->tree->entities[index];
	struct mail_content *out = reading->out;
	if (out->part_count == MAIL_PARTS_MAX)
		return limits_refuse(out->reason, "more than %d attachments", MAIL_PARTS_MAX);
	struct span *span = &reading->parts[out->part_count];
	struct mail_part *part = &out->parts[out->part_count++];
	view_copy(view_of(entity->type), part->type, sizeof part->type);
	read_name(entity, part->name);
	const bool shown = tree_is(entity, "text/plain") || tree_is(entity, "text/html");
	part->attachment = !shown || is_attached(entity);
	span->from = reading->store->len;
	if (tree_is(entity, "text/plain") && !part->attachment)
		part_text(entity, reading->store);
	else
		part_decode(entity, reading->store);
	span->len = reading->store->len - span->from;
	return true;
}

/* An empty text that is not the chosen one: nothing would be lost or gained by it. */
static bool is_empty_text(const struct tree *tree, size_t index)
{
	return (is_shown_text(tree, index, "text/plain") ||
		   is_shown_text(tree, index, "text/html")) &&
	       view_trim(tree->entities[index].body).len == 0;
}

static bool read_attachments(struct reading *reading)
{
	const struct tree *tree = reading->tree;
	for (size_t at = 0; at < tree->count; at++) {
		if (tree->entities[at].multipart || at == reading->text_part ||
		    is_repeated_header(tree, at) || is_same_again(reading, at) ||
		    is_empty_text(tree, at))
			continue;
		if (!read_attachment(reading, at))
			return false;
	}
	return true;
}

/* The protected Subject: on the root of what was signed, which covers it whether or not the root
 * says hp= (RFC 9788) or protected-headers= too; failing that, in a part that repeats the headers.
 */
static void read_subject(struct reading *reading)
{
	const struct tree *tree = reading->tree;
	struct mail_content *out = reading->out;
	bool found = part_subject(tree->entities[0].header, out->subject);
	for (size_t at = 1; !found && at < tree->count; at++)
		if (is_repeated_header(tree, at)) {
			struct buf lines = BUF_EMPTY(BUF_SMALL);
			part_decode(&tree->entities[at], &lines);
			found =
			    !lines.overflow && part_subject(buf_view(&lines), out->subject);
			buf_release(&lines);
		}
}

/* Looks at copies of the parts, because the store moves while text is added to it. */
static void read_csaf(struct reading *reading)
{
	struct mail_content *out = reading->out;
	struct buf text = BUF_EMPTY(reading->store->max);
	for (uint32_t i = 0; i < out->part_count && !out->csaf_bad; i++) {
		out->parts[i].content = span_view(reading->parts[i], reading->store);
		struct csaf_facts facts = {0};
		buf_clear(&text);
		const enum csaf_verdict verdict =
		    csaf_read(&out->parts[i], &facts, &text, out->reason);
		if (verdict == CSAF_NONE)
			continue;
		if (verdict == CSAF_GOOD && out->csaf.present)
			limits_refuse(out->reason, "more than one CSAF document");
		if (verdict == CSAF_BAD || out->csaf.present) {
			out->csaf_bad = true;
			continue;
		}
		out->csaf = facts;
		out->csaf.present = true;
		reading->csaf.from = reading->store->len;
		buf_add_view(reading->store, buf_view(&text));
		reading->csaf.len = reading->store->len - reading->csaf.from;
	}
	buf_release(&text);
}

/* pEp's mark in the mail that it wraps: a field of its header, or the first line of its text. */
static bool has_inner_mark(const struct tree_entity *entity)
{
	enum { MARK_WITHIN = 8 * 1024 };
	struct buf inner = BUF_EMPTY(entity->body.len + 1);
	part_decode(entity, &inner);
	const bool has =
	    view_find(view_part(buf_view(&inner), 0, MARK_WITHIN), VIEW(INNER_MARK)) != SIZE_MAX;
	buf_release(&inner);
	return has;
}

/* The mail in the mail that is what the writer meant to send: all there is, or marked as not
 * forwarded (draft-ietf-lamps-header-protection), or by pEp. Any other one was attached. */
static size_t find_enclosed(const struct tree *tree)
{
	size_t found = TREE_NONE;
	if (tree_is(&tree->entities[0], "message/rfc822"))
		return 0;
	if (!tree_is(&tree->entities[0], "multipart/mixed"))
		return TREE_NONE;
	for (size_t at = tree->entities[0].first; at != TREE_NONE; at = tree->entities[at].next) {
		if (!tree_is(&tree->entities[at], "message/rfc822") ||
		    (!part_type_is(&tree->entities[at], "forwarded", "no") &&
			!has_inner_mark(&tree->entities[at])))
			continue;
		if (found != TREE_NONE)
			return TREE_NONE;
		found = at;
	}
	return found;
}

static void read_parts(struct reading *reading)
{
	struct mail_content *out = reading->out;
	const struct tree_entity *root = &reading->tree->entities[0];
	out->nested = out->nested || tree_is(root, "multipart/encrypted") ||
		      (out->enclosed && shape_is_signed(reading->tree, 0));
	out->automatic = out->automatic || field_automatic(root->header);
	out->report = out->report || shape_is_report(reading->tree, 0);
	read_subject(reading);
	reading->text_part = choose_text(reading->tree);
	read_text(reading);
	if (!read_attachments(reading))
		out->readable = false;
	else
		read_csaf(reading);
}

/* Reads the mail in the mail in the place of what is around it. */
static void read_enclosed(struct reading *reading, const struct tree_entity *entity)
{
	struct mail_content *out = reading->out;
	struct buf inner = BUF_EMPTY(entity->body.len + 1);
	struct tree tree = {NULL, 0};
	out->automatic = field_automatic(entity->header);
	out->enclosed = true;
	part_decode(entity, &inner);
	if (tree_read(buf_view(&inner), reading->limits, &tree, out->reason)) {
		reading->tree = &tree;
		read_parts(reading);
	} else {
		out->readable = false;
	}
	tree_free(&tree);
	buf_release(&inner);
}

static void read_tree(struct reading *reading)
{
	struct mail_content *out = reading->out;
	const size_t enclosed = find_enclosed(reading->tree);
	exposed_find(reading->tree, reading->limits, &out->tokens);
	if (shape_is_signed(reading->tree, 0)) {
		out->wrapped = true;
		out->beside = shape_has_beside(reading->tree, 0);
		shape_cut_signed(
		    reading->tree, 0, reading->store, &reading->message, &reading->signature);
		return;
	}
	if (enclosed != TREE_NONE)
		read_enclosed(reading, &reading->tree->entities[enclosed]);
	else
		read_parts(reading);
}

static void read_bare(struct view bytes, struct reading *reading)
{
	struct buf utf8 = BUF_EMPTY(reading->store->max);
	charset_to_utf8("", bytes, &utf8);
	reading->text.from = reading->store->len;
	charset_add_lines(reading->store, buf_view(&utf8));
	reading->text.len = reading->store->len - reading->text.from;
	reading->store->overflow = reading->store->overflow || utf8.overflow;
	reading->out->has_text = true;
	buf_release(&utf8);
}

static void resolve_views(struct reading *reading)
{
	struct mail_content *out = reading->out;
	out->message = span_view(reading->message, reading->store);
	out->signature = span_view(reading->signature, reading->store);
	out->text = span_view(reading->text, reading->store);
	out->csaf.text = span_view(reading->csaf, reading->store);
	for (uint32_t i = 0; i < out->part_count; i++)
		out->parts[i].content = span_view(reading->parts[i], reading->store);
}

static void forget(struct mail_content *out)
{
	out->tokens.count = 0;
	out->wrapped = out->beside = out->nested = out->enclosed = out->has_text = out->csaf_bad = false;
	out->part_count = 0;
	out->csaf = (struct csaf_facts){.text = {"", 0}};
	out->message = out->signature = out->text = view_of("");
}

void mail_read_content(struct view bytes, const struct mail_limits *limits, struct buf *store,
    struct mail_content *out)
{
	struct tree tree = {NULL, 0};
	struct reading *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		abort();
	memset(out, 0, sizeof *out);
	out->readable = true;
	*reading = (struct reading){
	    .tree = &tree, .limits = limits, .store = store, .out = out};
	if (!is_entity(bytes))
		read_bare(bytes, reading);
	else if (tree_read(bytes, limits, &tree, out->reason))
		read_tree(reading);
	else
		out->readable = false;
	if (store->overflow)
		unreadable(out, "too large");
	if (out->readable)
		resolve_views(reading);
	else
		forget(out);
	tree_free(&tree);
	free(reading);
}
