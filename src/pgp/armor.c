#include "config.h"

#include "base/text.h"

#include "pgp/armor.h"

enum { CHECKSUM_LINE = 5 }; /* "=" and four base64 digits */

/* The words between "-----BEGIN " (or "-----END ") and "-----" of a boundary line. */
static bool boundary_of(struct view line, struct view prefix, struct view *kind)
{
	const struct view dashes = VIEW("-----");
	line = view_trim(line);
	if (line.len < prefix.len + dashes.len ||
	    !view_equals(view_part(line, 0, prefix.len), prefix))
		return false;
	if (!view_equals(view_part(line, line.len - dashes.len, dashes.len), dashes))
		return false;
	*kind = view_part(line, prefix.len, line.len - prefix.len - dashes.len);
	return view_starts_nocase(*kind, "PGP ");
}

static bool is_begin(struct view line, struct view *kind)
{
	return boundary_of(line, VIEW("-----BEGIN "), kind);
}

static bool is_end(struct view line, struct view *kind)
{
	return boundary_of(line, VIEW("-----END "), kind);
}

static bool skip_blank_lines(struct view *rest, struct view *line)
{
	while (view_next_line(rest, line)) {
		if (view_trim(*line).len > 0)
			return true;
	}
	return false;
}

bool armor_is(struct view text)
{
	struct view line, kind;
	return skip_blank_lines(&text, &line) && is_begin(line, &kind);
}

/* Header lines up to and with the blank one; what they say means nothing to us. */
static bool skip_headers(struct view *rest)
{
	struct view line;
	while (view_next_line(rest, &line)) {
		if (view_trim(line).len == 0)
			return true;
		if (view_find(line, VIEW(":")) == SIZE_MAX)
			return false;
	}
	return false;
}

/* The body behind the headers, up to and with the END line of the same kind. The checksum is
 * optional and protects nothing (RFC 9580 section 6.1): its form is all that is looked at. */
static bool read_body(struct view *rest, struct view kind, struct buf *out)
{
	struct view line, end;
	const char *start = rest->data;
	size_t length = 0;
	bool checksum = false;
	while (view_next_line(rest, &line)) {
		if (is_end(line, &end)) {
			return view_equals(end, kind) &&
			       text_unbase64(out, (struct view){start, length});
		}
		line = view_trim(line);
		if (line.len == 0)
			continue;
		if (checksum)
			return false;
		checksum = line.len == CHECKSUM_LINE && line.data[0] == '=';
		if (!checksum)
			length = (size_t)(line.data + line.len - start);
	}
	return false;
}

bool armor_decode(struct view text, const char *kind, struct buf *out, const char **why)
{
	struct view line, found;
	*why = "has no OpenPGP block at its beginning";
	if (!skip_blank_lines(&text, &line) || !is_begin(line, &found))
		return false;
	*why = "is an OpenPGP block of another kind";
	if (!view_is(found, kind))
		return false;
	*why = "has a damaged OpenPGP block";
	if (!skip_headers(&text) || !read_body(&text, found, out) || out->overflow)
		return false;
	*why = "goes on behind its OpenPGP block";
	return view_trim(text).len == 0;
}
