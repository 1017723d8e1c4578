#include "config.h"

#include <string.h>

#include "base/text.h"

#include "pgp/keyfile.h"

enum {
	BINARY_MARK = 0x80, /* set in the first byte of every packet */
	CHECKSUM_LINE = 5, /* "=" and four base64 digits */
	CODED_CHECKSUM_LINE = 7, /* the same with "=3D" */
	LONG_LINE = 40, /* as no header line is that has no colon */
	ASCII_END = 0x80,
	NO_BREAK_SPACE = 0xa0, /* in Latin-1 and UTF-16 */
	BYTE_ORDER_MARK = 0xfeff,
	KIND_SHOWN = 40,
	KEYBOX_MAGIC_AT = 8,
};

static const char begins[] = "-----BEGIN PGP ";
static const char ends[] = "-----END PGP ";
static const char dashes[] = "-----";
static const char keybox_magic[] = "KBXf";
static const char certificate[] = "PUBLIC KEY BLOCK";

/* -- what the bytes are -- */

enum coding { PLAIN, LITTLE_ENDIAN, BIG_ENDIAN };

/* `text` as UTF-16, to be looked for. */
static size_t wide(const char *text, enum coding coding, char *out)
{
	const size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = coding == LITTLE_ENDIAN ? text[i] : '\0';
		out[2 * i + 1] = coding == LITTLE_ENDIAN ? '\0' : text[i];
	}
	return 2 * len;
}

static bool has_wide(struct view content, enum coding coding)
{
	char marker[2 * sizeof begins];
	const size_t len = wide(begins, coding, marker);
	/* In the other order it stands one byte further on. */
	const size_t at = view_find(content, (struct view){marker, len});
	return at != SIZE_MAX && at % 2 == 0;
}

/* PowerShell's ">" writes UTF-16, and not every program puts the mark in front. */
static enum coding coding_of(struct view content)
{
	if (view_equals(view_part(content, 0, 2), VIEW("\xff\xfe")) ||
	    has_wide(content, LITTLE_ENDIAN))
		return LITTLE_ENDIAN;
	if (view_equals(view_part(content, 0, 2), VIEW("\xfe\xff")) ||
	    has_wide(content, BIG_ENDIAN))
		return BIG_ENDIAN;
	return PLAIN;
}

/* No byte of armor is other than ASCII, so that what is not may become anything. */
static void narrow(struct view content, enum coding coding, struct buf *out)
{
	*out = BUF_EMPTY(content.len);
	for (size_t i = 0; i + 1 < content.len; i += 2) {
		const unsigned first = (unsigned char)content.data[i];
		const unsigned second = (unsigned char)content.data[i + 1];
		const unsigned unit =
		    coding == LITTLE_ENDIAN ? second << 8 | first : first << 8 | second;
		const bool blank = unit == NO_BREAK_SPACE || unit == BYTE_ORDER_MARK;
		buf_add_char(out, blank ? ' ' : unit < ASCII_END ? (char)unit : '?');
	}
}

/* Line ends of an old Macintosh, which no other text has alone. */
static void mend_line_ends(struct view content, struct buf *out)
{
	*out = BUF_EMPTY(content.len);
	for (size_t i = 0; i < content.len; i++)
		buf_add_char(out, content.data[i] == '\r' ? '\n' : content.data[i]);
}

void keyfile_open(struct keyfile *file, struct view content)
{
	const enum coding coding = coding_of(content);
	*file = (struct keyfile){.rest = content};
	if (coding != PLAIN)
		narrow(content, coding, &file->plain);
	else if (content.len > 0 && memchr(content.data, '\n', content.len) == NULL &&
		 view_find(content, view_of(begins)) != SIZE_MAX)
		mend_line_ends(content, &file->plain);
	if (file->plain.len > 0)
		file->rest = buf_view(&file->plain);
	/* Text in UTF-8 may begin with such a byte too. */
	file->binary = file->rest.len > 0 &&
		       ((unsigned char)file->rest.data[0] & BINARY_MARK) != 0 &&
		       view_find(file->rest, VIEW("BEGIN PGP ")) == SIZE_MAX;
}

void keyfile_close(struct keyfile *file)
{
	buf_release(&file->plain);
}

bool keyfile_is(struct view content)
{
	struct keyfile file;
	keyfile_open(&file, content);
	const size_t at = view_find(file.rest, view_of(begins));
	const bool is = at != SIZE_MAX && view_find(view_part(file.rest, at, file.rest.len),
					      view_of(certificate)) != SIZE_MAX;
	keyfile_close(&file);
	return is;
}

/* -- lines -- */

static struct view without_no_break_spaces(struct view line)
{
	while (line.len > 0 && (unsigned char)line.data[0] == NO_BREAK_SPACE)
		line = view_part(line, 1, line.len);
	while (line.len > 0 && (unsigned char)line.data[line.len - 1] == NO_BREAK_SPACE)
		line.len--;
	return text_trim(line);
}

/* A tag at its front or end. */
static struct view without_tags(struct view line)
{
	size_t at;
	while (line.len > 0 && line.data[0] == '<' && (at = view_find(line, VIEW(">"))) != SIZE_MAX)
		line = text_trim(view_part(line, at + 1, line.len));
	while (line.len > 0 && line.data[line.len - 1] == '>') {
		at = line.len;
		while (at > 0 && line.data[at - 1] != '<')
			at--;
		if (at == 0)
			break;
		line = text_trim(view_part(line, 0, at - 1));
	}
	return line;
}

/* Without what stands around a line of armor, and is none of it. */
static struct view strip(struct view line)
{
	line = without_no_break_spaces(text_trim(line));
	while (line.len > 0 && line.data[0] == '>')
		line = without_no_break_spaces(text_trim(view_part(line, 1, line.len)));
	line = without_tags(line);
	/* Escaped by a signature around it; or by gpg, lest a revocation be imported by mistake. */
	if (view_starts_nocase(line, "- -----"))
		line = view_part(line, 2, line.len);
	else if (view_starts_nocase(line, ":-----"))
		line = view_part(line, 1, line.len);
	return line;
}

static bool next_line(struct keyfile *file, struct view *line)
{
	if (!view_next_line(&file->rest, line))
		return false;
	file->line++;
	*line = strip(*line);
	return true;
}

/* The words between "-----BEGIN PGP " (or "-----END PGP ") and "-----". */
static bool is_boundary(struct view line, const char *prefix, struct view *kind)
{
	const size_t around = strlen(prefix) + strlen(dashes);
	if (line.len < around || !view_starts_nocase(line, prefix) ||
	    !view_is(view_part(line, line.len - strlen(dashes), line.len), dashes))
		return false;
	*kind = view_part(line, strlen(prefix), line.len - around);
	return true;
}

static bool is_base64(struct view line)
{
	for (size_t i = 0; i < line.len; i++) {
		const char c = line.data[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '+' || c == '/' || c == '='))
			return false;
	}
	return line.len > 0;
}

static bool is_checksum(struct view line)
{
	return is_base64(line) && line.data[0] == '=' &&
	       (line.len == CHECKSUM_LINE ||
		   (line.len == CODED_CHECKSUM_LINE && view_starts_nocase(line, "=3D")));
}

/* -- blocks -- */

static void blame(struct keyfile_block *block, const char *why)
{
	if (!block->whole)
		return;
	block->whole = false;
	err_set(&block->fault, ERR_MESSAGE, ERR_NEVER, "%s", why);
}

/* "=3D" stands for "=" in the source of a mail, and can be nothing else at the end of base64. */
static void add_base64(struct buf *out, struct view line)
{
	size_t at;
	while ((at = view_find(line, VIEW("=3D"))) != SIZE_MAX) {
		buf_add_view(out, view_part(line, 0, at + 1));
		line = view_part(line, at + strlen("=3D"), line.len);
	}
	buf_add_view(out, line);
}

/* A line between BEGIN and END. Headers mean nothing to us: base64 begins where a line looks like
 * it, whether an empty one stands above or not. */
struct body {
	struct buf base64;
	bool begun, blank, closed;
};

static void read_body_line(struct body *body, struct view line, struct keyfile_block *block)
{
	if (line.len == 0) {
		body->blank = true;
	} else if (is_checksum(line) && body->begun) {
		body->closed = true;
	} else if (!body->begun && !(is_base64(line) && (body->blank || line.len >= LONG_LINE))) {
		body->blank = false; /* a header, or its second line */
	} else {
		body->begun = true;
		if (body->closed || !is_base64(line))
			blame(block, "its armor is damaged: ask for it anew");
		add_base64(&body->base64, line);
	}
}

/* Up to and with the END line. What begins another block before it is left for the next one. */
static void read_body(struct keyfile *file, struct view kind, struct keyfile_block *block)
{
	struct body body = {.base64 = BUF_EMPTY(file->rest.len)};
	struct keyfile before = *file;
	struct view line, end;
	bool ended = false;
	while (!ended && next_line(file, &line)) {
		if (is_boundary(line, begins, &end)) {
			*file = before;
			break;
		}
		ended = is_boundary(line, ends, &end);
		if (!ended)
			read_body_line(&body, line, block);
		before = *file;
	}
	if (!ended)
		blame(block, "it is cut off: its END line is missing; ask for the whole");
	else if (!view_equals(kind, end))
		blame(block, "its END line is of another kind than its BEGIN line");
	block->packets = BUF_EMPTY(body.base64.len);
	if (!text_unbase64(&block->packets, buf_view(&body.base64)) || !body.begun)
		blame(block, "its armor is damaged: ask for it anew");
	buf_release(&body.base64);
}

static void judge_kind(struct view kind, struct keyfile_block *block)
{
	if (view_is(kind, certificate))
		return;
	block->whole = false;
	if (view_is(kind, "PRIVATE KEY BLOCK"))
		err_set(&block->fault, ERR_MESSAGE, ERR_NEVER, "%s", KEYFILE_SECRET);
	else
		err_set(&block->fault, ERR_MESSAGE, ERR_NEVER,
		    "this is not an OpenPGP certificate but a block of another kind (PGP %.*s)",
		    (int)(kind.len < KIND_SHOWN ? kind.len : KIND_SHOWN), kind.data);
}

bool keyfile_next(struct keyfile *file, struct keyfile_block *block)
{
	struct view line, kind;
	*block = (struct keyfile_block){.whole = true, .packets = BUF_EMPTY(0)};
	if (file->binary && file->rest.len > 0) {
		block->packets = BUF_EMPTY(file->rest.len);
		buf_add_view(&block->packets, file->rest);
		file->rest = VIEW("");
		return true;
	}
	while (next_line(file, &line)) {
		if (!is_boundary(line, begins, &kind))
			continue;
		const bool around = view_is(kind, "SIGNATURE") && file->in_signed;
		file->in_signed = file->in_signed || view_is(kind, "SIGNED MESSAGE");
		if (view_is(kind, "SIGNED MESSAGE"))
			continue; /* the certificate stands in its text */
		block->line = file->line;
		judge_kind(kind, block);
		read_body(file, kind, block);
		if (!around)
			return true;
		buf_release(&block->packets);
		*block = (struct keyfile_block){.whole = true, .packets = BUF_EMPTY(0)};
	}
	return false;
}

int keyfile_nothing(struct view content, struct err *err)
{
	struct keyfile file;
	struct buf packets = BUF_EMPTY(content.len);
	keyfile_open(&file, content);
	const char *why = "there is no OpenPGP certificate in it: export one with gpg --armor "
			  "--export";
	if (view_is(view_part(content, KEYBOX_MAGIC_AT, strlen(keybox_magic)), keybox_magic))
		why = "this is GnuPG's own key file: export the certificates with gpg --export";
	else if (view_find(file.rest, VIEW("BEGIN PGP")) != SIZE_MAX)
		why =
		    "its first line is not -----BEGIN PGP PUBLIC KEY BLOCK-----, with five dashes "
		    "(word processors turn them into others): ask for the file as it was exported";
	else if (text_unbase64(&packets, file.rest) && packets.len > 0 &&
		 ((unsigned char)packets.data[0] & BINARY_MARK) != 0)
		why =
		    "it is base64 without the line -----BEGIN PGP PUBLIC KEY BLOCK----- above and "
		    "the END line below: ask for the file as it was exported";
	buf_release(&packets);
	keyfile_close(&file);
	return err_set(err, ERR_MESSAGE, ERR_NEVER, "%s", why);
}
