#include "config.h"

#include <string.h>

#include "pgp/armor.h"
#include "pgp/cleartext.h"

/* The only header that means anything is Hash, and that only to a reader in one pass. Others, such
 * as NotDashEscaped, changed what was signed; no sender of today writes them. */
static bool skip_headers(struct view *rest)
{
	struct view line;
	while (view_next_line(rest, &line)) {
		line = view_trim(line);
		if (line.len == 0)
			return true;
		if (!view_starts_nocase(line, "Hash: "))
			return false;
		for (size_t i = strlen("Hash: "); i < line.len; i++) {
			const char c = line.data[i];
			if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
			    !(c >= '0' && c <= '9') && strchr("-, ", c) == NULL)
				return false;
		}
	}
	return false;
}

static struct view without_trailing_space(struct view line)
{
	while (line.len > 0 && strchr(" \t\r", line.data[line.len - 1]) != NULL &&
	       line.data[line.len - 1] != '\0')
		line.len--;
	return line;
}

static bool add_line(struct buf *text, struct view line, bool first)
{
	const struct view escape = VIEW("- ");
	line = without_trailing_space(line);
	if (line.len > 0 && line.data[0] == '-') {
		/* "- " in front of nothing loses its blank to trimming on the way. */
		if (line.len > 1 && !view_equals(view_part(line, 0, escape.len), escape))
			return false;
		line = without_trailing_space(view_part(line, escape.len, line.len));
	}
	if (!first)
		buf_add_text(text, "\r\n");
	buf_add_view(text, line);
	return memchr(line.len > 0 ? line.data : "-", '\0', line.len > 0 ? line.len : 1) == NULL;
}

bool cleartext_split(struct view message, struct buf *text, struct buf *signature, const char **why)
{
	struct view line = {NULL, 0};
	while (view_next_line(&message, &line) && view_trim(line).len == 0)
		;
	*why = "is not a cleartext-signed message";
	if (!view_is(view_trim(line), "-----BEGIN PGP SIGNED MESSAGE-----"))
		return false;
	*why = "has other headers than Hash in its cleartext signature";
	if (!skip_headers(&message))
		return false;
	*why = "has signed text that is not escaped as it must be";
	bool first = true;
	struct view before = message;
	while (view_next_line(&message, &line)) {
		if (view_is(view_trim(line), "-----BEGIN PGP SIGNATURE-----"))
			return armor_decode(before, "PGP SIGNATURE", signature, why);
		if (!add_line(text, line, first))
			return false;
		first = false;
		before = message;
	}
	*why = "has no signature behind its signed text";
	return false;
}
