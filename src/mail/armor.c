#include "config.h"

#include "mail/armor.h"

static struct view without_padding(struct view line)
{
	while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
		line.len--;
	return line;
}

static enum armor_kind begins(struct view line)
{
	if (view_is(line, "-----BEGIN PGP MESSAGE-----"))
		return ARMOR_MESSAGE;
	if (view_is(line, "-----BEGIN PGP SIGNED MESSAGE-----"))
		return ARMOR_SIGNED;
	return ARMOR_NONE;
}

static bool ends(struct view line, enum armor_kind kind)
{
	return view_is(line,
	    kind == ARMOR_MESSAGE ? "-----END PGP MESSAGE-----" : "-----END PGP SIGNATURE-----");
}

void armor_find(struct view text, struct armor *out)
{
	*out = (struct armor){ARMOR_NONE, {"", 0}, true};
	struct view rest = text;
	struct view line;
	enum armor_kind inside = ARMOR_NONE;
	while (rest.len > 0) {
		const char *from = rest.data;
		view_next_line(&rest, &line);
		line = without_padding(line);
		const enum armor_kind begun = begins(line);
		if (inside == ARMOR_NONE && begun == ARMOR_NONE) {
			out->alone = out->alone && view_trim(line).len == 0;
		} else if (inside == ARMOR_NONE) {
			if (out->kind != ARMOR_NONE) {
				out->kind = ARMOR_MANY;
				return;
			}
			inside = begun;
			out->block.data = from;
		} else if (begun != ARMOR_NONE) { /* within another: dashes are escaped there */
			out->kind = ARMOR_MANY;
			return;
		} else if (ends(line, inside)) {
			out->kind = inside;
			out->block.len = (size_t)(rest.data - out->block.data);
			inside = ARMOR_NONE;
		}
	}
	if (inside != ARMOR_NONE)
		out->kind = out->kind == ARMOR_NONE ? ARMOR_BROKEN : ARMOR_MANY;
}
