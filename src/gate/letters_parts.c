#include "config.h"

#include "gate/letters_parts.h"

void letter_add_rule(struct buf *out)
{
	buf_add_text(out, "------------------------------------------------------------\n");
}

void letter_add_drill(struct buf *out)
{
	buf_add_text(out, "EXERCISE - EXERCISE: this is a drill, nothing has happened.\n");
}

void letter_add_field(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_printf(out, "%-10s %s\n", name, value);
}

void letter_add_refusal(struct buf *out, const struct refusal *refusal)
{
	if (refusal->line > 0)
		buf_printf(out, "Line %d of the signed text: ", refusal->line);
	else
		buf_add_text(out, "Reason: ");
	buf_printf(out, "%s.\n\n", refusal->text);
}

void letter_add_how_to_answer(struct buf *out, const char *token)
{
	buf_printf(out,
	    "To answer, press Reply (not Reply All), sign and encrypt,\n"
	    "and keep this token in it, as quoting this text does.\n"
	    "Token: %s\n"
	    "First line of the reply: received, affected, not affected,\n"
	    "acting or unreadable. What follows is your comment. If your\n"
	    "program sends subjects in the clear, write \"...\" as subject:\n"
	    "the token above is enough.\n",
	    token);
}
