#include "config.h"

#include <string.h>

#include "base/text.h"
#include "pgp/keyfile.h"
#include "rules/block.h"
#include "rules/join.h"

static const char *const names[] = {"Join", "Address", "Name", NULL};
static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

static bool take(const struct block *block, const char *name, char *out, size_t size, bool required,
    struct refusal *refusal)
{
	const struct block_field *field = block_find(block, name);
	const struct view value = field == NULL ? VIEW("") : field->value;
	const int line = field == NULL ? 1 : field->line;
	if (value.len == 0 && required)
		return refuse(refusal, line, "%s is missing", name);
	return (text_is_utf8(value) && view_copy(value, out, size)) ||
	       refuse(refusal, line, "%s is too long, or not UTF-8", name);
}

bool join_read(struct view text, struct join_request *out, struct refusal *refusal)
{
	struct block block;
	const char *why;
	if (!block_read(text, names, &block, refusal) ||
	    !take(&block, "Join", out->organisation, sizeof out->organisation, true, refusal) ||
	    !take(&block, "Address", out->address, sizeof out->address, true, refusal) ||
	    !take(&block, "Name", out->name, sizeof out->name, false, refusal))
		return false;
	return text_is_address(view_of(out->address), &why) ||
	       refuse(refusal, block_find(&block, "Address")->line,
		   "Address is no mail address: %s", why);
}

struct view join_certificate(const struct mail_content *content)
{
	for (size_t i = 0; i < content->part_count; i++) {
		const struct mail_part *part = &content->parts[i];
		if (keyfile_is(part->content) || strcmp(part->type, "application/pgp-keys") == 0)
			return part->content;
	}
	const size_t at = view_find(content->text, view_of(begin));
	return at == SIZE_MAX ? VIEW("") : view_part(content->text, at, content->text.len);
}
