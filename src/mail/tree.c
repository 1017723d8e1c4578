#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mail/field.h"
#include "mail/limits.h"
#include "mail/tree.h"

enum { TREE_FIRST_SIZE = 8 };

/* A multipart whose closing boundary has not come yet. */
struct open_multipart {
	size_t entity;
	size_t last_child;
	struct view boundary;
};

enum place { IN_HEADER, IN_BODY, BETWEEN };

struct cutter {
	struct view raw;
	const struct mail_limits *limits;
	struct tree *tree;
	size_t size; /* entities allocated */
	struct open_multipart *open;
	size_t depth; /* entries of `open` in use */
	size_t current; /* entity under way; TREE_NONE between parts */
	size_t closed; /* multipart whose epilogue this is; TREE_NONE */
	size_t epilogue;
	enum place place;
	size_t header_from;
	size_t body_from;
	char *reason;
};

bool tree_is(const struct tree_entity *entity, const char *type)
{
	return strcmp(entity->type, type) == 0;
}

void tree_free(struct tree *tree)
{
	free(tree->entities);
	*tree = (struct tree){NULL, 0};
}

void tree_add_canonical(struct buf *out, struct view bytes)
{
	while (bytes.len > 0) {
		const char *end = memchr(bytes.data, '\n', bytes.len);
		if (end == NULL) {
			buf_add_view(out, bytes);
			return;
		}
		const size_t len = (size_t)(end - bytes.data);
		buf_add(out, bytes.data, len);
		buf_add_text(out, len > 0 && bytes.data[len - 1] == '\r' ? "\n" : "\r\n");
		bytes = view_part(bytes, len + 1, bytes.len);
	}
}

static struct view slice(const struct cutter *cutter, size_t from, size_t to)
{
	return view_part(cutter->raw, from, to > from ? to - from : 0);
}

static bool begin_entity(struct cutter *cutter, size_t at)
{
	struct tree *tree = cutter->tree;
	if (tree->count >= cutter->limits->parts)
		return limits_refuse(cutter->reason, "more than %zu parts", cutter->limits->parts);
	if (tree->count == cutter->size) {
		cutter->size = cutter->size == 0 ? TREE_FIRST_SIZE : cutter->size * 2;
		tree->entities = realloc(tree->entities, cutter->size * sizeof *tree->entities);
		if (tree->entities == NULL)
			abort();
	}
	const size_t index = tree->count++;
	tree->entities[index] = (struct tree_entity){.header = {"", 0},
	    .body = {"", 0},
	    .whole = {"", 0},
	    .epilogue = {"", 0},
	    .parent = TREE_NONE,
	    .first = TREE_NONE,
	    .next = TREE_NONE,
	    .end = index + 1};
	if (cutter->depth > 0) {
		struct open_multipart *parent = &cutter->open[cutter->depth - 1];
		tree->entities[index].parent = parent->entity;
		if (parent->last_child == TREE_NONE)
			tree->entities[parent->entity].first = index;
		else
			tree->entities[parent->last_child].next = index;
		parent->last_child = index;
	}
	cutter->current = index;
	cutter->place = IN_HEADER;
	cutter->header_from = at;
	cutter->body_from = at;
	return true;
}

/* What an entity without a usable Content-Type is (RFC 2045 section 5.2, RFC 2046 section 5.1.5).
 */
static const char *default_type(const struct cutter *cutter, const struct tree_entity *entity)
{
	if (entity->parent != TREE_NONE &&
	    tree_is(&cutter->tree->entities[entity->parent], "multipart/digest"))
		return "message/rfc822";
	return "text/plain";
}

static bool open_multipart(struct cutter *cutter, const struct field_structured *field)
{
	struct view boundary = {"", 0};
	for (size_t i = 0; i < field->count && boundary.len == 0; i++)
		if (view_is_nocase(field->parameters[i].name, "boundary"))
			boundary = field->parameters[i].value;
	if (!limits_boundary(boundary, cutter->reason))
		return false;
	if (cutter->depth >= cutter->limits->nesting)
		return limits_refuse(cutter->reason, "multiparts nested more than %zu deep",
		    cutter->limits->nesting);
	cutter->open[cutter->depth++] =
	    (struct open_multipart){cutter->current, TREE_NONE, boundary};
	cutter->tree->entities[cutter->current].multipart = true;
	return true;
}

/* The header of the current entity ends before `to`, its body begins at `body`. */
static bool end_header(struct cutter *cutter, size_t to, size_t body)
{
	struct tree_entity *entity = &cutter->tree->entities[cutter->current];
	struct field_structured field;
	struct view value;
	entity->header = slice(cutter, cutter->header_from, to);
	cutter->body_from = body;
	cutter->place = IN_BODY;
	if (!limits_header(entity->header, cutter->limits, cutter->reason))
		return false;
	if (field_count(entity->header, "Content-Type") > 1 ||
	    field_count(entity->header, "Content-Transfer-Encoding") > 1)
		return limits_refuse(cutter->reason, "a part with two types or two encodings");
	const bool found = field_find(entity->header, "Content-Type", &value);
	field_structure(value, &field);
	const bool usable = found && strchr(field.word, '/') != NULL;
	view_copy(view_of(usable ? field.word : default_type(cutter, entity)), entity->type,
	    sizeof entity->type);
	if (strncmp(entity->type, "multipart/", strlen("multipart/")) != 0)
		return true;
	cutter->place = BETWEEN;
	return open_multipart(cutter, &field);
}

/* The current leaf, if there is one, ends before `to`. */
static bool end_leaf(struct cutter *cutter, size_t to)
{
	if (cutter->current == TREE_NONE || cutter->place == BETWEEN)
		return true;
	if (cutter->place == IN_HEADER && !end_header(cutter, to, to))
		return false;
	struct tree_entity *entity = &cutter->tree->entities[cutter->current];
	entity->body = slice(cutter, cutter->body_from, to);
	entity->whole = slice(cutter, cutter->header_from, to);
	cutter->current = TREE_NONE;
	cutter->place = BETWEEN;
	return true;
}

/* Fixes the slices of a multipart that reaches up to `to`. Its header is never empty: it holds the
 * boundary. */
static void finish_multipart(struct cutter *cutter, size_t index, size_t to)
{
	struct tree_entity *entity = &cutter->tree->entities[index];
	entity->whole = slice(cutter, (size_t)(entity->header.data - cutter->raw.data), to);
	entity->body = view_part(entity->whole, entity->header.len, entity->whole.len);
	entity->end = cutter->tree->count;
}

/* A multipart reaches beyond its closing boundary, up to the next one of its parent. */
static void end_epilogue(struct cutter *cutter, size_t to)
{
	if (cutter->closed == TREE_NONE)
		return;
	finish_multipart(cutter, cutter->closed, to);
	cutter->tree->entities[cutter->closed].epilogue = slice(cutter, cutter->epilogue, to);
	cutter->closed = TREE_NONE;
}

/* Multiparts deeper than `depth` end before `to`. */
static void end_multiparts(struct cutter *cutter, size_t depth, size_t to)
{
	while (cutter->depth > depth)
		finish_multipart(cutter, cutter->open[--cutter->depth].entity, to);
	cutter->current = TREE_NONE;
	cutter->place = BETWEEN;
}

/* Whether a line that begins with "--" is a boundary of an open multipart: its depth from 1 on,
 * innermost first; 0 when it is none. White space behind it is padding (RFC 2046 section 5.1.1). */
static size_t boundary_depth(const struct cutter *cutter, struct view line, bool *closing)
{
	while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
		line.len--;
	for (size_t depth = cutter->depth; depth > 0; depth--) {
		const struct view boundary = cutter->open[depth - 1].boundary;
		if (line.len < 2 + boundary.len ||
		    memcmp(line.data + 2, boundary.data, boundary.len) != 0)
			continue;
		const struct view rest = view_part(line, 2 + boundary.len, line.len);
		*closing = view_is(rest, "--");
		if (rest.len == 0 || *closing)
			return depth;
	}
	return 0;
}

static bool take_boundary(
    struct cutter *cutter, size_t depth, bool closing, size_t before, size_t after)
{
	if (!end_leaf(cutter, before))
		return false;
	/* A part whose header said multipart only now, at its end, opened one more level. */
	end_epilogue(cutter, before);
	end_multiparts(cutter, depth, before);
	if (!closing)
		return begin_entity(cutter, after);
	const size_t entity = cutter->open[depth - 1].entity;
	end_multiparts(cutter, depth - 1, after);
	cutter->closed = entity;
	cutter->epilogue = after;
	return true;
}

/* A header ends at an empty line, or before a line that cannot belong to one. */
static bool take_header_line(struct cutter *cutter, struct view line, size_t from, size_t after)
{
	if (line.len == 0)
		return end_header(cutter, from, after);
	if (line.data[0] == ' ' || line.data[0] == '\t')
		return from != cutter->header_from || end_header(cutter, from, from);
	if (from == 0 && view_starts_nocase(line, "From ")) { /* an mbox separator is no field */
		cutter->header_from = after;
		return true;
	}
	struct view rest = line;
	struct view name;
	struct view value;
	return field_next(&rest, &name, &value) || end_header(cutter, from, from);
}

/* Where the line end before `at` begins: it belongs to the boundary line at `at`. */
static size_t before_line_end(struct view raw, size_t at)
{
	if (at > 0 && raw.data[at - 1] == '\n')
		at--;
	if (at > 0 && raw.data[at - 1] == '\r')
		at--;
	return at;
}

static bool cut_lines(struct cutter *cutter)
{
	struct view rest = cutter->raw;
	struct view line;
	size_t from = 0;
	while (view_next_line(&rest, &line)) {
		const size_t after = cutter->raw.len - rest.len;
		bool closing = false;
		size_t depth = 0;
		if (cutter->depth > 0 && line.len > 2 && memcmp(line.data, "--", 2) == 0)
			depth = boundary_depth(cutter, line, &closing);
		if (depth > 0) {
			if (!take_boundary(
				cutter, depth, closing, before_line_end(cutter->raw, from), after))
				return false;
		} else if (cutter->place == IN_HEADER) {
			if (!take_header_line(cutter, line, from, after))
				return false;
		}
		from = after;
	}
	if (!end_leaf(cutter, cutter->raw.len))
		return false;
	end_epilogue(cutter, cutter->raw.len);
	end_multiparts(cutter, 0, cutter->raw.len);
	return true;
}

bool tree_read(struct view raw, const struct mail_limits *limits, struct tree *tree,
    char reason[static MAIL_REASON_SIZE])
{
	*tree = (struct tree){NULL, 0};
	if (raw.len == 0)
		return limits_refuse(reason, "an empty mail");
	struct open_multipart *open = calloc(limits->nesting + 1, sizeof *open);
	if (open == NULL)
		abort();
	struct cutter cutter = {.raw = raw,
	    .limits = limits,
	    .tree = tree,
	    .open = open,
	    .current = TREE_NONE,
	    .closed = TREE_NONE,
	    .place = BETWEEN,
	    .reason = reason};
	const bool done = begin_entity(&cutter, 0) && cut_lines(&cutter);
	free(open);
	if (!done)
		tree_free(tree);
	return done;
}
