/* Header fields by themselves: cut, structured, decoded; and the tree of entities under them. */
#include "config.h"

#include "mail/charset.h"
#include "mail/field.h"
#include "mail/limits.h"
#include "mail/tree.h"

#include "fuzz.h"

/* Bytes that one byte of a value may come to as UTF-8. */
enum { GROWTH_MOST = 16, GROWTH_FREE = 64 };

static const struct mail_limits limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct charset_keep *keep; /* known to the leak check */
	keep = charset_keep();
	FUZZ_CHECK(keep != NULL && argc != NULL && argv != NULL);
	return 0;
}

static void check_parameters(struct view value)
{
	static const char *const names[] = {"charset", "filename", "name", "boundary", NULL};
	static struct field_structured field;
	field_structure(value, &field);
	FUZZ_CHECK(field.count <= FIELD_PARAMETERS_MAX && fuzz_is_line(field.word));
	for (size_t i = 0; i < field.count; i++) {
		FUZZ_CHECK(fuzz_lies_in(field.parameters[i].name, value));
		FUZZ_CHECK(fuzz_lies_in(field.parameters[i].value, value));
	}
	for (const char *const *name = names; *name != NULL; name++) {
		struct buf text = BUF_EMPTY(1024 * 1024);
		const bool found = field_parameter(&field, *name, &text);
		FUZZ_CHECK(found || text.len == 0);
		FUZZ_CHECK(text_is_utf8(buf_view(&text)));
		FUZZ_CHECK(text.len <= GROWTH_MOST * value.len + GROWTH_FREE);
		buf_release(&text);
	}
}

static void check_text(struct view value)
{
	struct buf text = BUF_EMPTY(4 * 1024 * 1024);
	field_text(value, &text);
	FUZZ_CHECK(fuzz_is_text(buf_view(&text), ""));
	FUZZ_CHECK(text.len <= GROWTH_MOST * value.len + GROWTH_FREE);
	buf_release(&text);
}

static void check_header(struct view header)
{
	struct view rest = header;
	struct view name, value, found;
	size_t count = 0;
	while (field_next(&rest, &name, &value)) {
		FUZZ_CHECK(name.len > 0 && fuzz_lies_in(name, header));
		FUZZ_CHECK(fuzz_lies_in(value, header));
		check_parameters(value);
		check_text(value);
		count++;
	}
	FUZZ_CHECK(count <= limits.headers);
	FUZZ_CHECK(field_count(header, "Subject") <= count);
	FUZZ_CHECK(field_find(header, "Subject", &found) == (field_count(header, "Subject") > 0));
	field_automatic(header);
}

/* Children lie in their parents, siblings one behind the other. */
static void check_tree(const struct tree *tree, struct view raw)
{
	FUZZ_CHECK(tree->count >= 1 && tree->count <= limits.parts);
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_entity *entity = &tree->entities[i];
		FUZZ_CHECK(fuzz_lies_in(entity->whole, raw));
		FUZZ_CHECK(fuzz_lies_in(entity->header, entity->whole));
		FUZZ_CHECK(fuzz_lies_in(entity->body, entity->whole));
		FUZZ_CHECK(fuzz_lies_in(entity->epilogue, raw));
		FUZZ_CHECK(entity->end > i && entity->end <= tree->count);
		FUZZ_CHECK((entity->parent == TREE_NONE) == (i == 0));
		FUZZ_CHECK(
		    entity->first == TREE_NONE || (entity->multipart && entity->first == i + 1));
		if (entity->parent != TREE_NONE) {
			const struct tree_entity *parent = &tree->entities[entity->parent];
			FUZZ_CHECK(entity->parent < i && parent->multipart);
			FUZZ_CHECK(fuzz_lies_in(entity->whole, parent->whole));
			FUZZ_CHECK(entity->end <= parent->end);
		}
		if (entity->next != TREE_NONE) {
			const struct tree_entity *next = &tree->entities[entity->next];
			FUZZ_CHECK(entity->next == entity->end && next->parent == entity->parent);
			FUZZ_CHECK(next->whole.len == 0 || entity->whole.len == 0 ||
				   entity->whole.data + entity->whole.len <= next->whole.data);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view raw = fuzz_view(data, size);
	struct tree tree;
	char reason[MAIL_REASON_SIZE] = "";
	if (!tree_read(raw, &limits, &tree, reason)) {
		FUZZ_CHECK(tree.count == 0 && reason[0] != '\0' && fuzz_is_line(reason));
		return 0;
	}
	check_tree(&tree, raw);
	for (size_t i = 0; i < tree.count; i++)
		check_header(tree.entities[i].header);
	tree_free(&tree);
	return 0;
}
