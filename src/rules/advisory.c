#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/advisory.h"
#include "rules/release.h"

/* What the gateway itself puts in front of a title: "[DEW-2026-0007 r1] ". Length, or 0. */
static size_t mark_len(struct view subject)
{
	const size_t end = view_find(subject, VIEW("]"));
	if (subject.len == 0 || subject.data[0] != '[' || end == SIZE_MAX)
		return 0;
	size_t at = end;
	while (at > 0 && subject.data[at - 1] >= '0' && subject.data[at - 1] <= '9')
		at--;
	const bool revision =
	    at < end && at > 3 && subject.data[at - 1] == 'r' && subject.data[at - 2] == ' ';
	return revision ? end + 1 : 0;
}

/* "[DEW-2026-0001 r1]" from the subject of an earlier copy, and "Re:", are not part of a title. */
static struct view bare_title(struct view subject)
{
	static const char *const marks[] = {"Re:", "Fwd:", "Fw:", "Aw:"};
	bool again = true;
	while (again) {
		again = false;
		subject = view_trim(subject);
		for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
			if (view_starts_nocase(subject, marks[i])) {
				subject = view_part(subject, strlen(marks[i]), subject.len);
				again = true;
			}
		}
		const size_t mark = mark_len(subject);
		again = again || mark > 0;
		subject = view_part(subject, mark, subject.len);
	}
	return subject;
}

/* The title goes into a header of every copy: one line of well-formed text. */
static bool is_one_line(struct view title)
{
	for (size_t i = 0; i < title.len; i++) {
		if ((unsigned char)title.data[i] < 0x20 || title.data[i] == 0x7f)
			return false;
	}
	return text_is_utf8(title);
}

/* The next character that can be seen, in `len` bytes; a blank between two words is one byte. */
static struct view next_seen(struct view *text)
{
	struct view rest = *text;
	bool blank = false;
	for (size_t len; (len = text_blank(rest)) > 0 || (len = text_invisible(rest)) > 0;) {
		blank = blank || text_blank(rest) > 0;
		rest = view_part(rest, len, rest.len);
	}
	const struct view seen = blank ? VIEW(" ") : view_part(rest, 0, 1);
	*text = blank ? rest : view_part(rest, 1, rest.len);
	return seen;
}

/* Blanks of any kind and what cannot be seen make no difference. */
static bool is_same_title(struct view a, struct view b)
{
	a = text_trim(a);
	b = text_trim(b);
	while (a.len > 0 && b.len > 0)
		if (!view_equals(next_seen(&a), next_seen(&b)))
			return false;
	return a.len == b.len;
}

/* Title is for programs that protect no Subject; one that is protected must agree. */
static bool choose_title(
    const struct mail_content *content, struct draft *out, struct refusal *refusal)
{
	struct view title = bare_title(view_of(content->subject));
	const struct view said = view_of(out->control.title);
	if (control_is_no_title(title))
		title = said;
	else if (said.len > 0 && !is_same_title(title, said))
		return refuse(refusal, out->control.title_line,
		    "Title is \"%.*s\" and the Subject inside the encryption is \"%.*s\": they "
		    "must "
		    "agree, so leave Title out",
		    refusal_shown(said), said.data, refusal_shown(title), title.data);
	if (title.len == 0)
		title = view_trim(view_of(content->csaf.title));
	if (!is_one_line(title))
		return refuse(
		    refusal, 0, "the title is not one line of UTF-8 without control characters");
	return (title.len > 0 && view_copy(title, out->title, sizeof out->title)) ||
	       refuse(refusal, 0,
		   "there is no title: your mail program did not protect the Subject, so write a "
		   "line such as \"Title: Valve opens by itself\" or attach a CSAF document that "
		   "has "
		   "one");
}

static bool choose_tlp(const struct mail_content *content, const enum tlp *earlier_tlp,
    struct draft *out, struct refusal *refusal)
{
	enum tlp csaf_tlp;
	const bool csaf_has = content->csaf.present && content->csaf.tlp[0] != '\0';
	if (csaf_has && !tlp_from(view_of(content->csaf.tlp), &csaf_tlp))
		return refuse(refusal, 0, "the CSAF document has the unknown TLP label \"%s\"",
		    content->csaf.tlp);
	if (out->control.has_tlp && csaf_has && out->control.tlp != csaf_tlp)
		return refuse(refusal, out->control.tlp_line,
		    "TLP is %s in the control block and %s in the CSAF document: they must agree",
		    tlp_name(out->control.tlp), tlp_name(csaf_tlp));
	if (out->control.has_tlp)
		out->tlp = out->control.tlp;
	else if (csaf_has)
		out->tlp = csaf_tlp;
	else if (earlier_tlp != NULL)
		out->tlp = *earlier_tlp;
	else
		return refuse(refusal, 0, "there is no TLP: write a line such as \"TLP: AMBER\"");
	/* With a higher label it would not reach all who have what is withdrawn. */
	if (out->control.act == CONTROL_WITHDRAW && earlier_tlp != NULL && out->tlp > *earlier_tlp)
		return refuse(refusal, out->control.tlp_line,
		    "TLP is %s, and what is withdrawn went out as %s: a withdrawal goes to all who "
		    "got that",
		    tlp_name(out->tlp), tlp_name(*earlier_tlp));
	return true;
}

bool advisory_draft(const struct mail_content *content, int64_t now, const enum tlp *earlier_tlp,
    struct draft *out, struct refusal *refusal)
{
	memset(out, 0, sizeof *out);
	if (!control_read(content->text, &out->control, refusal))
		return false;
	if (content->csaf_bad)
		return refuse(refusal, 0, "the CSAF document cannot be read: %s", content->reason);
	if (!choose_title(content, out, refusal) || !choose_tlp(content, earlier_tlp, out, refusal))
		return false;
	if (control_is_first(&out->control) && out->control.audience[0] == '\0')
		return refuse(
		    refusal, 0, "there is no Audience: write a line such as \"Audience: all\"");
	if (!release_time_is_good(&out->control, now, refusal) ||
	    !bulletin_asks_nothing(out->control.act == CONTROL_BULLETIN, &out->control, refusal))
		return false;
	out->text = out->control.text;
	if (out->text.len == 0 && content->csaf.present)
		out->text = content->csaf.text;
	if (out->text.len == 0)
		return refuse(
		    refusal, 0, "there is no text behind the control block and no CSAF document");
	view_copy(view_of(content->csaf.severity), out->severity, sizeof out->severity);
	return true;
}
