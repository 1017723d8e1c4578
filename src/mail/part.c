#include "config.h"

#include <string.h>

#include "mail/charset.h"
#include "mail/decode.h"
#include "mail/html.h"
#include "mail/part.h"

enum { CHARSET_SIZE = 64 };

void part_type(const struct tree_entity *entity, struct field_structured *field)
{
	struct view value;
	field_find(entity->header, "Content-Type", &value);
	field_structure(value, field);
}

bool part_type_is(const struct tree_entity *entity, const char *name, const char *value)
{
	struct field_structured field;
	part_type(entity, &field);
	return field_parameter_is(&field, name, value);
}

void part_decode(const struct tree_entity *entity, struct buf *out)
{
	struct view value;
	struct field_structured field;
	field_find(entity->header, "Content-Transfer-Encoding", &value);
	field_structure(value, &field);
	if (strcmp(field.word, "base64") == 0)
		decode_base64(entity->body, out);
	else if (strcmp(field.word, "quoted-printable") == 0)
		decode_quoted_printable(entity->body, out);
	else
		buf_add_view(out, entity->body);
}

static void add_utf8(
    const struct tree_entity *entity, const struct field_structured *type, struct buf *out)
{
	char charset[CHARSET_SIZE];
	struct buf raw = BUF_EMPTY(out->max);
	struct buf name = BUF_EMPTY(BUF_SMALL);
	field_parameter(type, "charset", &name);
	view_copy(buf_view(&name), charset, sizeof charset);
	part_decode(entity, &raw);
	charset_to_utf8(charset, buf_view(&raw), out);
	out->overflow = out->overflow || raw.overflow;
	buf_release(&raw);
	buf_release(&name);
}

void part_text(const struct tree_entity *entity, struct buf *out)
{
	struct field_structured type;
	struct buf utf8 = BUF_EMPTY(out->max);
	struct buf lines = BUF_EMPTY(out->max);
	part_type(entity, &type);
	add_utf8(entity, &type, &utf8);
	charset_add_lines(&lines, buf_view(&utf8));
	if (tree_is(entity, "text/html"))
		html_to_text(buf_view(&lines), out);
	else if (field_parameter_is(&type, "format", "flowed"))
		charset_add_unflowed(
		    out, buf_view(&lines), field_parameter_is(&type, "delsp", "yes"));
	else
		buf_add_view(out, buf_view(&lines));
	out->overflow = out->overflow || utf8.overflow || lines.overflow;
	buf_release(&utf8);
	buf_release(&lines);
}

bool part_subject(struct view header, char out[static MAIL_SUBJECT_SIZE])
{
	struct view value;
	if (!field_find(header, "Subject", &value))
		return false;
	struct buf subject = BUF_EMPTY(BUF_SMALL);
	field_text(value, &subject);
	struct view text = view_trim(buf_view(&subject));
	if (text.len >= MAIL_SUBJECT_SIZE) { /* cut at a whole character */
		text.len = MAIL_SUBJECT_SIZE - 1;
		while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0U) == 0x80U)
			text.len--;
	}
	view_copy(text, out, MAIL_SUBJECT_SIZE);
	buf_release(&subject);
	return true;
}
