#include "config.h"

#include <string.h>

#include "base/moment.h"
#include "gate/letters_clear.h"
#include "gate/letters_parts.h"

/* What it means that somebody else may have read it, by the advisory's label. */
static const struct {
	const char *tlp;
	const char *text;
} consequences[] = {
    {"RED", "TLP:RED was for single persons. Take what you quoted for known to others,\n"
	    "tell nobody more, and expect the publisher to ask you.\n"},
    {"AMBER+STRICT", "TLP:AMBER+STRICT was for your organisation alone. Take what you quoted\n"
		     "for known to others.\n"},
    {"AMBER", "TLP:AMBER was for your organisation and its clients. Take what you quoted\n"
	      "for known to others.\n"},
    {"GREEN", "TLP:GREEN was not for the public. Take what you quoted for known to it.\n"},
    {"CLEAR", "TLP:CLEAR may be read by anybody. What you added yourself was open as well.\n"},
};

static const char not_told[] = "NOT told: ";

static bool is_subject(const struct clear_answer *answer)
{
	return strcmp(answer->what, "subject") == 0;
}

static const char *exercise_mark(const struct letter_clear *letter)
{
	return letter->advisory->exercise ? "EXERCISE: " : "";
}

void letter_clear_subject(struct buf *out, const struct letter_clear *letter)
{
	buf_printf(out, "[%s r%lld] %sYour answer travelled in the open", letter->advisory->number,
	    (long long)letter->revision->number, exercise_mark(letter));
}

void letter_add_head(struct buf *out, const struct letter_clear *letter)
{
	buf_printf(out, "TLP:%s\n", letter->revision->tlp);
	if (letter->advisory->exercise)
		letter_add_drill(out);
	buf_printf(out, "\nAdvisory %s revision %lld\n\n", letter->advisory->number,
	    (long long)letter->revision->number);
}

void letter_add_consequence(struct buf *out, const char *tlp)
{
	for (size_t i = 0; i < sizeof consequences / sizeof consequences[0]; i++) {
		if (strcmp(consequences[i].tlp, tlp) == 0)
			buf_printf(out, "%s\n", consequences[i].text);
	}
}

void letter_clear_text(
    struct buf *out, const struct letter_clear *letter, const struct clear_answer *answer)
{
	letter_add_head(out, letter);
	buf_add_text(out, "Your answer, signed on ");
	moment_add(out, answer->signed_at, letter->now);
	buf_add_text(out, ", came on ");
	moment_add(out, answer->received_at, letter->now);
	buf_printf(out, ".\nIt counts: %s. Do not send it again.\n\n", answer->status);
	if (is_subject(answer))
		buf_add_text(out,
		    "It was encrypted, but its Subject was not: the advisory's title and its\n"
		    "token travelled in the open. Whoever carried the mail could read them.\n\n");
	else
		buf_add_text(out,
		    "But it was not encrypted: all that you wrote travelled in the open, with\n"
		    "what it quotes of the advisory, and with the token. Whoever carried the mail\n"
		    "could read it.\n\n");
	letter_add_consequence(out, letter->revision->tlp);
	if (is_subject(answer))
		buf_add_text(out,
		    "Next time, let your mail program encrypt the subject, or write \"...\" in\n"
		    "its place: the token in the text is enough.\n\n");
	else
		buf_printf(out,
		    "Next time, encrypt your answer to the gateway's key, which comes with each\n"
		    "of its mails:\n\n    %s\n\n",
		    letter->fingerprint);
	buf_printf(out,
	    "The publisher of the advisory and the gateway's admins are told of this.\n"
	    "Should you have to ask them, your mail is arrival %lld.\n",
	    (long long)answer->arrival);
}

void letter_add_clear(struct buf *out, const struct clear_answer *answer)
{
	buf_printf(out, "  %s (%s): %s\n      signed on ", answer->address, answer->member,
	    is_subject(answer) ? "its Subject, with title and token" : "all of it");
	moment_add(out, answer->signed_at, 0);
	buf_add_text(out, ",\n      came on ");
	moment_add(out, answer->received_at, 0);
	buf_printf(out, ", arrival %lld\n", (long long)answer->arrival);
	if (answer->told && answer->untold[0] != '\0')
		buf_printf(out, "      %s%s\n", not_told, answer->untold);
}

void letter_clear_alarm_subject(struct buf *out, const struct letter_clear *letter, size_t count)
{
	buf_printf(out, "Alarm: %s r%lld: %s%zu answer%s in the open", letter->advisory->number,
	    (long long)letter->revision->number, exercise_mark(letter), count,
	    count == 1 ? "" : "s");
}

void letter_clear_alarm_text(
    struct buf *out, const struct letter_clear *letter, struct view answers)
{
	letter_add_head(out, letter);
	buf_add_text(out, "These answers travelled in the open, with what they quote of the "
			  "advisory:\n\n");
	buf_add_view(out, answers);
	const bool all = view_find(answers, view_of(not_told)) == SIZE_MAX;
	buf_printf(out,
	    "\nThey were signed, and count. Each sender was told, by encrypted mail, to\n"
	    "encrypt the next answer%s.\n"
	    "Take what the answers quote for known to whoever carried these mails.\n",
	    all ? "" : ", but for those where NOT told stands above");
}
