#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/control.h"

enum { ACKNOWLEDGE_MOST_S = 30 * 86400 };

bool refuse(struct refusal *refusal, int line, const char *format, ...)
{
	char plain[sizeof refusal->text];
	struct buf safe = BUF_EMPTY(BUF_SMALL);
	va_list args;
	va_start(args, format);
	vsnprintf(plain, sizeof plain, format, args);
	va_end(args);
	text_add_shown(&safe, view_of(plain));
	snprintf(refusal->text, sizeof refusal->text, "%s", buf_text(&safe));
	buf_release(&safe);
	refusal->line = line;
	return false;
}

/* What people may get wrong is quoted back to them, but not at length. */
static int shown(struct view value)
{
	return value.len > 60 ? 60 : (int)value.len;
}

static bool is_one_word(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ' ' || text.data[i] == '\t')
			return false;
	}
	return text.len > 0;
}

static bool holds_control_character(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') ||
		    text.data[i] == 0x7f)
			return true;
	}
	return false;
}

static bool read_advisory(struct control *out, struct view value, int line, struct refusal *refusal)
{
	struct view rest = value;
	struct view word = {"", 0};
	view_next_field(&rest, ' ', &word);
	const struct view number = view_trim(rest);
	if (view_is_nocase(word, "new") && number.len == 0) {
		out->act = CONTROL_NEW;
		return true;
	}
	const bool update = view_is_nocase(word, "update");
	if ((update || view_is_nocase(word, "withdraw")) && is_one_word(number) &&
	    view_copy(number, out->number, sizeof out->number)) {
		out->act = update ? CONTROL_UPDATE : CONTROL_WITHDRAW;
		return true;
	}
	return refuse(refusal, line,
	    "Advisory is \"%.*s\"; it must be \"new\", \"update NUMBER\" or \"withdraw NUMBER\"",
	    shown(value), value.data);
}

static bool read_tlp(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->tlp_line = line;
	out->has_tlp = tlp_from(value, &out->tlp);
	return out->has_tlp ||
	       refuse(refusal, line,
		   "TLP is \"%.*s\"; it must be RED, AMBER+STRICT, AMBER, GREEN or CLEAR",
		   shown(value), value.data);
}

static bool read_audience(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->audience_line = line;
	if (value.len == 0)
		return refuse(refusal, line, "Audience is empty; name groups, members or contacts");
	return view_copy(value, out->audience, sizeof out->audience) ||
	       refuse(refusal, line, "Audience is longer than %d characters; use a group",
		   CONTROL_AUDIENCE_SIZE - 1);
}

static bool read_acknowledge(
    struct control *out, struct view value, int line, struct refusal *refusal)
{
	if (view_is_nocase(value, "no"))
		return true;
	return (text_duration(value, &out->acknowledge) && out->acknowledge > 0 &&
		   out->acknowledge <= ACKNOWLEDGE_MOST_S) ||
	       refuse(refusal, line,
		   "Acknowledge is \"%.*s\"; it must be a time such as 45m, 4h or 2d, at most 30d, "
		   "or \"no\"",
		   shown(value), value.data);
}

static bool read_release(struct control *out, struct view value, int line, struct refusal *refusal)
{
	if (view_is_nocase(value, "now"))
		return true;
	return text_time(value, &out->release) ||
	       refuse(refusal, line,
		   "Release is \"%.*s\"; it must be \"now\" or a time such as 2026-11-25T18:00:00Z",
		   shown(value), value.data);
}

static bool read_exercise(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->has_exercise = true;
	out->exercise = view_is_nocase(value, "yes");
	return out->exercise || view_is_nocase(value, "no") ||
	       refuse(refusal, line, "Exercise is \"%.*s\"; it must be \"yes\" or \"no\"",
		   shown(value), value.data);
}

static const struct field {
	const char *name;
	bool (*read)(struct control *, struct view, int, struct refusal *);
} fields[] = {
    {"Advisory", read_advisory},
    {"TLP", read_tlp},
    {"Audience", read_audience},
    {"Acknowledge", read_acknowledge},
    {"Release", read_release},
    {"Exercise", read_exercise},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

bool control_begins(struct view text, const char *field)
{
	struct view line;
	struct view name;
	while (view_next_line(&text, &line)) {
		if (view_trim(line).len == 0)
			continue;
		return view_find(line, VIEW(":")) != SIZE_MAX &&
		       view_next_field(&line, ':', &name) && view_is_nocase(view_trim(name), field);
	}
	return false;
}

static bool read_field(
    struct control *out, struct view line, int number, bool seen[FIELDS], struct refusal *refusal)
{
	struct view name;
	if (holds_control_character(line))
		return refuse(refusal, number, "there is a control character in this line");
	if (view_find(line, VIEW(":")) == SIZE_MAX)
		return refuse(refusal, number,
		    "\"%.*s\" is not \"Name: value\"; end the control block with an empty line",
		    shown(line), line.data);
	view_next_field(&line, ':', &name);
	name = view_trim(name);
	for (size_t i = 0; i < FIELDS; i++) {
		if (!view_is_nocase(name, fields[i].name))
			continue;
		if (seen[i])
			return refuse(refusal, number, "%s stands there twice", fields[i].name);
		seen[i] = true;
		return fields[i].read(out, view_trim(line), number, refusal);
	}
	return refuse(refusal, number,
	    "there is no field \"%.*s\"; the fields are Advisory, TLP, Audience, Acknowledge, "
	    "Release "
	    "and Exercise",
	    shown(name), name.data);
}

bool control_read(struct view text, struct control *out, struct refusal *refusal)
{
	bool seen[FIELDS] = {false};
	bool inside = false;
	int number = 0;
	struct view line;
	*out = (struct control){.text = {"", 0}};
	if (!control_begins(text, fields[0].name))
		return refuse(refusal, 0, "the control block must begin with \"Advisory:\"");
	while (view_next_line(&text, &line)) {
		number++;
		if (view_trim(line).len == 0) {
			if (inside)
				break;
			continue;
		}
		inside = true;
		if (!read_field(out, line, number, seen, refusal))
			return false;
	}
	out->text = view_trim(text);
	return true;
}
