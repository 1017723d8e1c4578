#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/block.h"
#include "rules/control.h"

enum { ACKNOWLEDGE_MOST_S = 30 * 86400 };

static bool is_one_word(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ' ' || text.data[i] == '\t')
			return false;
	}
	return text.len > 0;
}

static bool read_advisory(struct control *out, struct view value, int line, struct refusal *refusal)
{
	struct view rest = value;
	struct view word = {"", 0};
	view_next_field(&rest, ' ', &word);
	const struct view number = view_trim(rest);
	const bool bulletin = view_is_nocase(word, "bulletin");
	if ((bulletin || view_is_nocase(word, "new")) && number.len == 0) {
		out->act = bulletin ? CONTROL_BULLETIN : CONTROL_NEW;
		return true;
	}
	const bool update = view_is_nocase(word, "update");
	if ((update || view_is_nocase(word, "withdraw")) && is_one_word(number) &&
	    view_copy(number, out->number, sizeof out->number)) {
		out->act = update ? CONTROL_UPDATE : CONTROL_WITHDRAW;
		return true;
	}
	return refuse(refusal, line,
	    "Advisory is \"%.*s\"; it must be \"new\", \"bulletin\", \"update NUMBER\" or "
	    "\"withdraw NUMBER\"",
	    refusal_shown(value), value.data);
}

static bool read_tlp(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->tlp_line = line;
	out->has_tlp = tlp_from(value, &out->tlp);
	return out->has_tlp ||
	       refuse(refusal, line,
		   "TLP is \"%.*s\"; it must be RED, AMBER+STRICT, AMBER, GREEN or CLEAR",
		   refusal_shown(value), value.data);
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
	out->acknowledge_line = line;
	if (view_is_nocase(value, "no"))
		return true;
	return (text_duration(value, &out->acknowledge) && out->acknowledge > 0 &&
		   out->acknowledge <= ACKNOWLEDGE_MOST_S) ||
	       refuse(refusal, line,
		   "Acknowledge is \"%.*s\"; it must be a time such as 45m, 4h or 2d, at most 30d, "
		   "or \"no\"",
		   refusal_shown(value), value.data);
}

static bool read_release(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->release_line = line;
	if (view_is_nocase(value, "now"))
		return true;
	return text_time(value, &out->release) ||
	       refuse(refusal, line,
		   "Release is \"%.*s\"; it must be \"now\" or a time such as 2026-11-25T18:00:00Z",
		   refusal_shown(value), value.data);
}

static bool read_exercise(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->has_exercise = true;
	out->exercise_line = line;
	out->exercise = view_is_nocase(value, "yes");
	return out->exercise || view_is_nocase(value, "no") ||
	       refuse(refusal, line, "Exercise is \"%.*s\"; it must be \"yes\" or \"no\"",
		   refusal_shown(value), value.data);
}

static bool read_approval(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->approval = view_is_nocase(value, "yes");
	return out->approval || view_is_nocase(value, "no") ||
	       refuse(refusal, line, "Approval is \"%.*s\"; it must be \"yes\" or \"no\"",
		   refusal_shown(value), value.data);
}

static bool read_trace(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->trace_line = line;
	out->trace = view_is_nocase(value, "yes");
	return out->trace || view_is_nocase(value, "no") ||
	       refuse(refusal, line, "Trace is \"%.*s\"; it must be \"yes\" or \"no\"",
		   refusal_shown(value), value.data);
}

static bool read_gateway(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->gateway_line = line;
	return (value.len > 0 && view_copy(value, out->gateway, sizeof out->gateway)) ||
	       refuse(refusal, line, "Gateway is \"%.*s\"; it must be a gateway's address",
		   refusal_shown(value), value.data);
}

bool control_is_no_title(struct view title)
{
	static const char *const stand_ins[] = {"", "...", "[...]", "\xe2\x80\xa6",
	    "encrypted message", "encrypted mail", "encrypted email", "encrypted e-mail",
	    "openpgp encrypted message", "pgp encrypted message", "secure message", "no subject",
	    "(no subject)", NULL};
	title = text_trim(title);
	for (const char *const *word = stand_ins; *word != NULL; word++)
		if (view_is_nocase(title, *word))
			return true;
	return false;
}

static bool read_title(struct control *out, struct view value, int line, struct refusal *refusal)
{
	out->title_line = line;
	if (control_is_no_title(value))
		return refuse(refusal, line,
		    "Title is \"%.*s\", which says nothing; write what it is about in a few words",
		    refusal_shown(value), value.data);
	return view_copy(value, out->title, sizeof out->title) ||
	       refuse(refusal, line, "Title is longer than %d bytes; put it into the text",
		   MAIL_SUBJECT_SIZE - 1);
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
    {"Approval", read_approval},
    {"Trace", read_trace},
    {"Gateway", read_gateway},
    {"Title", read_title},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

bool control_read(struct view text, struct control *out, struct refusal *refusal)
{
	const char *names[FIELDS + 1] = {NULL};
	struct block block;
	*out = (struct control){.text = {"", 0}};
	for (size_t i = 0; i < FIELDS; i++)
		names[i] = fields[i].name;
	if (!view_is_nocase(block_first_name(text), fields[0].name))
		return refuse(refusal, 0, "the control block must begin with \"Advisory:\"");
	if (!block_read(text, names, &block, refusal))
		return false;
	for (size_t i = 0; i < FIELDS; i++) {
		const struct block_field *field = block_find(&block, fields[i].name);
		if (field != NULL && !fields[i].read(out, field->value, field->line, refusal))
			return block_refused(field, refusal);
	}
	out->text = block.text;
	return true;
}

bool control_is_for(
    const struct control *control, const char *address, bool must, struct refusal *refusal)
{
	if (control->gateway_line == 0)
		return !must ||
		       refuse(refusal, 1,
			   "it does not say which gateway it is for: write \"Gateway: %s\"",
			   address);
	return view_is_nocase(view_of(control->gateway), address) ||
	       refuse(refusal, control->gateway_line,
		   "Gateway is \"%.*s\": it is for another one than this, which is %s",
		   refusal_shown(view_of(control->gateway)), control->gateway, address);
}

bool control_is_first(const struct control *control)
{
	return control->act == CONTROL_NEW || control->act == CONTROL_BULLETIN;
}
