#include "config.h"

#include <string.h>
#include <strings.h>

#include "rules/block.h"
#include "rules/release.h"

bool release_time_is_good(const struct control *control, int64_t now, struct refusal *refusal)
{
	if (control->release <= now)
		return true;
	if (control->act == CONTROL_WITHDRAW)
		return refuse(
		    refusal, control->release_line, "a withdrawal goes at once: leave Release out");
	return control->release - now <= RELEASE_MOST_S ||
	       refuse(refusal, control->release_line, "Release is more than a year ahead");
}

bool bulletin_asks_nothing(bool is_bulletin, const struct control *control, struct refusal *refusal)
{
	return !is_bulletin || control->acknowledge == 0 ||
	       refuse(refusal, control->acknowledge_line,
		   "nobody is asked to acknowledge a bulletin: leave Acknowledge out");
}

bool release_needs_approval(
    enum config_approval setting, enum tlp label, const struct control *control)
{
	if (control->act == CONTROL_WITHDRAW)
		return false;
	switch (setting) {
	case CONFIG_APPROVAL_NEVER:
		return control->approval;
	case CONFIG_APPROVAL_ALWAYS:
		return true;
	case CONFIG_APPROVAL_RED:
		return control->approval || label >= TLP_RED;
	case CONFIG_APPROVAL_AMBER_STRICT:
		return control->approval || label >= TLP_AMBER_STRICT;
	case CONFIG_APPROVAL_AMBER:
		return control->approval || label >= TLP_AMBER;
	case CONFIG_APPROVAL_GREEN:
		return control->approval || label >= TLP_GREEN;
	case CONFIG_APPROVAL_CLEAR:
		return true;
	}
	return true;
}

bool decision_read(struct view text, struct decision *out, struct refusal *refusal)
{
	static const char *const names[] = {"Approve", "Reject", NULL};
	struct block block;
	*out = (struct decision){.text = {"", 0}};
	if (!block_read(text, names, &block, refusal))
		return false;
	const struct block_field *approve = block_find(&block, names[0]);
	const struct block_field *reject = block_find(&block, names[1]);
	if (approve != NULL && reject != NULL)
		return refuse(refusal, reject->line, "it says both Approve and Reject: leave one out");
	const struct block_field *field = approve != NULL ? approve : reject;
	if (field == NULL)
		return refuse(refusal, 0, "it says neither Approve nor Reject");
	out->approve = approve != NULL;
	out->line = field->line;
	out->text = block.text;
	return (field->value.len > 0 && view_copy(field->value, out->token, sizeof out->token)) ||
	       refuse(refusal, field->line,
		   "\"%.*s\" is not the token of an advisory that waits for approval",
		   refusal_shown(field->value), field->value.data);
}

bool decision_may_be_by(const struct publisher *decider, const char *decider_fingerprint,
    const struct publisher *author, const char *author_fingerprint, int line,
    struct refusal *refusal)
{
	if (decider->id == author->id || strcasecmp(decider->address, author->address) == 0 ||
	    strcmp(decider_fingerprint, author_fingerprint) == 0)
		return refuse(refusal, line,
		    "you wrote it yourself: another publisher must approve or reject it");
	return true;
}
