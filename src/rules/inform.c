#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/block.h"
#include "rules/inform.h"
#include "rules/reach.h"

static bool read_title(
    const struct block_field *field, struct inform_report *out, struct refusal *refusal)
{
	if (field->value.len == 0)
		return refuse(
		    refusal, field->line, "Report is empty; write what it is about in a few words");
	return view_copy(field->value, out->title, sizeof out->title) ||
	       refuse(refusal, field->line, "Report is longer than %d bytes; put it into the text",
		   INFORM_TITLE_SIZE - 1);
}

static bool read_label(
    const struct block_field *field, struct inform_report *out, struct refusal *refusal)
{
	out->tlp_line = field->line;
	return tlp_from(field->value, &out->tlp) ||
	       refuse(refusal, field->line,
		   "TLP is \"%.*s\"; it must be RED, AMBER+STRICT, AMBER, GREEN or CLEAR",
		   refusal_shown(field->value), field->value.data);
}

static bool read_number(const struct block_field *field, char number[static STORE_NUMBER_SIZE],
    const char *example, struct refusal *refusal)
{
	return (field->value.len > 0 && view_copy(field->value, number, STORE_NUMBER_SIZE)) ||
	       refuse(refusal, field->line, "\"%.*s\" is no number such as %s",
		   refusal_shown(field->value), field->value.data, example);
}

bool inform_read_report(struct view text, struct inform_report *out, struct refusal *refusal)
{
	static const char *const names[] = {"Report", "TLP", "About", NULL};
	struct block block;
	*out = (struct inform_report){.tlp = TLP_AMBER, .text = {"", 0}};
	if (!block_read(text, names, &block, refusal))
		return false;
	const struct block_field *title = block_find(&block, "Report");
	const struct block_field *label = block_find(&block, "TLP");
	const struct block_field *about = block_find(&block, "About");
	if (title == NULL)
		return refuse(refusal, 0, "the control block must begin with \"Report:\"");
	if (!read_title(title, out, refusal))
		return false;
	if (label != NULL && !read_label(label, out, refusal))
		return block_refused(label, refusal);
	if (about != NULL && !read_number(about, out->about, "DEW-2026-0007", refusal))
		return block_refused(about, refusal);
	out->about_line = about == NULL ? 0 : about->line;
	out->text = block.text;
	return out->tlp != TLP_RED || about != NULL ||
	       refuse(refusal, out->tlp_line,
		   "TLP:RED goes to single people: name the advisory in About, and its publisher "
		   "alone gets the report");
}

bool inform_read_reply(struct view text, char number[static STORE_NUMBER_SIZE], struct view *rest,
    struct refusal *refusal)
{
	static const char *const names[] = {"Reply", NULL};
	struct block block;
	if (!block_read(text, names, &block, refusal))
		return false;
	const struct block_field *field = block_find(&block, "Reply");
	*rest = block.text;
	return field == NULL ? refuse(refusal, 0, "the control block must begin with \"Reply:\"")
			     : read_number(field, number, "REP-2026-0001", refusal);
}

static bool is_id(struct view name)
{
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return name.len > 0 && name.len < STORE_ID_SIZE;
}

bool inform_read_request(struct view text, char name[static STORE_ID_SIZE], struct refusal *refusal)
{
	static const char *const names[] = {"Request", NULL};
	struct block block;
	name[0] = '\0';
	if (!block_read(text, names, &block, refusal))
		return false;
	const struct block_field *field = block_find(&block, "Request");
	if (field == NULL || field->value.len == 0)
		return refuse(refusal, field == NULL ? 0 : field->line,
		    "Request names nothing; write \"Request: list\" to see what there is for you");
	if (is_id(field->value))
		view_copy(field->value, name, STORE_ID_SIZE);
	return true;
}

static bool no(char reason[static STORE_REASON_SIZE], const char *why)
{
	snprintf(reason, STORE_REASON_SIZE, "%s", why);
	return false;
}

static bool is_meant(
    const struct people *people, const struct contact *contact, struct view audience)
{
	bool *chosen = calloc(people->contact_count + 1, sizeof *chosen);
	struct refusal ignored;
	bool found = false;
	if (chosen == NULL)
		abort();
	if (audience_choose(people, audience, 0, chosen, &ignored)) {
		for (size_t i = 0; i < people->contact_count; i++)
			found = found || (chosen[i] && people->contacts[i].id == contact->id);
	}
	free(chosen);
	return found;
}

bool inform_may_have(const struct people *people, const struct contact *contact,
    const struct certificate *certificate, const char *agreement, struct view audience,
    enum tlp label, int64_t now, char reason[static STORE_REASON_SIZE])
{
	const struct member *member = people_member(people, contact->member);
	if (member == NULL)
		return no(reason, "the member is not known");
	if (!is_meant(people, contact, audience))
		return no(reason, "it is for others");
	return reach_contact(contact, member, certificate, agreement, label, now, reason);
}
