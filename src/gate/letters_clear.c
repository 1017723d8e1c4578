#include "config.h"

#include <string.h>

#include "base/text.h"
#include "gate/letters_clear.h"

static const char drill[] = "EXERCISE: this is a drill, nothing has happened.\n";

/* What it means that somebody else may have read it, by the advisory's label. */
static const struct {
	const char *tlp;
	const char *text;
} consequences[] = {
    {"RED", "TLP:RED was for single persons. Take what you quoted for known to others, tell\n"
	    "nobody more, and expect the publisher to ask you.\n"},
    {"AMBER+STRICT",
	"TLP:AMBER+STRICT was for your organisation alone. Take what you quoted for known\n"
	"to others.\n"},
    {"AMBER", "TLP:AMBER was for your organisation and its clients. Take what you quoted for\n"
	      "known to others.\n"},
    {"GREEN", "TLP:GREEN was not for the public. Take what you quoted for known to it.\n"},
    {"CLEAR", "TLP:CLEAR may be read by anybody. What you added yourself was open as well.\n"},
};

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
		buf_add_text(out, drill);
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
	char when[TEXT_TIME_SIZE];
	char came[TEXT_TIME_SIZE];
	text_format_time(answer->signed_at, when);
	text_format_time(answer->received_at, came);
	letter_add_head(out, letter);
	buf_printf(out,
	    "Your answer, signed %s, came %s\nas arrival %lld of the gateway. It counts: %s.\n\n",
	    when, came, (long long)answer->arrival, answer->status);
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
	buf_printf(out,
	    "Do not send that answer again. For the next one: %s\n\n    %s\n\n"
	    "which every mail of the gateway brings along (Autocrypt).\n"
	    "The publisher of the advisory and the gateway's admins are told of this.\n",
	    is_subject(answer) ? "let your mail program\nhide the subject, or shorten it, and "
				 "encrypt to the gateway's key"
			       : "encrypt it to the\ngateway's key",
	    letter->fingerprint);
}

void letter_add_clear(struct buf *out, const struct clear_answer *answer)
{
	char when[TEXT_TIME_SIZE];
	char came[TEXT_TIME_SIZE];
	text_format_time(answer->signed_at, when);
	text_format_time(answer->received_at, came);
	buf_printf(out, "  %s (%s): %s\n      signed %s, came %s, arrival %lld\n", answer->address,
	    answer->member, is_subject(answer) ? "its Subject, with title and token" : "all of it",
	    when, came, (long long)answer->arrival);
	if (answer->told && answer->untold[0] != '\0')
		buf_printf(out, "      NOT told: %s\n", answer->untold);
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
	buf_add_text(out,
	    "\nThey were signed, and count. Whoever wrote them has been told, by encrypted\n"
	    "mail, to encrypt the next one, where nothing else stands above. What the label\n"
	    "kept from others may be known to whoever carried these mails.\n");
}
