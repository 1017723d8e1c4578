#include "config.h"

#include "rules/block.h"

static bool holds_control_character(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') ||
		    text.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* The name as we spell it, or NULL when it is none of them. */
static const char *known_name(struct view name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (view_is_nocase(name, *names))
			return *names;
	}
	return NULL;
}

static bool refuse_name(
    struct refusal *refusal, int line, struct view name, const char *const *names)
{
	struct buf list = BUF_EMPTY(BUF_SMALL);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(&list, "%s%s",
		    i == 0		   ? ""
		    : names[i + 1] == NULL ? " and "
					   : ", ",
		    names[i]);
	refuse(refusal, line, "there is no field \"%.*s\"; the fields are %s", refusal_shown(name),
	    name.data, buf_text(&list));
	buf_release(&list);
	return false;
}

static bool read_line(struct view line, int number, const char *const *names, struct block *out,
    struct refusal *refusal)
{
	struct block_field field = {.line = number};
	if (holds_control_character(line))
		return refuse(refusal, number, "there is a control character in this line");
	if (view_find(line, VIEW(":")) == SIZE_MAX)
		return refuse(refusal, number,
		    "\"%.*s\" is not \"Name: value\"; end the control block with an empty line",
		    refusal_shown(line), line.data);
	view_next_field(&line, ':', &field.name);
	field.name = view_trim(field.name);
	field.value = view_trim(line);
	const char *known = known_name(field.name, names);
	if (known == NULL)
		return refuse_name(refusal, number, field.name, names);
	if (block_find(out, known) != NULL)
		return refuse(refusal, number, "%s stands there twice", known);
	if (out->count == BLOCK_FIELDS_MAX)
		return refuse(refusal, number, "the control block has too many lines");
	out->fields[out->count++] = field;
	return true;
}

bool block_read(
    struct view text, const char *const *names, struct block *out, struct refusal *refusal)
{
	bool inside = false;
	int number = 0;
	struct view line;
	*out = (struct block){.text = {"", 0}};
	while (view_next_line(&text, &line)) {
		number++;
		if (view_trim(line).len == 0) {
			if (inside)
				break;
			continue;
		}
		inside = true;
		if (!read_line(line, number, names, out, refusal))
			return false;
	}
	out->text = view_trim(text);
	return true;
}

const struct block_field *block_find(const struct block *block, const char *name)
{
	for (size_t i = 0; i < block->count; i++) {
		if (view_is_nocase(block->fields[i].name, name))
			return &block->fields[i];
	}
	return NULL;
}

struct view block_first_name(struct view text)
{
	struct view line;
	struct view name;
	while (view_next_line(&text, &line)) {
		if (view_trim(line).len == 0)
			continue;
		if (view_find(line, VIEW(":")) == SIZE_MAX || !view_next_field(&line, ':', &name))
			break;
		return view_trim(name);
	}
	return VIEW("");
}
